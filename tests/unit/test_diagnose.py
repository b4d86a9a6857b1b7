"""Diagnosis: which cause comes first, what is said to be tested, and where it leads."""

from collections.abc import Sequence
from typing import Any

import pytest
from repro.cause.diagnose import Findings, causes
from repro.cause.fault_isolation import Found, Trial
from repro.cause.first_divergent_op import Culprit
from repro.compare.runs import Divergence
from repro.core.factor_table import FACTORS, remedies

DATA = Divergence("prepared data", variable="train/x.npy")
LOSS = Divergence("loss", epoch=1, step=3)


def call(source: str, function: str = "dataset") -> dict[str, Any]:
    where = {"function": function, "file": "experiment.py", "line": 12, "count": 1}
    return {"call": "some.call", "source": source, **where}


def trials(*given: tuple[Sequence[str], bool]) -> tuple[Trial, ...]:
    return tuple(
        Trial("prepare", tuple(f), same, "" if same else str(n))
        for n, (f, same) in enumerate(given)
    )


def culprit(phase: str, layer: str | None = None, op: str = "MatMul") -> Culprit:
    return Culprit("net/layer/MatMul:0", op, layer, phase, "experiment.py", 30)


RANDOM = Found("random", trials(((), False), ((), False)))
SOMETIMES = Found("a race", trials(((), True), ((), False), ((), True)))
BY_CLOCK = Found(
    "factor",
    trials(((), True), ((), True), ((), True), (("clock",), False), (("clock",), False)),
    (("clock",),),
)


def test_without_a_search_the_cause_is_likely_and_not_tested() -> None:
    (cause,) = causes(DATA)
    assert (cause.cause, cause.tested, cause.trials) == ("data content", False, 0)


@pytest.mark.parametrize(
    ("what", "cause"),
    [
        ("initial weights", "initialisation"),
        ("initial seed states", "a random layer"),
        ("batch content", "augmentation"),
        ("class weights", "class weights"),
        ("learning rate", "update"),
        ("predictions", "evaluation"),
    ],
)
def test_random_by_itself_is_named_by_its_address(what: str, cause: str) -> None:
    first = causes(Divergence(what, 0, 0), Findings(RANDOM))[0]
    assert (first.cause, first.tested, first.trials) == (cause, True, 2)
    assert "rerun 2 times with nothing varied, it gave other bits each time" in first.evidence


def test_the_line_that_draws_is_named() -> None:
    calls = [call("clock", "model"), call("generator without a seed")]
    first = causes(DATA, Findings(RANDOM, calls))[0]
    assert (first.file, first.line) == ("experiment.py", 12)
    assert "some.call (generator without a seed) at experiment.py, line 12" in first.evidence
    assert first.remedy == "Give that generator a seed from `seeds(name)`."


def test_a_factor_is_named_with_its_counts_and_comes_before_what_is_likely() -> None:
    first, second = causes(DATA, Findings(BY_CLOCK, [call("clock")]))
    assert (first.cause, first.tested, first.trials) == ("factor: clock", True, 5)
    assert "2 of 2 trials with it gave other bits" in first.evidence
    assert "3 of 3 without it gave the same" in first.evidence
    assert (second.cause, second.tested) == ("data content", False)


@pytest.mark.parametrize("kind", ["a race", "not reproduced"])
@pytest.mark.parametrize(
    ("what", "sources", "cause"),
    [
        ("length", ["clock"], "update"),
        ("learning rate", ["clock"], "update"),
        ("length", [], "a race"),
        ("length", ["clock", "threads"], "a race"),
        ("loss", ["clock"], "a race"),
    ],
)
def test_what_stops_by_the_clock_is_no_race(
    kind: str, what: str, sources: list[str], cause: str
) -> None:
    found = Found(kind, SOMETIMES.trials)
    calls = [call(source, "training") for source in sources]
    first = causes(Divergence(what, 3, 0), Findings(found, calls))[0]
    assert first.cause == cause
    assert first.file == ("experiment.py" if sources else None)


def test_runs_that_agree_only_sometimes_are_a_race() -> None:
    first, *_ = causes(LOSS, Findings(SOMETIMES))
    assert (first.cause, first.tested) == ("a race", True)
    assert "original's bits 2 times, and others too" in first.evidence


def test_threads_seen_make_random_bits_a_race_and_a_draw_seen_makes_it_none() -> None:
    threads = [call("threads")]
    assert causes(DATA, Findings(RANDOM, threads))[0].cause == "a race"
    draw = [call("generator without a seed")]
    both = causes(DATA, Findings(RANDOM, [*threads, *draw]))
    assert [(one.cause, one.tested) for one in both] == [("data content", True), ("a race", False)]
    assert causes(DATA, Findings(SOMETIMES, draw))[0].cause == "data content"


@pytest.mark.parametrize(
    ("odd", "cause"),
    [
        (culprit("gradient"), "gradient"),
        (culprit("update"), "update"),
        (culprit("other"), "update"),
        (culprit("forward"), "forward pass"),
        (culprit("forward", "noise"), "forward pass"),
        (culprit("forward", "noise", "EagerPyFunc"), "forward pass"),
        (culprit("forward", "noise", "StatelessRandomUniformV2"), "a random layer"),
        (culprit("forward", None, "RandomStandardNormal"), "forward pass"),
    ],
)
def test_the_first_odd_operation_tells_the_cause(odd: Culprit, cause: str) -> None:
    first = causes(LOSS, Findings(RANDOM, culprit=odd))[0]
    assert first.cause == cause
    assert (first.file, first.line) == ("experiment.py", 30)
    assert (odd.layer or "MatMul") in first.where


@pytest.mark.parametrize(
    ("source", "cause"),
    [("generator without a seed", "a random layer"), ("system entropy", "a random layer"),
     ("clock", "forward pass")],
)  # fmt: skip
def test_python_in_a_layer_draws_only_where_it_was_seen_to(source: str, cause: str) -> None:
    odd, calls = culprit("forward", "noise", "EagerPyFunc"), [call(source, "model")]
    assert causes(LOSS, Findings(RANDOM, calls, odd))[0].cause == cause


THREADS, PROCESSES = "threads that Keras starts", "processes that Keras starts"


@pytest.mark.parametrize("source", [THREADS, PROCESSES])
@pytest.mark.parametrize("kind", [RANDOM, SOMETIMES])
def test_workers_of_keras_race_for_the_content_of_batches(source: str, kind: Found) -> None:
    calls = [call("threads", "training"), call(source, "training")]
    first, second = causes(
        Divergence("batch content", 0, 1), Findings(kind, calls, lacking={"augment"})
    )
    assert (first.cause, first.line, second.cause) == ("a race", 12, "batch content")
    assert f"some.call ({source}) at experiment.py" in first.evidence
    assert "`workers=1`" in first.remedy


@pytest.mark.parametrize("what", ["loss", "weights", "learning rate"])
def test_workers_that_made_the_same_batch_have_no_part_in_what_came_after(what: str) -> None:
    found = causes(Divergence(what, 0, 1), Findings(RANDOM, [call(THREADS, "training")]))
    assert "a race" not in [one.cause for one in found]
    # Without the digests of each step, nothing is known of the batches.
    found = causes(Divergence("weights", 0), Findings(RANDOM, [call(THREADS, "training")]))
    assert found[0].cause == "a race"


@pytest.mark.parametrize("source", ["threads", "unordered stream", THREADS])
def test_what_starts_in_training_has_no_part_in_how_it_starts(source: str) -> None:
    at = Divergence("initial weights", variable="net/kernel")
    found = causes(at, Findings(RANDOM, [call(source, "training")]))
    assert [one.cause for one in found] == ["initialisation"]
    of_model = causes(at, Findings(RANDOM, [call("threads", "model")]))
    assert of_model[0].cause == "a race"


@pytest.mark.parametrize(
    ("name", "source", "words"),
    [
        ("tensorflow.data.Dataset.shuffle", "generator without a seed", "Give `shuffle` a seed"),
        ("tensorflow.data.Dataset.list_files", "generator without a seed", "`shuffle=False`"),
        ("numpy.random.default_rng", "generator without a seed", "Give that generator a seed"),
        ("numpy.random.default_rng", "another source", "Give every random draw in `dataset`"),
    ],
)
def test_the_remedy_fits_the_call(name: str, source: str, words: str) -> None:
    made = {**call("generator without a seed"), "call": name}
    if source == "another source":
        made["source"] = source
    assert words in causes(DATA, Findings(RANDOM, [made]))[0].remedy


@pytest.mark.parametrize(
    ("name", "source", "words"),
    [
        ("hash", "hash", "hashlib in place of hash()"),
        ("id", "hash", "an address in memory"),
        ("iteration over a set", "hash", "Sort the set"),
        ("collections.Counter.most_common", "ties", "break ties"),
    ],
)
def test_what_hangs_on_the_hash_seed_is_told_by_its_call(
    name: str, source: str, words: str
) -> None:
    found = Found("factor", trials(((), True), (("hash seed",), False)), (("hash seed",),))
    ties = {**call("ties"), "call": "collections.Counter.most_common"}
    first = causes(DATA, Findings(found, [ties, {**call(source), "call": name, "line": 7}]))[0]
    assert (first.file, first.line) == ("experiment.py", 7 if source == "hash" else 12)
    assert words in first.remedy


@pytest.mark.parametrize(
    ("what", "cause"), [("data order", "data order"), ("batch content", "augmentation")]
)
def test_a_step_that_receives_other_batches_has_not_changed_them(what: str, cause: str) -> None:
    odd, calls = culprit("other", op="Placeholder"), [call("generator without a seed", "training")]
    for kind in (RANDOM, SOMETIMES):
        first = causes(Divergence(what, 0, 0), Findings(kind, calls, odd))[0]
        assert (first.cause, first.line) == (cause, 30)
        assert first.remedy == "Give that generator a seed from `seeds(name)`."


@pytest.mark.parametrize(
    ("what", "cause"), [("data order", "data order"), ("batch content", "augmentation")]
)
def test_two_runs_that_diverged_before_the_step_show_nothing_of_its_batch(
    what: str, cause: str
) -> None:
    calls = [call("generator without a seed", "training")]
    at = Divergence(what, 0, 1)
    first = causes(at, Findings(RANDOM, calls, culprit("other", "layer", "Variable")))[0]
    assert (first.cause, first.line) == (cause, 12)
    assert "layer" not in first.where


@pytest.mark.parametrize(
    ("source", "words"),
    [("generator without a seed", "from `settings`"), ("clock", "Take nothing from the clock")],
)
def test_class_weights_lead_to_their_own_line_and_remedy(source: str, words: str) -> None:
    calls = [
        call("generator without a seed", "augment"),
        {**call(source, "class_weight"), "line": 7},
    ]
    at = Divergence("class weights", variable="1")
    first = causes(at, Findings(RANDOM, calls, culprit("forward")))[0]
    assert (first.cause, first.line) == ("class weights", 7)
    assert first.where == "the class weights (1)"
    assert words in first.remedy
    assert "seeds(" not in first.remedy


def test_a_program_that_is_waited_for_races_with_nobody() -> None:
    first = causes(DATA, Findings(RANDOM, [call("another program")]))[0]
    assert (first.cause, first.line) == ("data content", 12)
    assert "the program that is started" in first.remedy


@pytest.mark.parametrize(
    ("op", "kind", "told"),
    [
        ("RngReadAndSkip", RANDOM, True),
        ("ReadVariableOp", RANDOM, True),
        ("RngReadAndSkip", SOMETIMES, True),
        ("Mul", RANDOM, False),
        ("StatelessRandomUniformV2", RANDOM, False),
    ],
)
def test_a_state_that_the_augmentation_reads_may_be_drawn_in_the_model(
    op: str, kind: Found, told: bool
) -> None:
    calls = [call("clock", "training"), call("system entropy", "model")]
    at = Divergence("batch content", 0, 0)
    first = causes(at, Findings(kind, calls, culprit("augmentation", op=op)))[0]
    assert (first.cause, first.line) == ("augmentation", 30)
    assert ("some.call (system entropy) at experiment.py, line 12" in first.evidence) == told
    assert ("system's entropy" in first.remedy) == told


def test_a_seed_state_leads_to_its_layer_and_the_line_that_makes_it() -> None:
    at = Divergence("initial seed states", variable="net/dropout/seed_generator_state")
    first = causes(at, Findings(RANDOM, layers={"dropout": {"file": "a.py", "line": 7}}))[0]
    assert (first.where.split(",")[0], first.file, first.line) == ("layer dropout", "a.py", 7)


def test_what_stays_other_than_the_original_points_outside() -> None:
    found = Found("stale state", trials(((), False), ((), False), ((), False)))
    assert causes(DATA, Findings(found))[0].cause == "environment"


def test_what_does_not_come_back_is_rare() -> None:
    found = Found("not reproduced", trials(*[((), True)] * 3, (tuple(FACTORS), True)))
    first = causes(LOSS, Findings(found))[0]
    assert (first.cause, first.tested, first.trials) == ("a race", False, 4)
    assert "what made the runs diverge is rare" in first.evidence


@pytest.mark.parametrize("factor", FACTORS)
def test_every_factor_has_a_remedy(factor: str) -> None:
    assert remedies((factor,)).endswith(".")
