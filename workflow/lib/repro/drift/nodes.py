"""Nodes: whether repeats ran on another node of a cluster than the original.

Synopsis:
    where(steps)                   # 'this cluster'
    elsewhere(steps)               # 'the repeat ran on another node than the original, as it asked'

The name of a node is in no sentence: it differs from run to run.
"""

from __future__ import annotations

from collections.abc import Sequence

from repro.record.step import Step

OTHER = "every step of a repeat ran on another node of the cluster than the original's, as asked"
SAME = "the repeat asked for another node; the cluster gave none, and it ran on the original's"
UNKNOWN = "the repeat asked for another node, and no manifest names one, as on a machine alone"


def where(steps: Sequence[Step]) -> str:
    """Where steps ran that ran in one setup."""
    return "this cluster" if any(_node(step) for step in steps) else "this machine"


def elsewhere(steps: Sequence[Step]) -> str:
    """Whether each step of a repeat had another node than its like, where that was asked for."""
    originals = {(step.name, step.seed): _node(step) for step in steps if step.run == "original"}
    pairs = [
        (_node(step), originals.get((step.name, step.seed)))
        for step in steps
        if step.run != "original"
    ]
    if not pairs or any(None in pair for pair in pairs):
        return UNKNOWN
    return SAME if any(mine == its for mine, its in pairs) else OTHER


def _node(step: Step) -> str | None:
    return step.process.get("node")
