"""Breakdown: what a training costs by its parts, out of measurements, and whose price it is.

Synopsis:
    value = {**prices({"plain": [spent, …], …}, {"trace": "why not"}), …}     # as in cost.json
    value, warnings = known(path, steps)

A price is a ratio of two medians: of a variant, and of the one before it, which does all but one
thing of what it does. Its range is that of the rounds' own ratios.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from repro.core import layout
from repro.core.canonical_json import Json, parsed
from repro.core.errors import UserError
from repro.core.schema import checked
from repro.core.text import listed
from repro.overhead.epoch_timer import Timing
from repro.overhead.timed_training import VARIANTS, WHOLE
from repro.record.step import Step, checked_step

ALL = "all"
MEASURES = {"wall_s": "Time", "processor_s": "Processor time", "peak_bytes": "Peak memory"}


@dataclass(frozen=True)
class Figure:
    """The middle one of the rounds, or a ratio of two such, and the range of the rounds."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Figure:
        """Of one variant."""
        return cls(median(values), min(values), max(values))

    @classmethod
    def ratio(cls, mine: Sequence[float], base: Sequence[float]) -> Figure:
        """Of two variants, round by round; the ratio of medians never leaves the range."""
        ratios = [a / b for a, b in zip(mine, base, strict=True)]
        return cls(median(mine) / median(base), min(ratios), max(ratios))

    def shows(self) -> bool:
        """Whether a ratio is further from 1 than the rounds are from one another."""
        return abs(self.median - 1) > self.most - self.least


def prices(
    rounds: Mapping[str, Sequence[Timing]], unknown: Mapping[str, str]
) -> dict[str, Mapping[str, object]]:
    """What each variant took in each round, and what each part costs; or why it is unknown.

    `variants` and `prices`, plain JSON values as the schema `cost` has them.
    """
    names = list(VARIANTS)
    pairs = {
        **dict(zip(names[1:], zip(names[1:], names, strict=False), strict=True)),
        ALL: (WHOLE, names[0]),
    }

    def values(name: str, measure: str) -> list[float]:
        return [getattr(timing, measure) for timing in rounds[name]]

    def price(mine: str, base: str) -> dict[str, object] | None:
        if mine in unknown or base in unknown:
            return None
        ratios = {m: Figure.ratio(values(mine, m), values(base, m)) for m in MEASURES}
        return {measure: asdict(ratio) for measure, ratio in ratios.items()}

    def variant(name: str) -> dict[str, object]:
        if name in unknown:
            return {"unknown": unknown[name]}
        figures = {m: asdict(Figure.of(values(name, m))) for m in MEASURES}
        first, epochs = rounds[name][0], [timing.epochs for timing in rounds[name]]
        return {**figures, "epochs": epochs, "steps": first.steps, "loop": first.loop}

    return {
        "variants": {name: variant(name) for name in names},
        "prices": {name: price(*pair) for name, pair in pairs.items()},
    }


def known(path: Path | None, steps: Sequence[Step]) -> tuple[Mapping[str, Json] | None, list[str]]:
    """What was measured of the training that a verdict speaks of, and what to bear in mind.

    What cost.json holds, or None: then a sentence says why what lies there is left out. The path is
    None where nothing was measured; on `steps` the verdict rests.
    """
    if path is None:
        return None, []
    try:
        then = checked_step(path)
        value = checked(parsed((path.parent / "cost.json").read_bytes()), "cost", "cost.json")
    except (UserError, OSError, ValueError) as error:
        return None, [f"What was measured of the price is left out. {error}"]
    train = next(step for step in steps if (step.name, step.run) == ("train", "original"))
    if odd := _other(then, train):
        return None, [
            f"What was measured of the price is left out: it is of another {listed(odd)}. Measure "
            f"it again, by `./run cost {value['experiment']}`."
        ]
    return value, []


def _other(then: Step, now: Step) -> list[str]:
    """What was not the same when the price was measured as when the original was trained."""
    words = {
        "code": "program", "experiment": "experiment's code", "data": "data",
        "conda-lock.yml": "lock",
    }  # fmt: skip
    used = [then.digests, now.digests]
    named = {**then.digests, **now.digests}
    weights = [n for n in named if layout.source_of(n, layout.PRETRAINED) is not None]
    words |= dict.fromkeys(weights, "pretrained weights")
    odd = [words[name] for name in words if len({digests.get(name) for digests in used}) > 1]
    asked = [then.parameters, now.parameters]
    keys = ("settings", "training", "environment_variables")
    odd += [f"`{key}`" for key in keys if asked[0].get(key) != asked[1].get(key)]
    return list(dict.fromkeys(odd))
