"""Steps that are left out for their cost: two runs at two paces are compared all the same."""

from pathlib import Path
from typing import Any

import pytest
from repro.check.watched_steps import StepFindings, told
from repro.divergence.first_divergence import StepComparison, compared_steps
from repro.divergence.recorded import read
from repro.events.pace import ALWAYS, SHARE
from repro.events.steps import Watch
from repro.events.stream import Stream

STEPS = 99


class Clock:
    """Goes on whenever it is read: so long takes what is done between two looks at it."""

    def __init__(self, seconds: float) -> None:
        self.now, self._seconds = 0.0, seconds

    def __call__(self) -> float:
        self.now += self._seconds
        return self.now


def trained(folder: Path, share: float, other_at: int | None = None) -> Path:
    """Events of a loop in which digests take that share of a step; one step may differ."""
    import tensorflow as tf

    def nothing() -> None: ...

    folder.mkdir()
    clock = Clock(share)
    watch = Watch(Stream(str(folder)), None, pytest.fail, nothing, clock)
    weight: Any = tf.Variable([0.0, 1.0], name="weight")
    watch.variables.made(weight)
    watch.starting()
    for step in range(1, STEPS + 1):
        clock.now += 1.0
        weight.assign_add([2.0 if step == other_at else 1.0, 0.0])
        watch.called_eagerly("loop", [weight])
    return folder


def looked_at(folder: Path) -> list[int]:
    (process,) = read(folder)
    return [each.step for each in process.moments if each.step and each.variables is not None]


def sentence(compared: StepComparison, *, same: bool) -> str:
    return told(StepFindings(None, compared, outputs_differ=not same), same=same)


def test_cheap_digests_are_taken_at_every_step(tmp_path: Path) -> None:
    folder = trained(tmp_path / "cheap", SHARE / 4)
    assert looked_at(folder) == list(range(1, STEPS + 1))
    compared = compared_steps(folder, folder)
    assert (
        sentence(compared, same=True)
        == f"Step by step: {STEPS} training steps agreed, bit for bit."
    )


def test_runs_at_two_paces_agree_where_both_looked(tmp_path: Path) -> None:
    dense, thin = trained(tmp_path / "dense", SHARE / 4), trained(tmp_path / "thin", 0.2)
    seen = looked_at(thin)
    assert seen[:ALWAYS] == list(range(1, ALWAYS + 1))
    assert len(seen) < STEPS
    compared = compared_steps(dense, thin)
    assert compared.divergence is None
    assert (compared.agreed, compared.undecided) == (seen[-1], STEPS - seen[-1])
    assert compared.agreed - compared.left_out == len(seen)
    assert f"(looked at: {len(seen)} of them, to take little time)" in sentence(compared, same=True)


def test_a_divergence_between_two_looks_is_said_to_be_there(tmp_path: Path) -> None:
    thin = trained(tmp_path / "thin", 0.2)
    seen = looked_at(thin)
    before, after = seen[-3:-1]
    assert after - before > 1
    other = trained(tmp_path / "other", 0.2, other_at=before + 1)
    compared = compared_steps(thin, other)
    assert compared.divergence is not None
    assert (compared.divergence.after, compared.divergence.step) == (before, after)
    assert compared.agreed == before
    between = "or" if after - before == 2 else "to"
    expected = f"The runs first diverge at step {before + 1} {between} {after} of loop"
    assert sentence(compared, same=False).startswith(expected)


def test_what_happens_after_the_last_look_is_not_called_the_same(tmp_path: Path) -> None:
    thin = trained(tmp_path / "thin", 0.2)
    last = looked_at(thin)[-1]
    assert last < STEPS
    other = trained(tmp_path / "other", 0.2, other_at=last + 1)
    compared = compared_steps(thin, other)
    assert compared.divergence is None
    said = sentence(compared, same=False)
    assert "so it arises outside of them or in the last" in said
    assert f"{compared.undecided} step" in said
