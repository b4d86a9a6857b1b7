"""Trace: what looking at every step costs, as a share of the step.

Synopsis:
    python tests/benchmarks/trace_cost.py [--repetitions 5] [--epochs 43] [--models MLP CNN …]

Prints a table in Markdown, then one line of JSON with every measurement; progress goes
to standard error. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "workflow" / "lib")]

from models import MODELS, write_data  # noqa: E402
from speed import measured, record  # noqa: E402
from variants import NAIVE  # noqa: E402

COLUMNS = (
    "model", "time", "own step, ms", "trace, ms", "share of own step", "least to most",
    "fit's step, ms", "share of fit's",
)  # fmt: skip
CLOCKS = ("wall", "processor")


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--loop", choices=("auto", "graph", "fit"), default="auto")
    for name, default, meaning in (
        ("repetitions", 5, "rounds; each measures every model once"),
        ("epochs", 43, "the first two and the last are not timed; at least 4"),
        ("examples", 0, "images with random values; 0: as many as the model's table says"),
        ("intra", 2, "threads within an operation"),
        ("inter", 1, "threads between operations"),
    ):
        parser.add_argument(f"--{name}", type=int, default=default, help=f"{meaning} ({default})")
    given = parser.parse_args(arguments)
    for name, least in {"repetitions": 1, "epochs": 4, "examples": 0}.items():
        if (value := getattr(given, name)) < least:
            parser.error(f"Expected {name} of {least} or more. Received {value}. Give more.")
    return given


def _seconds(found: Mapping[str, Any], fit: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Seconds of a step by each clock: the untraced step, what the trace adds, `fit`'s step."""
    steps = {"wall": 1 / fit["steps_per_s"], "processor": fit["processor_s"]}
    seconds: dict[str, dict[str, float]] = {}
    for place, clock in enumerate(CLOCKS):
        traced, own = ([turn[place] for turn in found[trace]] for trace in ("step", "epoch"))
        # Neighbours in time are compared with one another.
        added = statistics.median(a - b for a, b in zip(traced, own, strict=True))
        seconds[clock] = {"own": statistics.median(own), "trace": added, "fit": steps[clock]}
    return seconds


def measurements(given: argparse.Namespace, data: Path) -> Iterator[dict[str, Any]]:
    """Measures every model once in each round, each time in fresh processes."""
    options = {"epochs": given.epochs, "intra": given.intra, "inter": given.inter}
    for number in range(given.repetitions):
        for model in given.models:
            own = measured("turns.py", model, data=data / model, loop=given.loop, **options)
            fit = measured("variants.py", model, NAIVE, data=data / model, **options)
            one = {"round": number, "model": model, **_seconds(own, fit)}
            print(one, file=sys.stderr, flush=True)
            yield one


def rows(found: Sequence[Mapping[str, Any]], models: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The table's rows: medians of the rounds, and of the rounds' own shares."""
    for model in models:
        for clock in CLOCKS:
            seconds = [one[clock] for one in found if one["model"] == model]
            own, trace, fit = (
                1000 * statistics.median(s[name] for s in seconds)
                for name in ("own", "trace", "fit")
            )
            shares = [100 * s["trace"] / s["own"] for s in seconds]
            of_fit = statistics.median(100 * s["trace"] / s["fit"] for s in seconds)
            yield (
                model,
                clock,
                f"{own:.3f}",
                f"{trace:.3f}",
                f"{statistics.median(shares):.1f} %",
                f"{min(shares):.1f} to {max(shares):.1f} %",
                f"{fit:.3f}",
                f"{of_fit:.1f} %",
            )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and prints."""
    given = _arguments(arguments)
    with tempfile.TemporaryDirectory() as folder:
        for name in given.models:
            write_data(Path(folder) / name, MODELS[name], given.examples or None)
        found = list(measurements(given, Path(folder)))
    print("| " + " | ".join(COLUMNS) + " |")
    print("|---|---|" + "---:|" * (len(COLUMNS) - 2))
    for row in rows(found, given.models):
        print("| " + " | ".join(row) + " |")
    print(record(given, found))


if __name__ == "__main__":
    main()
