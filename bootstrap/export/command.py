"""What ./run export does: write trainings and verdicts into an MLflow store.

Synopsis:
    ./run export mlflow [NAME ...] [--to URI] [--python PYTHON] [--directory FOLDER]

MLflow is none of our tools: a store belongs to one version of it, which is the user's. So the
user's own Python writes it, and here stands only what is written.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import project
from repro.core.errors import CouldNotRun, UserError
from user_project import chosen

from export import facts

PROGRAM = project.BOOTSTRAP / "export" / "into_mlflow.py"
RESULTS = Path("results")
_HAS_IT = "import importlib.util, sys; sys.exit(importlib.util.find_spec('mlflow') is None)"


def main(argv: Sequence[str]) -> int:
    """Write what is not there yet into the store, and print how much that is.

    Raises:
        UserError: there is nothing to export, or no Python that has MLflow.
        CouldNotRun: MLflow could not write it.
    """
    parser = argparse.ArgumentParser(
        prog="./run export",
        parents=[chosen.options()],
        description="Write trainings and verdicts into an MLflow store: parameters, metrics, "
        "manifests. What is there already is not written again.",
    )
    parser.add_argument("store", choices=["mlflow"], help="the kind of store")
    parser.add_argument("names", nargs="*", metavar="NAME", help="experiments; all by default")
    parser.add_argument(
        "--to", metavar="URI", help="the store or server; by default what MLflow takes by itself",
    )  # fmt: skip
    parser.add_argument(
        "--python", metavar="PYTHON", help="a Python that has MLflow; by default your shell's",
    )  # fmt: skip
    options = parser.parse_args(argv)
    runs = facts.of_experiments(RESULTS, options.names)
    told = _written(_python(options.python), runs, options.to)
    for name, (new, known) in told["experiments"].items():
        print(f"{name}: {new} new, {known} there already.")
    store = _without_password(told["store"])
    print(f"The store: {store}. To look at it: {_looking(store)}")
    return 0


def _written(python: str, runs: Any, to: str | None) -> dict[str, Any]:
    """Let that Python write them, and return what it says of it."""
    done = subprocess.run(
        [python, str(PROGRAM), *([to] if to else [])], input=json.dumps(runs), text=True,
        capture_output=True, check=False, env={"MLFLOW_DISABLE_TELEMETRY": "true", **os.environ},
    )  # fmt: skip
    if done.returncode:
        print(_without_password(done.stderr), end="", file=sys.stderr)
        store = _without_password(to or "its default store")
        raise CouldNotRun(
            f"Expected MLflow to write into {store}. Received the error above. Mend that, or name "
            "another store by `--to URI`, and run again: what was half written is written again."
        )
    return json.loads(done.stdout)


def _without_password(text: str) -> str:
    """A text in which addresses of stores have no user and no password, so that it may be shown."""
    return re.sub(r"(?<=://)[^/\s]*@", "", text)


def _looking(store: str) -> str:
    """How to look at a store: a server shows itself."""
    return store if store.startswith("http") else f"mlflow ui --backend-store-uri {store}"


def _python(named: str | None) -> str:
    """The first Python that has MLflow."""
    own = str(Path(shutil.which(named) or named).absolute()) if named else None
    candidates = [own] if own else list(dict.fromkeys(_candidates()))
    for python in candidates:
        try:
            found = subprocess.run(
                [python, "-c", _HAS_IT], check=False, capture_output=True, cwd="/",
            )  # fmt: skip
        except OSError:
            continue
        if not found.returncode:
            return python
    received = f"{' and '.join(candidates)} without it" if candidates else "no Python"
    raise UserError(
        f"Expected a Python that has MLflow. Received {received}. Install it in an environment of "
        "its own (`python3 -m venv ENV && ENV/bin/pip install mlflow`), then name that: `./run "
        "export mlflow --python ENV/bin/python`."
    )


def _candidates() -> Iterator[str]:
    """That of the command `mlflow`, then those of the shell."""
    if command := shutil.which("mlflow"):
        yield str(Path(command).resolve().with_name("python"))
    for name in ("python3", "python"):
        if python := shutil.which(name):
            yield python
