"""Options: what the steps' command line understands.

Synopsis:
    options = parser().parse_args()
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable

from repro.core.canonical_json import decoded
from repro.core.parameters import (
    BY_STEP,
    CostParameters,
    Parameters,
    TrainParameters,
)
from repro.launch import launcher

STEPS = ("prepare", "train", "evaluate", "probe")


def _run(text: str) -> str:
    if re.fullmatch(r"original|repeat(-[0-9]+)?|trial", text):
        return text
    raise argparse.ArgumentTypeError(f"expected original, repeat, repeat-N or trial, not {text!r}")


def _seconds(text: str) -> int | None:
    return None if text == "off" else int(text)


def parameters_of(kind: type[Parameters]) -> Callable[[str], Parameters]:
    """The argparse type of a step's `--parameters`: decodes them, here and nowhere else."""

    def parameters(text: str) -> Parameters:
        return decoded(kind, json.loads(text))

    return parameters


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def parser() -> argparse.ArgumentParser:
    """The parser of the program that makes results.

    Its `step` is `launch`, `environment`, `cost` or one of `STEPS`.
    """
    program = argparse.ArgumentParser(prog="code.pyz", description="The steps that make results.")
    verbs = program.add_subparsers(dest="step", required=True)
    start = verbs.add_parser(
        "launch", help="start a step under the settings of the original, or with factors varied"
    )
    start.add_argument("--run", required=True, help="from its name come the values of the factors")
    start.add_argument(
        "--intra", required=True, type=int, metavar="N", help="threads within an operation"
    )
    start.add_argument(
        "--vary", default=[], type=_names, metavar="FACTORS", help="names, separated by commas"
    )
    start.add_argument(
        "--pass", default=[], type=_names, metavar="NAMES", dest="passed",
        help="environment variables that the step shall see as well, separated by commas",
    )  # fmt: skip
    start.add_argument("--twice", action="store_true", help="once more, in sight of what was left")
    start.add_argument("arguments", nargs=argparse.REMAINDER)
    for name in STEPS:
        _add(verbs.add_parser(name), name)
    now_here = verbs.add_parser("environment", help="what a step would find around it now")
    trained = parameters_of(TrainParameters)
    now_here.add_argument("--parameters", required=True, type=trained, metavar="JSON")
    now_here.add_argument("--out", required=True, type=launcher.path, metavar="FILE")
    now_here.add_argument("--log", required=True, type=launcher.path, metavar="FILE")
    _add_cost(verbs.add_parser("cost", help="train in one way for a while, and say what it took"))
    return program


def _add_cost(price: argparse.ArgumentParser) -> None:
    price.add_argument("--variant", required=True, metavar="NAME")
    price.add_argument("--seconds", required=True, type=float, metavar="N")
    asked = parameters_of(CostParameters)
    price.add_argument("--parameters", required=True, type=asked, metavar="JSON")
    price.add_argument("--input", action="extend", nargs="+", default=[], metavar="NAME=PATH")
    price.add_argument("--out", required=True, type=launcher.path, metavar="FILE")
    price.add_argument("--log", required=True, type=launcher.path, metavar="FILE")


def _add(step: argparse.ArgumentParser, name: str) -> None:
    step.add_argument("--experiment", required=True)
    step.add_argument("--run", required=True, type=_run)
    asked = parameters_of(BY_STEP[name])
    step.add_argument("--parameters", required=True, type=asked, metavar="JSON")
    step.add_argument("--input", action="extend", nargs="+", default=[], metavar="NAME=PATH")
    step.add_argument(
        "--detail", type=json.loads, metavar="JSON",
        help="in a trial: note what the code calls ({}), and look into one step of training "
        'as well ({"epoch": 0, "step": 3})',
    )  # fmt: skip
    step.add_argument(
        "--values", type=json.loads, metavar="JSON",
        help="in a trial: keep the weights after these steps of training, of each variable one "
        'element in so many ({"steps": [[0, 3], [0, 4]], "every": 1})',
    )  # fmt: skip
    step.add_argument("--out", required=True, type=launcher.path, metavar="FOLDER")
    step.add_argument("--log", required=True, type=launcher.path, metavar="FILE")
    if name == "train":
        step.add_argument(
            "--checkpoints", type=launcher.path, metavar="FOLDER",
            help="keep the state here, and take a killed training up from here",
        )  # fmt: skip
        step.add_argument(
            "--every", type=_seconds, metavar="SECONDS",
            help="between checkpoints; 0: after every epoch; off: keep none",
        )  # fmt: skip
        step.add_argument(
            "--events", type=launcher.path, metavar="FOLDER",
            help="write the history there as TensorBoard reads it",
        )  # fmt: skip
