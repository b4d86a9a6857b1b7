"""The first event that differs between two watched runs."""

import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from repro.check.watched_steps import suspects, where
from repro.divergence.first_divergence import compared_steps, first_divergence
from repro.events.pace import ALWAYS, LOOKS, SHARE, Pace
from repro.repair.factor_search import FactorFinding

NAMES = [
    ["m/dropout/state", "(2,)", "uint32", "seed"],
    ["m/dense/kernel", "(2, 2)", "float32", "weight"],
]


def process(*arguments: str, began: Sequence[int] = (0,)) -> dict[str, Any]:
    argv = ["/somewhere/train.py", *arguments]
    return {"process": {"argv": argv, "python": "3.11", "forks": 0, "began": list(began)}}


LAYOUT: dict[str, Any] = {"layout": 0, "variables": NAMES}


def digests(*numbers: int) -> str:
    return "".join(f"{number:016x}" for number in numbers)


def start(*values: int) -> dict[str, Any]:
    return {"start": True, "layout": 0, "digests": digests(*values)}


def step(number: int, *values: int, model: str = "m", batch: str | None = None) -> dict[str, Any]:
    held = digests(*values) if values else None
    return {
        "step": number, "model": model, "fit": 1, "epoch": 0, "layout": 0, "digests": held,
        "batch": batch,
    }  # fmt: skip


def calls(*each: Sequence[Any]) -> dict[str, Any]:
    return {"calls": [list(call) for call in each]}


RUN = [start(1, 2), step(1, 3, 4), step(2, 5, 6), step(3, 7, 8)]


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """Writes a process' events into a folder of that name."""

    def writes(
        name: str, *events: dict[str, Any], cut: bool = False, given: str = "", began: int = 0
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        lines = (process(given, began=[began]), LAYOUT, *events)
        text = "".join(f"{json.dumps(event)}\n" for event in lines)
        number = len(list(folder.iterdir()))
        (folder / f"{number}.jsonl").write_text(text[:-9] if cut else text)
        return folder

    return writes


def test_runs_that_agree(write: Any) -> None:
    found = compared_steps(write("a", *RUN), write("b", *RUN))
    assert (found.agreed, found.left_out, found.divergence) == (3, 0, None)


def test_the_first_step_with_another_value_and_how_much_agreed_before(write: Any) -> None:
    other = [*RUN[:2], step(2, 5, 99), step(3, 7, 99)]
    found = first_divergence(write("a", *RUN), write("b", *other))
    assert found is not None
    assert (found.step, found.variable, found.what) == (2, "m/dense/kernel", "value")
    assert (found.agreed, found.after, found.model) == (1, 1, "m")


def test_of_several_the_generator_is_named_first(write: Any) -> None:
    found = first_divergence(write("a", *RUN), write("b", start(9, 9), *RUN[1:]))
    assert found is not None
    assert (found.step, found.variable, found.what) == (0, "m/dropout/state", "initial value")
    assert found.others == ("m/dense/kernel",)


def test_another_batch_comes_before_what_it_does(write: Any) -> None:
    left, right = ([start(1, 2), step(1, 3, n, batch=str(n))] for n in (1, 2))
    found = first_divergence(write("a", *left), write("b", *right))
    assert found is not None
    assert (found.what, found.variable) == ("batch", "")


@pytest.mark.parametrize(("short", "which"), [(1, "second"), (0, "first")])
def test_a_missing_step_is_a_finding_of_its_own(write: Any, short: int, which: str) -> None:
    folders = [write(str(n), *(RUN[:3] if n == short else RUN)) for n in (0, 1)]
    found = first_divergence(*folders)
    assert found is not None
    assert (found.step, found.what, found.agreed) == (3, f"missing in the {which} run", 2)


def test_steps_of_several_models_are_aligned_by_model(write: Any) -> None:
    one = [step(1, 1, 1, model="g"), step(1, 2, 2, model="d"), step(2, 3, 3, model="g")]
    two = [one[1], one[0], one[2]]
    assert first_divergence(write("a", *one), write("b", *two)) is None


def test_a_step_left_out_for_its_cost_is_not_compared(write: Any) -> None:
    thin = [RUN[0], RUN[1], step(2), RUN[3]]
    found = compared_steps(write("a", *RUN), write("b", *thin))
    assert (found.agreed, found.left_out, found.undecided, found.divergence) == (3, 1, 0, None)
    late = compared_steps(write("a2", *RUN), write("b2", *thin[:3], step(3, 7, 99)))
    assert late.divergence is not None
    assert (late.divergence.after, late.divergence.step) == (1, 3)
    assert (late.agreed, late.left_out, late.undecided) == (1, 0, 1)
    assert where(late.divergence) == "step 2 or 3 of m: the value of m/dense/kernel"


def test_variables_made_between_two_steps_say_nothing_of_those_that_were_left_out(
    write: Any,
) -> None:
    made = [*RUN[:2], step(2), start(3, 4), step(3, 7, 8)]
    found = first_divergence(write("a", *made), write("b", *made[:-1], step(3, 7, 99)))
    assert found is not None
    assert (found.after, found.step, found.agreed) == (1, 3, 1)
    assert where(found) == "step 2 or 3 of m: the value of m/dense/kernel"


def test_initial_values_of_a_later_fold_are_said_to_be_there(write: Any) -> None:
    folds = [*RUN, start(3, 4), step(4, 7, 8)]
    found = first_divergence(write("a", *folds), write("b", *RUN, start(3, 9), step(4, 7, 9)))
    assert found is not None
    assert where(found) == "the initial value of m/dense/kernel, after step 3 of m"
    first = first_divergence(write("a2", *RUN), write("b2", start(1, 9), *RUN[1:]))
    assert first is not None
    assert where(first) == "the initial value of m/dense/kernel, before the first step of m"


def test_steps_behind_the_last_one_that_was_compared_are_undecided(write: Any) -> None:
    thin = [*RUN[:2], step(2), step(3)]
    found = compared_steps(write("a", *RUN), write("b", *thin))
    assert (found.agreed, found.left_out, found.undecided, found.divergence) == (1, 0, 2, None)


def test_a_batch_that_one_run_left_out_is_none_that_differs(write: Any) -> None:
    whole = [RUN[0], *(step(n, 3, 4, batch=f"b{n}") for n in (1, 2, 3))]
    thin = [*whole[:2], step(2), whole[3]]
    found = compared_steps(write("a", *whole), write("b", *thin))
    assert (found.agreed, found.left_out, found.divergence) == (3, 1, None)
    late = first_divergence(write("a2", *whole), write("b2", *thin[:3], step(3, 3, 4, batch="x")))
    assert late is not None
    assert where(late) == "step 2 or 3 of m: the batch"
    seen = first_divergence(write("a3", *whole), write("b3", *thin[:2], step(2, batch="x")))
    assert seen is not None
    assert where(seen) == "step 2 of m: the batch"


def test_a_step_that_is_missing_is_exactly_known(write: Any) -> None:
    thin = [*RUN[:2], step(2), step(3)]
    found = first_divergence(write("a", *thin), write("b", *thin[:3]))
    assert found is not None
    assert where(found) == "step 3 of m: a step that is missing in the second run"


class Clock:
    """Goes on by what each training step and each digest take."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def paced(share: float, steps: int, cost: Callable[[int], float] = lambda _: 1.0) -> list[int]:
    """The steps that are digested where a digest takes that share of a step."""
    clock, found = Clock(), list[int]()
    pace = Pace(clock)
    for number in range(1, steps + 1):
        clock.now += 1.0
        if pace.due():
            found.append(number)
            seconds = share * cost(number)
            clock.now += seconds
            pace.took(seconds)
    return found


def test_the_first_steps_are_digested_whatever_it_takes() -> None:
    found = paced(100.0, 200)
    assert found[:ALWAYS] == list(range(1, ALWAYS + 1))
    assert len(found) < 100


def test_all_steps_are_digested_where_that_takes_little_time() -> None:
    assert paced(SHARE / 2, 1000) == list(range(1, 1001))


def test_one_digest_that_is_interrupted_leaves_out_nothing() -> None:
    def cost(number: int) -> float:
        return 1000.0 if number % LOOKS == 0 else 1.0

    assert paced(SHARE / 2, 1000, cost) == list(range(1, 1001))


@pytest.mark.parametrize("share", [0.1, 0.25, 1.0, 10.0])
def test_steps_are_left_out_until_digests_take_their_share(share: float) -> None:
    found = paced(share, 100_000)
    late = [number for number in found if number > 50_000]
    every = late[1] - late[0]
    assert {after - before for before, after in pairwise(late)} == {every}
    assert share / (every + share) <= SHARE < share / (every / 2 + share)


@given(st.floats(0.01, 10), st.floats(0.01, 10))
def test_two_paces_have_the_steps_of_the_slower_one_in_common(one: float, other: float) -> None:
    left, right = sorted((set(paced(each, 2000)) for each in (one, other)), key=len)
    # Each pace doubles at a step of its own; from then on the slower one's are the other's, too.
    settled = {number for number in left if number > 1000}
    assert settled <= right


def test_a_line_cut_by_a_kill_is_passed_over(write: Any) -> None:
    found = first_divergence(write("a", *RUN), write("b", *RUN, cut=True))
    assert found is not None
    assert found.what == "missing in the second run"


DRAW = ("random numbers", "random.random", "train.py", 4)
GENERATOR = ("generator without a seed", "numpy.random.default_rng", "train.py", 2)
METHOD = ("random numbers", "numpy.random.Generator.normal", "train.py", 3)
CLOCK = ("clock", "time.time", "train.py", 1)
PROCESS = ("process id", "os.getpid", "train.py", 5)
SEED = ("seed", "random.seed", "train.py", 6)
FOLDER = ("name of a temporary file", "tempfile.mkdtemp", "train.py", 7)
FILES = ("name of a temporary file", "tempfile.mkstemp", "train.py", 8)
EVERYTHING = ("all environment variables", "os.environ", "train.py", 9)


@pytest.mark.parametrize(
    ("left", "right", "line"),
    [
        ([(*CLOCK, 1, "x"), (*DRAW, 1, "a")], [(*CLOCK, 1, "x"), (*DRAW, 1, "b")], 4),
        ([(*DRAW, 1, "a")], [(*DRAW, 2, "a")], 4),
        ([(*GENERATOR, 1, "x"), (*METHOD, 1, "a")], [(*GENERATOR, 1, "x"), (*METHOD, 1, "b")], 2),
        ([(*CLOCK, 1, "x"), (*DRAW, 1, "a")], [(*CLOCK, 1, "x"), (*DRAW, 1, "a")], 1),
        ([(*DRAW, 1, "a")], [(*DRAW, 1, "a")], None),
        ([(*PROCESS, 1, "x"), (*SEED, 1, "a")], [(*PROCESS, 1, "x"), (*SEED, 1, "b")], 5),
        ([(*CLOCK, 1, "x"), (*SEED, 1, "a")], [(*CLOCK, 1, "x"), (*SEED, 1, "b")], 1),
        ([(*EVERYTHING, 1, "x"), (*SEED, 1, "a")], [(*EVERYTHING, 1, "x"), (*SEED, 1, "b")], 9),
        (  # `environ.get("JOB", os.getpid())`
            [(*PROCESS, 1, "x"), (*EVERYTHING, 1, "x"), (*SEED, 1, "a")],
            [(*PROCESS, 1, "x"), (*EVERYTHING, 1, "x"), (*SEED, 1, "b")],
            5,
        ),
        ([(*FOLDER, 1, "x"), (*FILES, 3, "x")], [(*FOLDER, 1, "x"), (*FILES, 3, "x")], 8),
        (
            [(*CLOCK, 1, "x"), (*DRAW, 1, "a"), (*SEED, 1, "a")],
            [(*CLOCK, 1, "x"), (*DRAW, 1, "a"), (*SEED, 1, "b")],
            6,
        ),
    ],
)
def test_the_call_beside_it(write: Any, left: Any, right: Any, line: int | None) -> None:
    found = first_divergence(
        *(
            write(name, calls(*called), start(1, value), step(1, 1, 1))
            for name, called, value in (("a", left, 2), ("b", right, 9))
        )
    )
    assert found is not None
    assert (found.call.line if found.call else None) == line


@pytest.mark.parametrize(
    ("finding", "line"),
    [
        (None, 2),
        (FactorFinding(True, (), complete=True, runs=1), 2),
        (FactorFinding(False, ("clock",), complete=True, runs=5), 1),
        (FactorFinding(False, ("processors",), complete=True, runs=5), None),
    ],
)
def test_what_repeats_with_nothing_varied_has_no_generator_to_blame(
    write: Any, finding: FactorFinding | None, line: int | None
) -> None:
    called = calls((*CLOCK, 1, "x"), (*GENERATOR, 1, "x"))
    left, right = (write(name, called, start(1, n), step(1, 1, 1)) for n, name in enumerate("ab"))
    found = compared_steps(left, right, suspects(finding)).divergence
    assert found is not None
    assert (found.call.line if found.call else None) == line


MAP = ("threads", "tensorflow.data.Dataset.map", "train.py", 1)


@pytest.mark.parametrize(("deterministic", "line"), [(True, None), (False, 1)])
def test_parallel_calls_are_no_suspects_where_operations_are_deterministic(
    write: Any, deterministic: bool, line: int | None
) -> None:
    left, right = (
        write(name, {"deterministic": deterministic}, calls((*MAP, 1, "x")), step(1, n, n))
        for n, name in enumerate("ab")
    )
    found = first_divergence(left, right)
    assert found is not None
    assert (found.call.line if found.call else None) == line


KERAS = ("seed that Keras draws", "random.randint", "train.py", 7)
UNSEEDED = ("generator without a seed", "random.seed", "train.py", 8)


@pytest.mark.parametrize(
    ("before", "initial", "later"),
    [
        ([(*DRAW, 1)], 7, 4),  # numbers that no layer is made of
        ([(*CLOCK, 1), (*SEED, 1)], 1, 1),
        ([(*UNSEEDED, 1)], 8, 8),
        ([], 7, 7),
    ],
)
def test_other_initial_values_come_from_the_seed_that_keras_drew(
    write: Any, before: Any, initial: int, later: int
) -> None:
    for name, first in (("initial", True), ("later", False)):
        left, right = (
            write(
                f"{name}{n}",
                calls(*((*each, n) for each in before), (*KERAS, 1, n)),
                start(1, n * first),
                step(1, 1, n),
            )
            for n in (1, 2)
        )
        found = first_divergence(left, right)
        assert found is not None
        assert found.what == ("initial value" if first else "value")
        assert found.call is not None
        assert found.call.line == (initial if first else later)


SET = ("order of a set", "list(words)", "train.py", 1)
HOME = ("home", 'os.environ["HOME"]', "train.py", 2)
PROCESSORS = ("processors", "os.cpu_count", "train.py", 3)
TEMPORARY = ("name of a temporary file", "tempfile.mkdtemp", "train.py", 5)


@pytest.mark.parametrize(
    ("factors", "line"),
    [
        (("hash seed",), 1),
        (("home",), 2),
        (("processors",), 3),
        (("environment size",), 9),
        (("locale",), 9),
        (("temporary folder",), 5),
        (("umask",), None),
        (None, 5),
    ],
)
def test_what_a_script_reads_is_named_where_results_depend_on_it(
    write: Any, factors: tuple[str, ...] | None, line: int | None
) -> None:
    finding = factors and FactorFinding(False, factors, complete=True, runs=5)
    called = calls(*((*each, 1, "x") for each in (TEMPORARY, EVERYTHING, PROCESSORS, HOME, SET)))
    left, right = (write(name, called, start(1, n), step(1, 1, 1)) for n, name in enumerate("ab"))
    found = compared_steps(left, right, suspects(finding or None)).divergence
    assert found is not None
    assert (found.call.line if found.call else None) == line


def test_calls_after_the_divergence_explain_nothing(write: Any) -> None:
    folders = [
        write(name, start(1, n), calls((*DRAW, 1, name)), step(1, 1, 1))
        for n, name in enumerate(("a", "b"))
    ]
    found = first_divergence(*folders)
    assert found is not None
    assert found.call is None


UNUSED = start(0, 0)


@pytest.mark.parametrize("extra", [0, 1])
def test_an_event_that_one_run_lacks_shifts_no_call(write: Any, extra: int) -> None:
    folders = [
        write(
            name, calls((*DRAW, 1, "a")), *([UNUSED] if extra == n else []), step(1, 1, 1),
            calls((*DRAW, 2, "b")), step(2, n, n),
        )
        for n, name in enumerate("ab")
    ]  # fmt: skip
    found = first_divergence(*folders)
    assert found is not None
    assert (found.step, found.call) == (2, None)


@pytest.mark.parametrize("short", [0, 1])
def test_what_was_called_in_place_of_a_missing_step_is_beside_it(write: Any, short: int) -> None:
    folders = [
        write(
            name, calls((*DRAW, 1, "a")), step(1, 1, 1, model="g"), step(1, 1, 1, model="d"),
            calls((*METHOD, 1, name)), *([] if n == short else [step(2, 2, 2, model="g")]),
            step(2, 2, 2, model="d"),
        )
        for n, name in enumerate("ab")
    ]  # fmt: skip
    found = first_divergence(*folders)
    assert found is not None
    assert (found.model, found.step, found.call and found.call.line) == ("g", 2, METHOD[3])


def test_models_that_take_turns_otherwise_shift_no_call(write: Any) -> None:
    parts = [[calls((*DRAW, 1, "a")), step(1, 1, 1, model="g")], [step(1, 1, 1, model="d")]]
    drawn = calls((*DRAW, 2, "b"))
    left = write("a", *parts[0], *parts[1], drawn, step(2, 1, 1, model="g"))
    right = write("b", *parts[0], drawn, step(2, 1, 2, model="g"), *parts[1])
    found = first_divergence(left, right)
    assert found is not None
    assert (found.step, found.call) == (2, None)


def test_a_process_that_never_came_is_missing(write: Any) -> None:
    left, empty = write("a", *RUN), write("b")
    found = first_divergence(left, empty)
    assert found is not None
    assert (found.step, found.what) == (1, "missing in the second run")


def test_a_variable_that_was_gone_by_then_in_one_run_is_no_divergence(write: Any) -> None:
    unused = {"layout": 1, "variables": [["unused", "()", "float32", "weight"]]}
    more = [unused, {"start": True, "layout": 1, "digests": digests(1)}]
    found = compared_steps(write("a", *RUN), write("b", *more, *RUN[:2], *more, *RUN[2:]))
    assert (found.agreed, found.divergence) == (3, None)


def test_an_initial_value_of_another_shape_differs(write: Any) -> None:
    wider = {"layout": 1, "variables": [NAMES[0], ["m/dense/kernel", "(3, 2)", *NAMES[1][2:]]]}
    other = [wider, {**start(1, 2), "layout": 1}, step(1, 3, 4, batch="b")]
    found = first_divergence(write("a", start(1, 2), step(1, 3, 4, batch="a")), write("b", *other))
    assert found is not None
    assert (found.step, found.what, found.variable) == (0, "initial value", "m/dense/kernel")


def test_processes_are_paired_by_what_they_were_started_with(write: Any) -> None:
    other = [start(3, 4), step(1, 5, 6)]
    started = {"--one": RUN, "--two": other}
    for name in started:
        left = write("a", *started[name], given=name)
    for name in reversed(started):
        right = write("b", *started[name], given=name)
    assert compared_steps(left, right).divergence is None


def test_processes_of_one_name_are_in_the_order_in_which_they_began(write: Any) -> None:
    runs = [RUN, [start(3, 4), step(1, 5, 6)]]
    for number in (0, 1):
        left = write("a", *runs[number], began=number)
    for number in (1, 0):  # the file that was made first is that of the second
        right = write("b", *runs[number], began=number)
    assert compared_steps(left, right).divergence is None


def test_a_name_among_the_arguments_may_be_another(write: Any) -> None:
    found = compared_steps(write("a", *RUN, given="/tmp/x1"), write("b", *RUN, given="/tmp/x2"))
    assert (found.agreed, found.divergence) == (3, None)
