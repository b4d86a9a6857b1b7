"""Speed: what determinism and a trace of every step cost, against `fit` as it is usually written.

Synopsis:
    python tests/benchmarks/speed.py [--repetitions 5] [--epochs 21] [--models MLP CNN]

Prints a table in Markdown, then one line of JSON with every measurement; progress goes
to standard error. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "workflow" / "lib")]

from models import MODELS, write_data  # noqa: E402
from variants import NAIVE, VARIANTS  # noqa: E402

COLUMNS = ("model", "variant", "steps/s", "least to most", "× naive", "peak MiB", "× naive")


@dataclass(frozen=True)
class Measurement:
    """One process: load of the machine as it began, steps per second, processor time of one."""

    round: int
    model: str
    variant: str
    load: float
    steps_per_s: float
    processor_s: float
    peak_bytes: int


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--models", nargs="+", choices=MODELS, default=["MLP", "CNN"])
    for name, default, meaning in (
        ("repetitions", 5, "rounds; each runs every variant once"),
        ("epochs", 21, "the first is not timed; at least 2"),
        ("examples", 5000, "images with random values"),
        ("intra", 2, "threads within an operation, for every variant"),
        ("inter", 1, "threads between operations, for every variant"),
    ):
        parser.add_argument(f"--{name}", type=int, default=default, help=f"{meaning} ({default})")
    given = parser.parse_args(arguments)
    for name, least in {"repetitions": 1, "epochs": 2, "examples": 1}.items():
        if (value := getattr(given, name)) < least:
            parser.error(f"Expected {name} of {least} or more. Received {value}. Give more.")
    return given


def measured(script: str, *arguments: str, **options: Any) -> Mapping[str, Any]:
    """Runs a script beside this one in a process of its own; returns the JSON that it prints."""
    command = [sys.executable, "-P", str(HERE / script), *arguments]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    folders = [str(HERE), str(HERE.parents[1] / "workflow" / "lib")]
    path = os.pathsep.join([*folders, *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONNOUSERSITE": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(
            f"{done.stderr}\nExpected {', '.join(arguments)} to run. Received exit status "
            f"{done.returncode}. Read the lines above."
        )
    return json.loads(done.stdout.splitlines()[-1])


def measurements(given: argparse.Namespace, data: Path) -> Iterator[Measurement]:
    """Runs every variant once in each round, in a fresh process; the first moves on by one."""
    names = list(VARIANTS)
    options = {name: getattr(given, name) for name in ("epochs", "intra", "inter")}
    for number in range(given.repetitions):
        for model in given.models:
            first = number % len(names)
            for variant in names[first:] + names[:first]:
                load = os.getloadavg()[0]
                found = measured("variants.py", model, variant, data=data / model, **options)
                one = Measurement(number, model, variant, load, **found)
                print(asdict(one), file=sys.stderr, flush=True)
                yield one


def _relative(mine: Sequence[float], base: Sequence[float]) -> float:
    return statistics.median(a / b for a, b in zip(mine, base, strict=True))


def rows(found: Sequence[Measurement], models: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The table's rows; a ratio is the median of the rounds' own ratios."""
    for model in models:

        def of(variant: str, field: str, model: str = model) -> list[float]:
            return [getattr(m, field) for m in found if (m.model, m.variant) == (model, variant)]

        for variant in VARIANTS:
            speeds, peaks = of(variant, "steps_per_s"), of(variant, "peak_bytes")
            yield (
                model,
                variant,
                f"{statistics.median(speeds):,.0f}",
                f"{min(speeds):,.0f} to {max(speeds):,.0f}",
                f"{_relative(speeds, of(NAIVE, 'steps_per_s')):.2f}",
                f"{statistics.median(peaks) / 2**20:,.0f}",
                f"{_relative(peaks, of(NAIVE, 'peak_bytes')):.2f}",
            )


def record(given: argparse.Namespace, found: Sequence[Mapping[str, Any]]) -> str:
    """One line of JSON: what was asked for, the versions, every measurement."""
    versions = {name: version(name) for name in ("tensorflow", "keras", "numpy")}
    versions |= {"python": platform.python_version(), "machine": platform.machine()}
    whole = {**vars(given), **versions, "cpus": os.cpu_count(), "measurements": list(found)}
    return json.dumps(whole, sort_keys=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and prints."""
    given = _arguments(arguments)
    with tempfile.TemporaryDirectory() as folder:
        for name in given.models:
            write_data(Path(folder) / name, MODELS[name], given.examples)
        found = list(measurements(given, Path(folder)))
    print("| " + " | ".join(COLUMNS) + " |")
    print("|---|---|" + "---:|" * (len(COLUMNS) - 2))
    for row in rows(found, given.models):
        print("| " + " | ".join(row) + " |")
    print(record(given, [asdict(m) for m in found]))


if __name__ == "__main__":
    main()
