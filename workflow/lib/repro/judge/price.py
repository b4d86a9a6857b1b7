"""Price: what a training costs by its parts, out of measurements, and in words.

Synopsis:
    value = {**prices({"plain": [spent, …], …}, {"trace": "why not"}), …}     # as in cost.json
    lines = section(verdict)
    value, warnings = known(path, steps)

A price is a ratio of two medians: of a variant, and of the one before it, which does all but one
thing of what it does. Its range is that of the rounds' own ratios.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from repro.core.canonical import parsed
from repro.core.errors import UserError
from repro.core.schema import checked
from repro.judge.sentence import counted, listed
from repro.judge.tables import table, text
from repro.model.cost import VARIANTS
from repro.record import manifest

if TYPE_CHECKING:
    from repro.judge.evidence import Step

ALL = "all"
MEASURES = {"wall_s": "Time", "processor_s": "Processor time", "peak_bytes": "Peak memory"}
_BUSY = 1.0
_WORDS = {
    "plain": "plain `fit`, as one would write it",
    "threads": "the recipe's numbers of threads",
    "loop": "this project's loop",
    "determinism": "determinism",
    "trace": "the trace",
    ALL: "all of it, beside plain `fit`",
}
_ODD = "not measurable here"

Measured = Mapping[str, Any]
"""One process, as `repro.model.cost.Spent` has it."""


@dataclass(frozen=True)
class Figure:
    """The middle one of the rounds, or a ratio of two such, and the range of the rounds."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Figure:
        """Of one variant.

        Example:
            >>> Figure.of([3.0, 1.0, 2.0])
            Figure(median=2.0, least=1.0, most=3.0)
        """
        return cls(median(values), min(values), max(values))

    @classmethod
    def ratio(cls, mine: Sequence[float], base: Sequence[float]) -> Figure:
        """Of two variants, round by round; the ratio of medians never leaves the range.

        Example:
            >>> Figure.ratio([2.0, 6.0], [1.0, 4.0])
            Figure(median=1.6, least=1.5, most=2.0)
        """
        own = [a / b for a, b in zip(mine, base, strict=True)]
        return cls(median(mine) / median(base), min(own), max(own))

    def shows(self) -> bool:
        """Whether a ratio is further from 1 than the rounds are from one another."""
        return abs(self.median - 1) > self.most - self.least


def prices(
    rounds: Mapping[str, Sequence[Measured]], unknown: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """What each variant took, and what each part costs.

    Args:
        rounds: of each variant that ran, what its process took in each round.
        unknown: of the others, why there is nothing.

    Returns:
        `variants` and `prices`, plain JSON values as the schema `cost` has them.
    """
    names = list(VARIANTS)
    pairs = {
        **dict(zip(names[1:], zip(names[1:], names, strict=False), strict=True)),
        ALL: (names[-1], names[0]),
    }

    def values(name: str, measure: str) -> list[float]:
        return [one[measure] for one in rounds[name]]

    def price(mine: str, base: str) -> dict[str, Any] | None:
        if mine in unknown or base in unknown:
            return None
        ratios = {m: Figure.ratio(values(mine, m), values(base, m)) for m in MEASURES}
        return {measure: asdict(ratio) for measure, ratio in ratios.items()}

    def variant(name: str) -> dict[str, Any]:
        if name in unknown:
            return {"unknown": unknown[name]}
        figures = {m: asdict(Figure.of(values(name, m))) for m in MEASURES}
        first, epochs = rounds[name][0], [one["epochs"] for one in rounds[name]]
        return {**figures, "epochs": epochs, "steps": first["steps"], "loop": first["loop"]}

    return {
        "variants": {name: variant(name) for name in names},
        "prices": {name: price(*pair) for name, pair in pairs.items()},
    }


def _told(figure: Mapping[str, float], rounds: int) -> str:
    """A ratio, its range, and whether it says anything."""
    ratio = Figure(**figure)
    middle, least, most = (f"{value:.2f}" for value in (ratio.median, ratio.least, ratio.most))
    if rounds == 1:
        return f"{middle} (once)"
    told = f"{middle} ({least} to {most})"
    # Where nothing differs, nothing is hidden.
    return told if ratio.shows() or least == most else f"{told}, {_ODD}"


def _milliseconds(variant: Mapping[str, Any]) -> str:
    if "unknown" in variant:
        return "unknown"
    step = 1000 * variant["wall_s"]["median"]
    return f"{step:.3g}" if step < 100 else f"{step:,.0f}"


def _rows(value: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    rounds = value["rounds"]
    for name in (*VARIANTS, ALL):
        own, price = value["variants"].get(name), value["prices"].get(name)
        step = "–" if own is None else _milliseconds(own)
        told = [_told(price[m], rounds) if price else "–" for m in MEASURES]
        yield (_WORDS[name], step, *(["1"] * 3 if name == next(iter(VARIANTS)) else told))


def page(value: Mapping[str, Any]) -> Iterator[str]:
    """The measurement in Markdown, line by line: how it was made, and a table.

    Args:
        value: what cost.json holds.

    Yields:
        Lines, the last of them empty.
    """
    yield (
        f"Measured by `./run cost {value['experiment']}` on {text(value['machine'])}, beside a "
        f"load of {value['load']:.1f}: this training, from the end of its first epoch on, for "
        f"{value['seconds']:g} s or as long as it lasts, validation and callbacks included; "
        f"`trace: {value['trace']}`. Each row does what the row above does, and what its name "
        "says. × is the ratio of the medians to the row above, in brackets the least and the most "
        f"of the rounds' own ratios; {counted(value['rounds'], 'round')}, in each of which each "
        "row ran once, in a process of its own. Memory is main memory, TensorFlow's own "
        "included.\n"
    )
    measures = [f"× {words.lower()}" for words in MEASURES.values()]
    yield table(("added, one by one", "a step, ms", *measures), _rows(value))
    for name, own in value["variants"].items():
        if "unknown" in own:
            yield f"- {_WORDS[name]}: unknown. {text(own['unknown'])}\n"
    if value["rounds"] == 1:
        yield "One round does not tell how far a second one would be from it.\n"
    elif any(_ODD in row for rows in _rows(value) for row in rows):
        yield f"{_ODD.capitalize()}: the rounds are further apart than the ratio is from 1.\n"
    if value["load"] >= _BUSY:
        yield "Other work ran beside it: the same says more on an idle machine.\n"


def section(verdict: Mapping[str, Any]) -> Iterator[str]:
    """What the page of a verdict says of the price; nothing where none was measured."""
    if value := verdict.get("cost"):
        yield "## What it costs\n"
        yield from page(value)


def summary(value: Mapping[str, Any]) -> str:
    """What determinism, the trace and all of it cost, in a few sentences.

    Args:
        value: what cost.json holds.
    """
    found, rounds = value["prices"], value["rounds"]

    def told(name: str, measure: str) -> str:
        price = found[name]
        return f"{_WORDS[name]} {_told(price[measure], rounds) if price else 'unknown'}"

    every = [
        f"{words}: {'; '.join(told(name, measure) for name in ('determinism', 'trace', ALL))}."
        for measure, words in MEASURES.items()
    ]
    return (
        f"{value['experiment']}: what is taken with each, as a multiple of what is taken without. "
        f"{' '.join(every)} Medians of {counted(rounds, 'round')}, least to most."
    )


def known(path: Path | None, steps: Sequence[Step]) -> tuple[dict[str, Any] | None, list[str]]:
    """What was measured of the training that a verdict speaks of, and what to bear in mind.

    Args:
        path: cost.manifest.json, or None where nothing was measured.
        steps: those that the verdict rests on.

    Returns:
        What cost.json holds, or None: then a sentence says why what lies there is left out.
    """
    if path is None:
        return None, []
    try:
        then = manifest.check_subjects(path)
        value = checked(parsed((path.parent / "cost.json").read_bytes()), "cost", "cost.json")
    except (UserError, OSError, ValueError) as error:
        return None, [f"What was measured of the price is left out. {error}"]
    train = next(step for step in steps if (step.name, step.run) == ("train", "original"))
    if odd := _other(then, {"predicate": train.predicate}):
        return None, [
            f"What was measured of the price is left out: it is of another {listed(odd)}. Measure "
            f"it again, by `./run cost {value['experiment']}`."
        ]
    return value, []


def _other(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What was not the same when the price was measured as when the original was trained."""
    words = {
        "code": "program", "experiment": "experiment's code", "data": "data",
        "conda-lock.yml": "lock",
    }  # fmt: skip
    used = [manifest.inputs(value) for value in (then, now)]
    odd = [words[name] for name in words if len({each.get(name) for each in used}) > 1]
    parts = [v["predicate"]["buildDefinition"]["externalParameters"] for v in (then, now)]
    asked = [part["parameters"] for part in parts]
    keys = ("settings", "training")
    return odd + [f"`{key}`" for key in keys if asked[0].get(key) != asked[1].get(key)]
