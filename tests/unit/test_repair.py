"""Remedies: edits of a script that keep all else, and the smallest set under which runs agree."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from repro.divergence.first_divergence import StepDivergence
from repro.hook import silent
from repro.ledger.blamed import LedgerCall
from repro.ledger.set_order import HASH, TEXT_ORDER
from repro.repair.by_hand import by_hand, told_of_patch
from repro.repair.edits import Edit, edited, original_line, unified
from repro.repair.patch import TriedPatch, before_change, changed_files, diff_of
from repro.repair.patch_search import MOST, Attempt, Remedies, runs_needed, search
from repro.repair.remedies import (
    FROZEN_NOISE,
    NOT_DETERMINISTIC,
    ONE_ORDER,
    OVERLAPPING,
    RESET,
    SILENT,
    DifferenceCause,
    Remedy,
    Sources,
    candidates,
)

UNSEEDED = "generator without a seed"


def sources(text: str, name: str = "train.py") -> Sources:
    return Sources(lambda asked: text.encode() if asked == name else None, name)


def cause(
    source: str | None = None,
    call: str = "",
    line: int = 1,
    factors: tuple[str, ...] = (),
    nondeterministic: bool | None = None,
) -> DifferenceCause:
    blamed = LedgerCall(source, call, "train.py", line) if source else None
    return DifferenceCause(blamed, nondeterministic, factors, 2, steps=7)


def first_edit(text: str, case: DifferenceCause) -> str:
    """The script with the likeliest remedy."""
    user = sources(text)
    remedy = next(each for each in candidates(case, user, 1) if each.edits)
    return changed_files([remedy], user)["train.py"].decode()


@pytest.mark.parametrize(
    ("source", "call", "before", "after"),
    [
        (UNSEEDED, "numpy.random.default_rng", "r = np.random.default_rng()", "default_rng(1)"),
        (UNSEEDED, "numpy.random.default_rng", "r = default_rng(None)  # x", "default_rng(1)  # x"),
        (UNSEEDED, "numpy.random.RandomState", "r = RandomState(seed=None)", "(seed=1)"),
        (UNSEEDED, "numpy.random.default_rng", "r = f(default_rng(), default_rng())",
         "f(default_rng(1), default_rng(2))"),
        (UNSEEDED, "tensorflow.data.Dataset.shuffle", "d = d.shuffle(\n  100,\n)",
         "d.shuffle(\n  100, seed=1,\n)"),
        (UNSEEDED, "numpy.random.default_rng", "r = f(default_rng(5), default_rng())",
         "f(default_rng(5), default_rng(1))"),
        (UNSEEDED, "tensorflow.data.Dataset.shuffle",
         "d = d.shuffle(9, reshuffle_each_iteration=None)",
         "d.shuffle(9, reshuffle_each_iteration=None, seed=1)"),
        ("listing order", "os.listdir", "n = os.listdir(p)", "= sorted(os.listdir(p))"),
        ("listing order", "pathlib.Path.iterdir", "list(p.iterdir())", "sorted(p.iterdir())"),
        ("listing order", "os.scandir", "n = [*os.scandir(p)]",
         "[*sorted(os.scandir(p), key=lambda entry: entry.name)]"),
        ("listing order", "os.walk", "for a, b, c in os.walk(p):\n    use(c)",
         "os.walk(p):\n    b.sort()\n    c.sort()\n    use(c)"),
        ("listing order", "os.walk", "for a, b, c in os.walk(p):\n\tuse(c)",
         "os.walk(p):\n\tb.sort()\n\tc.sort()\n\tuse(c)"),
        ("listing order", "os.walk", "for a, b, c in os.walk(p):\n  @cache\n  def f(): pass",
         "os.walk(p):\n  b.sort()\n  c.sort()\n  @cache\n  def f(): pass"),
        (TEXT_ORDER, "list(set(w))", "v = list(set(w))", "v = sorted(set(w))"),
        (TEXT_ORDER, "set(w)", "v = [x for x in set(w)]", "[x for x in sorted(set(w))]"),
        (HASH, "hash(name)", "import os\nv = hash(name)",
         "import zlib\nimport os\nv = zlib.crc32(repr(name).encode())"),
        (HASH, "hash(a)", "v = hash(a) % hash(b)",
         "v = zlib.crc32(repr(a).encode()) % zlib.crc32(repr(b).encode())"),
        ("process id", "os.getpid", "n = int(get('T', os.getpid()))", "get('T', 1)"),
        ("clock", "time.time", "tf.random.set_seed(int(time.time()))", ""),
        ("clock", "time.time", "random.seed(int(time.time()) + 1)", "random.seed(1)"),
        ("clock", "time.time", "seed = int(time.time())", "seed = 1"),
        ("unordered stream", "concurrent.futures.as_completed", "for j in as_completed(jobs): pass",
         "for j in jobs: pass"),
        ("unordered stream", "multiprocessing.pool.Pool.imap_unordered", "p.imap_unordered(f, x)",
         "p.imap(f, x)"),
        ("processors", "os.sched_getaffinity", "n = len(os.sched_getaffinity(0))", "n = 2"),
        ("processors", "os.cpu_count", "n = os.cpu_count() or 1", "n = 2 or 1"),
        ("file times", "os.path.getmtime", "sorted(p, key=os.path.getmtime, reverse=True)",
         "sorted(p, reverse=True)"),
        (ONE_ORDER, "", "import keras\nm.fit(x, y, epochs=2, batch_size=8)",
         "import tensorflow as tf\nimport keras\nm.fit(tf.data.Dataset.from_tensor_slices((x, y))"
         ".shuffle(len(x), seed=1).batch(8), epochs=2)"),
        (UNSEEDED, "numpy.random.default_rng", "r = default_rng(args.seed)",
         "default_rng(1 if args.seed is None else args.seed)"),
        (UNSEEDED, "tensorflow.data.Dataset.shuffle", "d = d.shuffle((n + 1)  # all )\n)",
         "d.shuffle((n + 1), seed=1  # all )\n)"),
        ("listing order", "pathlib.Path.iterdir", "next(p.iterdir())", "min(p.iterdir())"),
        ("listing order", "pathlib.Path.glob", "next(p.glob('*'), None)",
         "min(p.glob('*'), default=None)"),
        ("file times", "os.path.getmtime", "sorted((p), key=os.path.getmtime)", "sorted((p))"),
        (HASH, "hash(a)", "v = hash(a) + f(hash(a))",
         "v = zlib.crc32(repr(a).encode()) + f(zlib.crc32(repr(a).encode()))"),
        ("system entropy", "uuid.uuid4", "run = uuid.uuid4()\ndefault_rng(run.int % 2**32)",
         "default_rng(1)"),
        ("system entropy", "uuid.uuid4", "run = uuid.uuid4()",
         "import random\nrun = uuid.UUID(int=random.getrandbits(128), version=4)"),
        ("system entropy", "random.SystemRandom", "r = random.SystemRandom()", "random.Random(1)"),
        ("system entropy", "tensorflow.random.Generator.from_non_deterministic_state",
         "r = Generator.from_non_deterministic_state()", "Generator.from_seed(1)"),
        ("system entropy", "os.urandom", "n = os.urandom(4)\nrandom.seed(int.from_bytes(n, 'big'))",
         "random.seed(1)"),
        ("clock", "time.time", "now = time.time()\nfor k in range(3): train(seed=int(now) + k)",
         "train(seed=1 + k)"),
        ("all environment variables", "os.environ",
         "def mark(): return crc32(str(dict(os.environ)))\nset_seed((mark() + k) % 9)",
         "set_seed((1 + k) % 9)"),
        ("name of a temporary file", "tempfile.mkstemp",
         "for n in range(9): tempfile.mkstemp(dir=d)", 'dir=d, prefix=f"{n:06d}-")'),
        ("name of a temporary file", "tempfile.mkstemp",
         "for n, x in enumerate(y): tempfile.mkstemp(prefix='a')", 'prefix=f"a{n:06d}-")'),
        (NOT_DETERMINISTIC, "", "enable_op_determinism(True)", "enable_op_determinism()"),
        (RESET, "", "for e in range(9):\n    np.random.seed(0)\n    draw()",
         "np.random.seed(0)\nfor e in range(9):\n    draw()"),
        (RESET, "", "def order():\n    r = default_rng(5)\n    return r.shuffle(x)",
         "r = default_rng(5)\n\n\ndef order():\n    return r.shuffle(x)"),
        (OVERLAPPING, "", "d = d.shuffle(9, seed=1)\nv = d.take(2)\nt = d.skip(2).batch(4)\n"
         "m.fit(t, validation_data=v)", "d.shuffle(9, seed=1, reshuffle_each_iteration=False)\n"
         "v = d.take(2)\nt = d.skip(2).shuffle(9, seed=1).batch(4)"),
        (ONE_ORDER, "", "import grain\nd = source(p).seed(6).shuffle().batch(5)\n"
         "m.fit(d, epochs=2)", ".shuffle().repeat().batch(5)\nm.fit(d, steps_per_epoch=7, epochs"),
        ("unordered stream", "tensorflow.data.Dataset.map", "d.map(f, deterministic=False)",
         "d.map(f, deterministic=True)"),
    ],
)  # fmt: skip
def test_a_call_is_mended_where_it_stands(source: str, call: str, before: str, after: str) -> None:
    lines = before.split("\n")
    name = call.rpartition(".")[2] or {ONE_ORDER: "fit", OVERLAPPING: "fit"}.get(source, "(")
    name = "seed" if source == RESET and "seed" in before else name
    name = "default_rng" if source == RESET and "default_rng" in before else name
    line = 1 + next((n for n, text in enumerate(lines) if name in text), 0)
    if "tf." in before:  # the name says nothing where `tf` was not imported
        before, after, line = f"import tensorflow as tf\n{before}", "tf.random.set_seed(1)", 2
    assert after in first_edit(before, cause(source, call, line))


@pytest.mark.parametrize(
    ("source", "call", "text"),
    [
        (UNSEEDED, "numpy.random.default_rng", "r = default_rng(*given)"),
        ("clock", "time.time", "took = time.time() - began"),
        ("listing order", "os.walk", "found = list(os.walk(p))"),
        ("listing order", "os.walk", "for a, b, c in os.walk(\n    p): use(c)"),
        (TEXT_ORDER, "names.pop()", "names = {'a'} | more\nnames.pop()"),
        ("system entropy", "secrets.token_hex", "run = secrets.token_hex()"),
        (UNSEEDED, "numpy.random.default_rng", "r = default_rng(made())"),
        ("name of a temporary file", "tempfile.mkstemp", "name = tempfile.mkstemp()"),
        (RESET, "", "def f():\n    np.random.seed(given)\n    draw()"),
        ("processors", "os.sched_getaffinity", "n = [*os.sched_getaffinity(0)]"),
        (ONE_ORDER, "", "m.fit(x, y, validation_split=0.1)"),
        (ONE_ORDER, "", "m.fit(data, epochs=2)"),
    ],
)
def test_what_cannot_be_mended_where_it_stands_is_left(source: str, call: str, text: str) -> None:
    line = text.count("\n") + 1
    found = candidates(cause(source, call, line, nondeterministic=False), sources(text), 1)
    assert [each for each in found if each.edits] == []
    assert "train.py, line" in by_hand(LedgerCall(source, call, "train.py", line))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import keras\n\nx = 1\n", "import keras\n\nkeras.utils.set_random_seed(1)\nx = 1\n"),
        ("from tensorflow import keras as k\nx = 1\n",
         "from tensorflow import keras as k\nk.utils.set_random_seed(1)\nx = 1\n"),
        ("import tensorflow as tf\nx = 1\n",
         "import tensorflow as tf\ntf.keras.utils.set_random_seed(1)\nx = 1\n"),
        ('"""A page."""\nimport os\nos.environ["A"] = "1"\nimport keras\r\n',
         'import keras\r\nkeras.utils.set_random_seed(1)\r\n'),
        ("from model import build\nx = 1\nimport keras\nbuild()\nimport os\n",
         "import keras\nkeras.utils.set_random_seed(1)\nbuild()\nimport os\n"),
        ("from model import build\nbuild()\n",
         "from model import build\nimport keras\nkeras.utils.set_random_seed(1)\nbuild()\n"),
        ("import keras", "import keras\nkeras.utils.set_random_seed(1)\n"),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import keras\n",
         "    import keras\nimport keras\nkeras.utils.set_random_seed(1)\n"),
        ("#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\ndef f(): pass\n",
         "#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\nimport keras\n"
         "keras.utils.set_random_seed(1)\ndef f(): pass\n"),
        ("import keras\nif __name__ == '__main__':\n    import model\n    model.train()\n",
         "import keras\nkeras.utils.set_random_seed(1)\nif __name__ == '__main__':\n"
         "    import model\n    model.train()\n"),
    ],
)  # fmt: skip
def test_the_seed_is_set_after_the_imports(before: str, after: str) -> None:
    mended = first_edit(before, cause("random numbers", "random.random", 1))
    assert mended.endswith(after)
    compile(mended, "train.py", "exec")


def test_threads_and_determinism_are_tried_where_the_cause_asks_for_them() -> None:
    user = sources("import tensorflow as tf\n\ntf.random.set_seed(1)\n")
    threads = candidates(cause(factors=("processors",), nondeterministic=False), user, 1)
    assert [changed_files([each], user)["train.py"].decode() for each in threads] == [
        "import tensorflow as tf\n\ntf.config.threading.set_intra_op_parallelism_threads(2)\n"
        "tf.random.set_seed(1)\n"
    ]
    race = candidates(cause("threads", "tensorflow.data.Dataset.map", 3), user, 1)
    assert "enable_op_determinism()" in diff_of(race[:1], user)


def test_threads_are_tried_last_where_no_factor_was_looked_for() -> None:
    user = sources("import tensorflow as tf\n\ntf.random.set_seed(1)\n")
    *_, last = candidates(cause(), user, 1)
    assert "set_intra_op_parallelism_threads(2)" in diff_of([last], user)


def test_what_depends_on_the_hash_seed_alone_is_set_before_the_start() -> None:
    [remedy] = candidates(cause(factors=("hash seed",), nondeterministic=False), sources(""), 1)
    assert (remedy.edits, remedy.variables) == ((), (("PYTHONHASHSEED", "0"),))


def test_a_change_after_which_the_file_is_no_python_is_not_tried() -> None:
    text = "import os\n\nname = os.getpid().denominator\n"
    case = cause("process id", "os.getpid", 3, nondeterministic=False)
    assert [each for each in candidates(case, sources(text), 1) if each.edits] == []


def test_the_silent_errors_that_are_mended_are_those_that_the_hook_knows() -> None:
    known = (
        silent.ONE_ORDER, silent.FROZEN_NOISE, silent.RESET, silent.NOT_DETERMINISTIC,
        silent.OVERLAPPING,
    )  # fmt: skip
    assert [name for name, _ in known] == [*SILENT]


def test_noise_that_begins_again_is_drawn_from_a_generator_that_goes_on() -> None:
    text = (
        "import tensorflow as tf\n\n\n@tf.function\ndef noisy(x):\n"
        "    return x + tf.random.normal(x.shape, stddev=0.1, seed=3)\n"
    )
    assert first_edit(text, cause(FROZEN_NOISE, "", 6)) == (
        "import tensorflow as tf\n\n\ngenerator = tf.random.Generator.from_seed(1)\n\n\n"
        "@tf.function\ndef noisy(x):\n    return x + generator.normal(x.shape, stddev=0.1)\n"
    )


@pytest.mark.parametrize(
    ("factor", "given", "lines"),
    [
        ("time zone", {"TZ": "Europe/Berlin"}, 'os.environ["TZ"] = "Europe/Berlin"\ntime.tzset()'),
        ("time zone", {}, 'os.environ["TZ"] = "UTC"\ntime.tzset()'),
        ("locale", {"LANG": "de_DE.UTF-8"}, 'os.environ["LC_ALL"] = "de_DE.UTF-8"'),
    ],
)
def test_time_zone_and_locale_are_fixed_in_the_script_or_before_its_start(
    factor: str, given: dict[str, str], lines: str
) -> None:
    user = sources("import os\n\nuse()\n")
    case = replace(cause(factors=(factor,), nondeterministic=False), given=given)
    inside, before = candidates(case, user, 1)
    assert lines in changed_files([inside], user)["train.py"].decode()
    [(name, value)] = before.variables
    assert f'os.environ["{name}"] = "{value}"' in lines


def test_a_file_that_cannot_be_read_or_parsed_gives_no_edit() -> None:
    blamed = cause(UNSEEDED, "numpy.random.default_rng", 1)
    for text in ("r = default_rng(", "\ufeffr = default_rng()", "a = 1\rr = default_rng()"):
        assert candidates(blamed, sources(text), 1) == []
    latin = b"# coding: latin-1\nn = '\xc3\xa9', default_rng()"
    assert candidates(replace(blamed, call=None), Sources(lambda _: latin, "train.py"), 1) == []
    assert candidates(blamed, Sources(lambda _: None, "train.py"), 1) == []


TEXT = st.text(st.sampled_from("aé\n\r ."), max_size=30)


@given(TEXT, st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3), TEXT), max_size=4))
def test_a_patch_gives_the_edited_file_by_patch_itself(
    text: str, asked: list[tuple[int, int, str]]
) -> None:
    source = text.encode()
    edits = [
        Edit("a.py", min(start, len(source)), min(start + size, len(source)), new)
        for start, size, new in asked
    ]
    try:
        after = edited(source, edits)
        after.decode()
    except ValueError:
        return
    lines = unified("a.py", source, after)
    assert (not lines) == (after == source)
    removed = [line[1:] for line in lines.split("\n") if line.startswith("-") and line[:3] != "---"]
    assert all(line.rstrip("\r") in text for line in removed)


def test_what_two_edits_share_is_written_once_and_an_overlap_is_refused() -> None:
    twice = [Edit("a", 0, 0, "x"), Edit("a", 0, 0, "y"), Edit("a", 0, 0, "x")]
    assert edited(b"-", twice) == b"xy-"
    with pytest.raises(ValueError, match="overlap"):
        edited(b"abc", [Edit("a", 0, 2, ""), Edit("a", 1, 3, "")])


def test_lines_of_the_changed_script_lead_back() -> None:
    before = b"a\nb\nc\n"
    edits = [Edit("a", 2, 2, "x\ny\n"), Edit("a", 4, 4, "(")]
    assert edited(before, edits) == b"a\nx\ny\nb\n(c\n"
    assert [original_line(before, edits, line) for line in (1, 2, 3, 4, 5)] == [1, 2, 2, 2, 3]


@pytest.mark.parametrize("tool", [("git", "apply"), ("patch", "-s", "-p1", "-i")])
def test_the_patch_applies_with_git_and_with_patch(tool: tuple[str, ...], tmp_path: Path) -> None:
    text = "import keras\r\n\r\nx = os.listdir(p)  # é\r\ny = f(\r\n  1)"
    user = sources(text, "a file.py")
    remedies = candidates(cause("random numbers", "random.random", 1), user, 1)[:1]
    listing = replace(cause(), call=LedgerCall("listing order", "os.listdir", "a file.py", 3))
    remedies += candidates(listing, user, 1)[:1]
    (tmp_path / "a file.py").write_bytes(text.encode())
    (tmp_path / "fix.patch").write_bytes(diff_of(remedies, user).encode())
    subprocess.run(
        [*tool, "fix.patch", *(["--binary"] if tool[0] == "patch" else [])],
        cwd=tmp_path, check=True, timeout=60,
    )  # fmt: skip
    assert (tmp_path / "a file.py").read_bytes() == changed_files(remedies, user)["a file.py"]


def test_a_call_of_the_changed_script_is_named_at_its_own_line() -> None:
    user = sources("import keras\nx = 1\n")
    [remedy, *_] = candidates(cause("random numbers", "random.random", 1), user, 1)
    call = LedgerCall("clock", "time.time", "train.py", 3)
    assert before_change(call, [remedy], user).line == 2
    assert before_change(call, [], user) == call


# The search.

A, B, C = (Remedy(name, (Edit("train.py", n, n, name),)) for n, name in enumerate("abc"))


def at(agreed: int) -> StepDivergence:
    call = LedgerCall("clock", "time.time", "train.py", agreed + 1)
    return StepDivergence(agreed + 1, agreed, None, None, "m", "", "batch", (), agreed, call)


def searched(
    offered: dict[int, list[Remedy]], needed: set[Remedy], ran: list[Remedies] | None = None
) -> Remedies:
    """The search where a step is agreed upon for each remedy that is needed and made."""

    def attempt(remedies: Remedies) -> Attempt:
        if ran is not None:
            ran.append(remedies)
        found = len({*remedies} & needed)
        return Attempt(found == len(needed), False, at(found) if found < len(needed) else None)

    def offer(call: LedgerCall | None, _: int) -> list[Remedy]:
        return offered.get(call.line - 1 if call else 0, [])

    return search(at(0), offer, attempt).remedies


def test_the_first_remedy_that_brings_agreement_is_taken() -> None:
    ran: list[Remedies] = []
    assert searched({0: [A, B, C]}, {B}, ran) == (B,)
    assert ran == [(A,), (B,)]


def test_several_remedies_are_found_one_after_the_other() -> None:
    assert searched({0: [A, C], 1: [A, B]}, {A, B}) == (A, B)
    assert searched({0: [A]}, {A, B}) == ()


def test_what_helped_is_told_where_it_was_not_enough() -> None:
    found = search(
        at(0),
        lambda call, _: [A] if call == at(0).call else [],
        lambda _: Attempt(same=False, first=at(1)),
    )
    assert (found.remedies, found.helped, found.left) == ((), (A,), at(1))


def test_a_remedy_that_only_seemed_to_help_is_dropped() -> None:
    def attempt(remedies: Remedies) -> Attempt:
        return Attempt(B in remedies, False, None if B in remedies else at(1))

    found = search(at(0), lambda call, _: [A] if call and call.line == 1 else [B], attempt)
    assert found.remedies == (B,)


def test_a_remedy_after_which_only_what_follows_the_training_differs_is_kept() -> None:
    found = search(
        at(0),
        lambda call, _: [A] if call else [B],
        lambda remedies: Attempt(same=remedies == (A, B)),
    )
    assert found.remedies == (A, B)


def test_a_changed_script_that_fails_is_no_remedy() -> None:
    found = search(at(0), lambda *_: [A, B], lambda r: Attempt(A not in r, failed=A in r))
    assert found.remedies == (B,)


def test_what_a_remedy_spoils_is_mended_too_or_else_said() -> None:
    def attempt(remedies: Remedies) -> Attempt:
        return Attempt(same=True, spoiled=(error,) if remedies == (A,) else ())

    def offer(call: LedgerCall | None, _: int) -> list[Remedy]:
        return [C] if call == error else [A, B]

    error = LedgerCall("frozen noise", "", "train.py", 7)
    assert search(at(0), lambda *_: [A, B], attempt).remedies == (A, B)
    assert search(at(0), offer, attempt).remedies == (A, C)
    alone = search(at(0), lambda *_: [A], attempt)
    assert (alone.remedies, alone.spoiled) == ((A,), (error,))


@pytest.mark.parametrize("stops", [0, 1])
def test_the_search_ends_when_no_time_is_left(stops: int) -> None:
    ran: list[Remedies] = []

    def attempt(remedies: Remedies) -> Attempt | None:
        ran.append(remedies)
        return None if len(ran) > stops else Attempt(same=False, first=at(0))

    found = search(at(0), lambda *_: [A, B], attempt)
    assert (found.remedies, found.complete, found.tried) == ((), False, stops)


def test_a_remedy_is_not_tried_again_with_another_seed() -> None:
    tried: list[Remedies] = []

    def attempt(remedies: Remedies) -> Attempt:
        tried.append(remedies)
        return Attempt(same=False, first=at(len(remedies)))

    search(
        at(0), lambda _, seed: [Remedy("seeds", variables=(("S", str(seed)),), seeds=1)], attempt
    )
    assert [len(remedies) for remedies in tried] == [1]


def test_the_search_tries_no_more_than_it_says() -> None:
    ran: list[Remedies] = []
    many = [Remedy(str(n), (Edit("a", n, n, str(n)),)) for n in range(2 * MOST)]
    searched({0: many}, {A}, ran)
    assert len(ran) == MOST
    assert search(at(0), lambda *_: many, lambda _: Attempt(False, first=at(0))).complete


@given(st.integers(1, 10), st.integers(0, 10))
def test_a_patch_must_pass_as_often_as_would_have_shown_the_difference(
    differing: int, agreeing: int
) -> None:
    needed = runs_needed(differing, differing + agreeing)
    rate = differing / (differing + agreeing)
    assert needed >= 2
    assert (1 - rate) ** needed <= 0.05 + 1e-9
    assert needed == 2 or (1 - rate) ** (needed - 1) > 0.05


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        (TriedPatch((A,), "--- a", {}, 2, 2), "A patch was tried out: it a. Run as it is"),
        (TriedPatch((A,), "--- a", {}, 2, 5), "not confirmed: 3 more runs would be needed"),
        (TriedPatch((A,), "", {"PYTHONHASHSEED": "0"}, 2, 2), "Setting PYTHONHASHSEED=0 before"),
        (TriedPatch((A,), "--- a", {"B": "0"}, 2, 2), "A patch, with B=0 set before the start,"),
        (TriedPatch((A,), "--- a", {}, 2, 2, spoiled=("frozen noise",)), "brings a silent error"),
        (TriedPatch((), tried=3), "No change that was tried makes them agree (3 sets)"),
        (TriedPatch((), complete=False), "No time was left to find a patch"),
        (TriedPatch((), left=at(0).call), "By hand: train.py, line 1: Take nothing from the clock"),
        (
            TriedPatch((), left=at(0).call, helped=(A, B)),
            "By hand: a change that a and b; then train.py, line 1: Take nothing from the clock",
        ),
    ],
)  # fmt: skip
def test_the_answer_says_what_became_of_the_changes(patch: TriedPatch, words: str) -> None:
    assert words in told_of_patch(patch)
