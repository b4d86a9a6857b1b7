"""Setups: runs on two machines are told apart, and named, by what may change bits."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from repro.drift import nodes
from repro.drift.setups import setups
from repro.record.step import Step
from samples import step_of
from test_drift import FACTS, KINDS

Change = Callable[[dict[str, Any]], None]


def step(name: str, run: str, *changes: Change, code: str = "c") -> Step:
    facts = copy.deepcopy(FACTS)
    for change in changes:
        change(facts)
    packages = [{"uri": u, "digest": {"sha256": d}} for u, d in facts.pop("locked").items()]
    programs = [{"name": "code", "digest": {"sha256": code}}]
    used = [*programs, *packages]
    return step_of(name, run, 0, used=used, environment=facts, process={})


def test_one_setup_is_this_machine() -> None:
    found = setups([step(n, r) for n in ("prepare", "train") for r in ("original", "repeat")])
    assert (found.count, found.programs) == (1, 1)
    assert found.scope == (
        "this machine (AMD EPYC (cpu family 25, model 17), 1 GPU(s), Linux 6.1.0-28), "
        "TensorFlow 2.21.0, channel locked"
    )


SAME = ["the kernel", "the time zone", "the hash seed", "the number of processors",
        "the processors that share a cache",
        "a package that was not loaded", "a host library that only this process loads",
        "a host library less", "a flag of the kernel"]  # fmt: skip


@pytest.mark.parametrize("kind", SAME)
def test_what_changes_no_bit_makes_no_other_setup(kind: str) -> None:
    found = setups([step("train", "original"), step("train", "repeat", KINDS[kind][0])])
    assert found.count == 1


OTHER = ["the stepping", "the microcode", "an instruction set", "the caches", "the driver",
         "the GPU", "libm", "a build of TensorFlow", "the threads",
         "measured arithmetic"]  # fmt: skip


@pytest.mark.parametrize("kind", OTHER)
@pytest.mark.parametrize("name", ["prepare", "train"])
def test_what_may_change_bits_is_another_setup_and_named(kind: str, name: str) -> None:
    change, what, _ = KINDS[kind]
    repeats = [step(n, "repeat", *([change] if n == name else [])) for n in ("prepare", "train")]
    found = setups([step("prepare", "original"), step("train", "original"), *repeats])
    assert found.count == 2
    assert found.scope.endswith(f"; what differs: {what}")
    assert "this machine" not in found.scope


def test_the_scope_names_both_machines() -> None:
    other = KINDS["the processor"][0], KINDS["Keras"][0], KINDS["the threads"][0]
    found = setups(
        [step("train", "original"), step("train", "repeat", *other), step("train", "repeat-2")]
    )
    assert found.scope == (
        "original and repeat-2 on a machine (AMD EPYC (cpu family 25, model 17), 1 GPU(s), Linux "
        "6.1.0-28), TensorFlow 2.21.0, channel locked; repeat on a machine (Intel(R) Xeon(R), "
        "1 GPU(s), Linux 6.1.0-28), TensorFlow 2.21.0, channel locked; what differs: package "
        "keras (version), processor: model, threads (intra)"
    )


def test_another_program_is_told_apart() -> None:
    found = setups([step("train", "original"), step("train", "repeat", code="d")])
    assert (found.count, found.programs) == (1, 2)
    assert "the program or the experiment's code" in found.scope


def on(name: str, run: str, node: str | None) -> Step:
    return step_of(name, run, 0, process={"node": node} if node else {})


@pytest.mark.parametrize(
    ("original", "repeat", "found"),
    [("one", "two", nodes.OTHER), ("one", "one", nodes.SAME), (None, None, nodes.UNKNOWN),
     ("one", None, nodes.UNKNOWN)],
)  # fmt: skip
def test_whether_a_repeat_had_another_node(
    original: str | None, repeat: str | None, found: str
) -> None:
    same = [on("prepare", "original", "three"), on("prepare", "repeat", "four")]
    steps = [*same, on("train", "original", original), on("train", "repeat", repeat)]
    assert nodes.elsewhere(steps) == found
    assert nodes.where(steps[2:]) == ("this cluster" if original else "this machine")
