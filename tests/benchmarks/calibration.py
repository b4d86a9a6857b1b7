"""Calibration: how often the judge of metrics is wrong, and how often it decides.

Synopsis:
    python tests/benchmarks/calibration.py [--repetitions 3000] [--runs 2 3 5 10 20]
    python tests/benchmarks/calibration.py --beyond          # where nothing is promised

Simulates experiments whose true shift is known, prints a table in Markdown, then one line of JSON
with every case; progress goes to standard error. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "workflow" / "lib")]

from repro.stats import shift_tests  # noqa: E402
from repro.stats.interim_analysis import LEAST, looks  # noqa: E402
from repro.stats.margins import ALPHA, Judged, Margin, judged  # noqa: E402
from repro.stats.seed_variance import std  # noqa: E402
from shapes import BEYOND, SHAPES, Array  # noqa: E402

COLUMNS = (
    "route", "margin", "runs", "wrong `met`, %", "worst shape", "wrong `not met`, %",
    "worst shape", "`met`, nothing shifted, %", "`not met`, shifted by twice the margin, %",
)  # fmt: skip
FAMILY = 3
SAME = 0.8
"""In half of the cases so many of the repeat's runs give what the original's gave."""


@dataclass(frozen=True)
class Route:
    """A way to ask: its name, and the margin, in deviations."""

    name: str
    margin: Margin
    answer: Callable[[Array, Array, Margin], tuple[Array, Array]]
    metrics: int = 1


@dataclass(frozen=True)
class Case:
    """One shape and number of runs: shares of the experiments, as counts."""

    route: str
    margin: float
    of_spread: bool
    runs: int
    shape: str
    repetitions: int
    wrong_met: int
    wrong_not_met: int
    met: int
    not_met: int


def _decided(found: Judged, alpha: float) -> tuple[Array, Array]:
    """Whether all metrics are within, and whether some metric is beyond, [experiments]."""
    return (found.within <= alpha).all(axis=0), (found.beyond <= alpha).any(axis=0)


def _judge(alpha: float = ALPHA) -> Callable[[Array, Array, Margin], tuple[Array, Array]]:
    def answer(original: Array, repeat: Array, margin: Margin) -> tuple[Array, Array]:
        n, metrics = original.shape[-1], len(original)
        shift = shift_tests.pairs(original, repeat)
        found = judged(shift, margin, std(original), n, alpha, metrics)
        return _decided(found, alpha)

    return answer


def _sequential(original: Array, repeat: Array, margin: Margin) -> tuple[Array, Array]:
    """The answers where seeds are added look by look until one decides."""
    met = not_met = np.zeros(original.shape[1], bool)
    for look in looks(original.shape[-1]):
        seen = original[..., : look.runs], repeat[..., : look.runs]
        now = _judge(look.alpha)(*seen, margin)
        going = ~(met | not_met)
        met, not_met = met | (going & now[0]), not_met | (going & now[1])
    return met, not_met


ROUTES = (
    *(Route("pairs", Margin(size), _judge()) for size in (0.5, 2.0)),
    *(Route("pairs", Margin(size, of_spread=True), _judge()) for size in (1.0, 3.0)),
    Route(f"{FAMILY} metrics, pairs", Margin(2.0), _judge(), metrics=FAMILY),
    Route("seeds added, pairs", Margin(1.0), _sequential),
    Route("seeds added, pairs", Margin(2.0, of_spread=True), _sequential),
)


def _drawn(
    route: Route,
    shape: str,
    runs: int,
    same: float,
    scatter: float,
    rng: np.random.Generator,
    repetitions: int,
) -> tuple[Array, Array]:
    """Originals and repeats of nothing shifted, [metrics, experiments, runs]."""
    size = (route.metrics, repetitions)
    draw = {**SHAPES, **BEYOND}[shape]
    original = draw(rng, (*size, runs))
    repeat = scatter * draw(rng, (*size, runs))
    # What parts one metric of a seed's repeat parts them all.
    return original, np.where(rng.random((1, *repeat.shape[1:])) < same, original, repeat)


def case(route: Route, shape: str, runs: int, given: argparse.Namespace) -> Case:
    """Simulates one shape: the worse of a shift up and down, and of what the repeats share."""
    rng = np.random.default_rng(given.seed)
    wrong_met, wrong_not_met, met, not_met = [], [], [], []
    for same in (0.0, SAME):
        drawn = _drawn(route, shape, runs, same, given.scatter, rng, given.repetitions)
        original, repeat = drawn
        for shift in (route.margin.size, -route.margin.size):
            # One metric at its margin is enough for a wrong `met`; `not met` may err in each.
            first = np.zeros((route.metrics, 1, 1))
            first[0] = shift
            one = route.answer(original, repeat + first, route.margin)
            each = one if route.metrics == 1 else route.answer(
                original, repeat + shift, route.margin
            )  # fmt: skip
            wrong_met.append(one[0].sum())
            wrong_not_met.append(each[1].sum())
        if not same:
            met.append(route.answer(original, repeat, route.margin)[0].sum())
            twice = repeat + 2 * route.margin.size
            not_met.append(route.answer(original, twice, route.margin)[1].sum())
    return Case(
        route.name, route.margin.size, route.margin.of_spread, runs, shape, given.repetitions,
        int(max(wrong_met)), int(max(wrong_not_met)), int(met[0]), int(not_met[0]),
    )  # fmt: skip


def _share(count: int, repetitions: int) -> str:
    from scipy.stats import binomtest

    limits = binomtest(count, repetitions).proportion_ci(method="wilson")
    share = 100 * count / repetitions
    return f"{share:.1f} [{100 * limits.low:.1f}, {100 * limits.high:.1f}]"


def row(route: Route, cases: Sequence[Case]) -> tuple[str, ...]:
    """One row of the table: the worst of all shapes, and the power for normal values and least."""
    errors: list[str] = []
    for name in ("wrong_met", "wrong_not_met"):
        worst = max(cases, key=lambda case, name=name: getattr(case, name))
        count = getattr(worst, name)
        errors += [_share(count, worst.repetitions), worst.shape if count else "–"]
    power = [
        f"{100 * getattr(cases[0], name) / cases[0].repetitions:.0f}, at least "
        f"{100 * min(getattr(case, name) for case in cases) / cases[0].repetitions:.0f}"
        for name in ("met", "not_met")
    ]
    unit = "of the spread" if route.margin.of_spread else "absolute"
    return route.name, f"{route.margin.size:g}, {unit}", str(cases[0].runs), *errors, *power


def _cases(given: argparse.Namespace) -> Iterator[tuple[Route, list[Case]]]:
    shapes = BEYOND if given.beyond else SHAPES
    for route in ROUTES:
        least = LEAST if route.answer is _sequential else 2
        for runs in (n for n in given.runs if n >= least):
            yield route, [case(route, shape, runs, given) for shape in shapes]


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulates and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--repetitions", type=int, default=3000, help="of each case (3000)")
    parser.add_argument("--runs", type=int, nargs="+", default=[2, 3, 5, 10, 20])
    parser.add_argument("--seed", type=int, default=0, help="of the simulation (0)")
    parser.add_argument("--beyond", action="store_true", help="shapes beyond what is promised")
    parser.add_argument(
        "--scatter", type=float, default=1.0, help="the repeats' deviation, times the originals'"
    )
    given = parser.parse_args(arguments)
    print("| " + " | ".join(COLUMNS) + " |")
    print("|---|---|---:|---:|---|---:|---|---:|---:|")
    found: list[Case] = []
    for route, cases in _cases(given):
        found += cases
        print("| " + " | ".join(row(route, cases)) + " |", flush=True)
        print(route.name, cases[0].runs, file=sys.stderr, flush=True)
    print(json.dumps([asdict(case) for case in found]))


if __name__ == "__main__":
    main()
