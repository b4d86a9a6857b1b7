"""Repeat: what the check of a training costs, in processor time, beside the training itself.

Synopsis:
    python tests/benchmarks/repeat.py [--models CNN "larger CNN"] [--epochs N]

Runs `snakemake verify` once for each model, in a folder of its own, and prints a table in
Markdown, then one line of JSON; progress goes to standard error. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "bootstrap")]

import project  # noqa: E402
import tools  # noqa: E402
from environments import places  # noqa: E402
from models import MODELS  # noqa: E402
from repro.core.digest import sha256_file  # noqa: E402

COLUMNS = (
    "model", "training, s", "beyond it, s", "the repeat's training, s", "the rest, s", "ratio"
)  # fmt: skip
# The larger CNN trains for three minutes and more, for which the goal is claimed; the others less.
EPOCHS = {"MLP": 1500, "CNN": 300, "larger CNN": 150, "wide MLP": 80}
MINUTE = 60

# Every job is a shell's. As the shell ends, it writes down what it ran, and the processor time of
# all that it waited for, which the system counts.
ACCOUNT = """\
_account=$REPRO_ACCOUNTS/$$
trap '{ printf "%s\\n" "$BASH_EXECUTION_STRING"; times; } > "$_account"' EXIT
"""
_TIME = re.compile(r"(\d+)m([\d.]+)s (\d+)m([\d.]+)s")
_STEP = re.compile(
    r"code\.pyz launch --run (?P<run>\S+) .* -- (?P<step>\w+)|judge\.pyz (?P<judge>\w+)"
)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--models", nargs="+", choices=MODELS, default=["CNN", "larger CNN"])
    parser.add_argument("--epochs", type=int, help="by default as many as the model's table says")
    parser.add_argument("--intra", type=int, default=2, help="threads within an operation (2)")
    return parser.parse_args(arguments)


def _write_project(folder: Path, given: argparse.Namespace, model: str) -> None:
    """A project with one experiment; its data is drawn by `dataset`, so the file is a mere word."""
    (folder / "config").mkdir()
    data = folder / "none.txt"
    data.write_text("random\n")
    training = {
        "epochs": given.epochs or EPOCHS[model],
        "batch_size": MODELS[model].batch_size,
        "threads": {"intra": given.intra, "inter": 1},
    }
    entry = {
        "code": str(HERE / "models.py"),
        "data": {"path": str(data), "sha256": sha256_file(data)},
        "settings": {"model": model},
        "training": training,
    }
    # JSON is YAML.
    config = json.dumps({"experiments": {"timed": entry}})
    (folder / "config" / "config.yaml").write_text(config)


def _run(folder: Path) -> None:
    (folder / "account").write_text(ACCOUNT)
    (folder / "accounts").mkdir()
    command = ["snakemake", "--snakefile", str(project.ROOT / "Snakefile"), "verify"]
    command += ["--cores", "1", "--conda-prefix", str(places.folder())]
    environment = {
        **tools.environment(),
        "BASH_ENV": str(folder / "account"),
        "REPRO_ACCOUNTS": str(folder / "accounts"),
    }
    done = subprocess.run(
        command, cwd=folder, env=environment, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(
            f"{done.stdout}\nExpected `snakemake verify` to go through. Received exit status "
            f"{done.returncode}. Read the lines above."
        )


def accounts(folder: Path) -> Iterator[tuple[str, str, float]]:
    """Run, step and processor seconds of each job."""
    for file in folder.iterdir():
        *command, own, children = file.read_text().splitlines()
        if not (found := _STEP.search("\n".join(command))):
            continue
        spent = 0.0
        for line in (own, children):
            match = _TIME.fullmatch(line)
            assert match is not None
            minutes, seconds, system_minutes, system_seconds = map(float, match.groups())
            spent += 60 * (minutes + system_minutes) + seconds + system_seconds
        yield found["run"] or "judge", found["step"] or found["judge"], spent


def measured(given: argparse.Namespace, model: str) -> Mapping[str, Any]:
    """One run of the workflow: processor seconds of each step of each run."""
    with tempfile.TemporaryDirectory(prefix="repeat ") as name:
        folder = Path(name)
        _write_project(folder, given, model)
        _run(folder)
        jobs = sorted(accounts(folder / "accounts"))
    return {"model": model, "load": os.getloadavg()[0], "jobs": jobs}


def beyond(jobs: Sequence[tuple[str, str, float]]) -> float:
    """Seconds of what a run without a check would not have done."""
    original = {("original", step) for step in ("prepare", "train", "evaluate")}
    return sum(spent for run, step, spent in jobs if (run, step) not in original)


def row(found: Mapping[str, Any]) -> tuple[str, ...]:
    """One row of the table."""
    jobs = found["jobs"]
    spent = {(run, step): seconds for run, step, seconds in jobs}
    training, more = spent["original", "train"], beyond(jobs)
    again = spent["repeat", "train"]
    ratio = f"{more / training:.2f}"
    if training < MINUTE:
        ratio += " (a training below a minute)"
    seconds = training, more, again, more - again
    return found["model"], *(f"{one:.1f}" for one in seconds), ratio


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and prints."""
    given = _arguments(arguments)
    found: list[Mapping[str, Any]] = []
    for model in given.models:
        found.append(measured(given, model))
        print(found[-1], file=sys.stderr, flush=True)
    print("| " + " | ".join(COLUMNS) + " |")
    print("|---|" + "---:|" * (len(COLUMNS) - 1))
    for one in found:
        print("| " + " | ".join(row(one)) + " |")
    print(json.dumps({**vars(given), "cpus": os.cpu_count(), "measurements": found}))


if __name__ == "__main__":
    main()
