"""Summary: how far two runs are apart; metrics first, then weights, then predictions.

Synopsis:
    summarised(comparisons).sentences
    # ("val_loss: 0.31 against 0.32, 3.1 % apart (standard output, line 12).", …)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch

from repro.content.kinds import ARRAYS, WEIGHTS
from repro.core.text import counted, shortened
from repro.formats.findings import ContentDifference, FileComparison

_MOST = 5


@dataclass(frozen=True)
class Summary:
    """How far two runs are apart; each difference comes with its file's name.

    `metrics`: of each name, the last value that differs; what was printed first. `weights`: the
    largest difference of each file of weights. `predictions`: of the arrays that look like class
    scores or labels. `others`: names of the files of which none of these tells the difference.
    `sentences`: the same, in words, the most telling first.
    """

    metrics: tuple[tuple[str, ContentDifference], ...] = ()
    weights: tuple[tuple[str, ContentDifference], ...] = ()
    predictions: tuple[tuple[str, ContentDifference], ...] = ()
    others: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()


def summarised(comparisons: Sequence[FileComparison]) -> Summary:
    """Says how far two runs are apart, from what the comparison of each of their files found."""
    differing = [each for each in comparisons if not each.same]
    metrics = _metrics(differing)
    weights = [
        (each.name, each.largest) for each in differing if each.role == WEIGHTS and each.largest
    ]
    predictions = [
        (each.name, difference)
        for each in differing
        if each.role == ARRAYS
        for difference in each.differences
        if difference.distance and difference.distance.classes is not None
    ]
    told = {name for name, _ in (*metrics, *weights, *predictions)}
    others = [each for each in differing if each.name not in told]
    sentences = [
        *_several([_metric(*each) for each in metrics], "metric"),
        *_several([_tensor(*each, differing) for each in _largest_first(weights)], "file"),
        *_several([_classes(*each) for each in predictions], "array"),
        *_several([_other(each) for each in others], "file"),
    ]
    return Summary(
        tuple(metrics), tuple(weights), tuple(predictions),
        tuple(each.name for each in others), tuple(sentences),
    )  # fmt: skip


def _metrics(differing: Sequence[FileComparison]) -> list[tuple[str, ContentDifference]]:
    """Of each metric one difference: what was printed goes before what was written to files."""
    printed = sorted(differing, key=lambda each: not fnmatch(each.name, "standard *"))
    found: dict[str, tuple[str, ContentDifference]] = {}
    for comparison in printed:
        for difference in comparison.metrics:
            found.setdefault(str(difference.metric), (comparison.name, difference))
    return list(found.values())


def _several(sentences: list[str], thing: str) -> list[str]:
    if len(sentences) <= _MOST:
        return sentences
    more = f"{counted(len(sentences) - _MOST + 1, f'more {thing}')} differ."
    return [*sentences[: _MOST - 1], more]


def _largest_first(
    weights: Sequence[tuple[str, ContentDifference]],
) -> list[tuple[str, ContentDifference]]:
    def relative(each: tuple[str, ContentDifference]) -> float:
        distance = each[1].distance
        return (distance and distance.relative) or 0.0

    return sorted(weights, key=relative, reverse=True)


def _metric(file: str, difference: ContentDifference) -> str:
    distance = difference.distance
    apart = f", {_share(distance.relative)} apart" if distance and distance.relative else ""
    place = difference.place.removesuffix(f", {difference.metric}")
    values = f"{difference.left} against {difference.right}{apart}"
    return f"{difference.metric}: {values} ({file}, {place})."


def _tensor(file: str, difference: ContentDifference, differing: Sequence[FileComparison]) -> str:
    count = next(each.count for each in differing if each.name == file)
    distance = difference.distance
    assert distance is not None
    at = f"[{', '.join(map(str, distance.index))}]" if distance.index else ""
    sizes = [
        f"{name} {value:.2g}"
        for name, value in (("absolute", distance.absolute), ("relative", distance.relative))
        if value is not None
    ]
    apart = f"; largest difference {', '.join(sizes)}" if sizes else ""
    verb = "differs" if count == 1 else "differ"
    return (
        f"{file}: {counted(count, 'variable')} {verb}{apart}: "
        f"{difference.left} against {difference.right} in {difference.place}{at}."
    )


def _classes(file: str, difference: ContentDifference) -> str:
    distance = difference.distance
    assert distance is not None
    of = f"of {counted(distance.examples or 0, 'prediction')}, {distance.classes} of another class"
    size = "" if distance.absolute is None else f"; largest difference {distance.absolute:.2g}"
    return f"{file}: {of} ({difference.place}{size})."


def _other(comparison: FileComparison) -> str:
    if not comparison.differences:
        return f"{comparison.name}: {comparison.how}."
    places = [each.place for each in comparison.differences if each.place]
    first = comparison.differences[0]
    more = f" at {shortened(places, 2)}" if places else ""
    values = f": {first.left} against {first.right}" if first.left or first.right else ""
    return f"{comparison.name}: differs{more}{values}."


def _share(relative: float) -> str:
    return f"{100 * relative:.2g} %" if relative >= 1e-4 else f"{relative:.1e} (relative)"
