"""What came of each experiment, in a line: verdict, first divergence, cause, metrics, page.

Synopsis:
    answers.show(["digits", "noise"], Path())

Read from the verdicts and the metrics that lie there; nothing is hashed but small manifests.
"""

import json
import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from repro.cause.causes import in_words
from repro.compare.divergence import Divergence, place
from repro.core import layout
from repro.core.digest import sha256_file
from repro.core.errors import UserError
from repro.core.text import capital, counted, listed
from repro.record.step import Step, read_step

RESULTS = Path("results")
PAGES = ("report.html", "verdict.md")
"""Of these, the first that is there is named."""


def show(names: Sequence[str], folder: Path) -> None:
    """Print a line for each experiment, once one of them has a verdict.

    Args:
        names: of the experiments.
        folder: this folder, as whoever called can follow it.
    """
    lines = {name: _line(name, folder) for name in names}
    if any(lines.values()):
        for name, line in lines.items():
            print(line or f"{name}: no verdict, since a job before it failed or was not run.")


def _line(name: str, folder: Path) -> str | None:
    """Nothing where there is no verdict, or that of earlier results."""
    experiment = RESULTS / name
    try:
        step = read_step(experiment / layout.STEPS["compare"].manifest)
        verdict: dict[str, Any] = json.loads((experiment / "verdict.json").read_bytes())
        if not _of_these_results(step, experiment):
            return None
        page = next(page for page in PAGES if (experiment / page).is_file())
        parts = (
            _found(verdict),
            _metrics(step, experiment),
            [f"See {folder / experiment / page}."],
        )
        return " ".join(part for some in parts for part in some)
    except (OSError, UserError, ValueError, KeyError, TypeError, StopIteration):
        return None  # `./run verify` says what is wrong with it


def _of_these_results(verdict: Step, experiment: Path) -> bool:
    """Whether each run that was compared is still the one that lies there."""
    runs = {name: sha256 for name, sha256 in verdict.digests.items() if _of_a_run(name)}
    files = {name: experiment / name for name in runs}
    return all(f.is_file() and sha256_file(f) == runs[name] for name, f in files.items())


def _of_a_run(name: str) -> bool:
    return "/" in name and name.endswith(layout.SUFFIX)


def _found(verdict: Mapping[str, Any]) -> Iterator[str]:
    name, answer, goal = verdict["experiment"], verdict["verdict"], verdict["goal"]
    yield f"{name}: {answer} ({goal})."
    if answer != "met" and (answer, goal) != ("not met", "bitwise"):
        yield capital(verdict["sentence"].removeprefix(f"{name}: "))
    elif answer != "met":
        yield from _first(verdict["per_seed"])
        yield from _cause(verdict["causes"])
    if verdict["mistakes"]:
        yield f"Likely wrong: {listed([each['mistake'] for each in verdict['mistakes']])}."


def _first(comparisons: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for entry in comparisons:
        if entry["divergence"]:
            where = place(Divergence.of(entry["divergence"]))
            yield f"First divergence (seed {entry['seed']}, {entry['run']}): {where}."
            return


def _cause(causes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for cause in causes[:1]:
        head = "Cause" if cause["tested"] else "Likely cause (not tested)"
        line = f", line {cause['line']}" if cause["line"] else ""
        at = f" ({cause['file']}{line})" if cause["file"] else ""
        yield f"{head}: {in_words(cause['cause'])}{at}."


def _metrics(verdict: Step, experiment: Path) -> Iterator[str]:
    """Those of the original; over several seeds mean and standard deviation."""
    manifest = layout.STEPS["evaluate"].manifest
    evaluated = [n for n in verdict.digests if n.startswith("original/") and n.endswith(manifest)]
    found: dict[str, list[float]] = {}
    for name in evaluated:
        text = (experiment / name).with_name("metrics.json").read_bytes()
        for metric, value in json.loads(text)["metrics"].items():
            found.setdefault(metric, []).append(float(value))
    if found:
        seeds = f" ({counted(len(evaluated), 'seed')})" if len(evaluated) > 1 else ""
        yield f"{capital(', '.join(_value(*pair) for pair in found.items()))}{seeds}."


def _value(metric: str, values: Sequence[float]) -> str:
    if len(values) == 1:
        return f"{metric} {values[0]:.4g}"
    if not all(map(math.isfinite, values)):
        return f"{metric} {listed([f'{value:.4g}' for value in values])}"
    return f"{metric} {statistics.fmean(values):.4g} ± {statistics.stdev(values):.2g}"
