"""What of the results is exported, as plain values: a run for each training and each verdict.

Synopsis:
    facts.of_experiments(Path("results"), ["digits"])       # {"digits": [{"name": …}, …]}

A run's `identity` is a digest of the manifests that it rests on, which tell one execution from
every other: by it a store knows what it holds already.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from repro.core import layout
from repro.core.digest import sha256_file, sha256_value
from repro.core.errors import UserError
from repro.core.text import listed
from repro.record.step import Step, read_step
from repro.record.trace import history

_STEPS = ("prepare", "train", "evaluate")
_ODD = re.compile(r"[^\w\-. /]")  # what MLflow takes in no name

Run = dict[str, Any]


def of_experiments(results: Path, names: Sequence[str]) -> dict[str, list[Run]]:
    """Every training and verdict, by experiment.

    Args:
        results: the folder of results.
        names: of experiments; all that have a training where none is named.

    Raises:
        UserError: there is none of that name, or a file is not as it was written.
    """
    known = sorted({path.parents[2].name for path in results.glob(f"*/*/*/{_manifest('train')}")})
    if not known:
        raise UserError("Expected results to export. Received none. Make them first: `./run all`.")
    if odd := [name for name in names if name not in known]:
        raise UserError(
            f"Expected names of experiments that have results: {listed(known)}. Received "
            f"{odd[0]}. Correct it."
        )
    return {name: list(_runs(results / name)) for name in names or known}


def _manifest(step: str) -> str:
    return layout.STEPS[step].manifest


def _runs(experiment: Path) -> Iterator[Run]:
    trained = experiment.glob(f"*/*/{_manifest('train')}")
    for path in sorted(trained, key=lambda path: (path.parents[1].name, _seed(path))):
        yield _training(path)
    if (verdict := experiment / _manifest("compare")).is_file():
        yield _verdict(verdict)


def _seed(path: Path) -> int:
    return layout.seed_of(path.parent.name) or 0


def _training(path: Path) -> Run:
    folder = path.parent
    places = (folder.parent / _manifest("prepare"), path, folder / _manifest("evaluate"))
    steps = [read_step(place) for place in places if place.is_file()]
    step = next(step for step in steps if step.name == "train")
    begin, end = (_milliseconds(time) for time in step.times)
    parameters = {key: value for each in steps for key, value in _flat(each.parameters)}
    return {
        "name": f"{step.run}, seed {step.seed}",
        **_common(steps, begin, end),
        "parameters": {_named(key): str(value) for key, value in sorted(parameters.items())},
        "metrics": [*_history(step, end), *_evaluated(steps, end)],
        "tags": {
            "repro.kind": "training", "repro.run": step.run, "repro.seed": str(step.seed),
            "repro.code": step.digests["code"],
        },
        "files": {"manifests": [str(_path(each).absolute()) for each in steps]},
    }  # fmt: skip


def _verdict(path: Path) -> Run:
    step = read_step(path)
    begin, end = (_milliseconds(time) for time in step.times)
    verdict = json.loads(_unchanged(step, "verdict.json").read_bytes())
    pages = [_unchanged(step, name) for name in ("verdict.json", "verdict.md")]
    if (shown := path.with_name(_manifest("report"))).is_file():
        pages.append(_unchanged(read_step(shown), "report.html"))
    return {
        "name": "verdict",
        **_common([step], begin, end),
        "parameters": {"goal": verdict["goal"]},
        "metrics": [],
        "tags": {
            "repro.kind": "verdict", "repro.verdict": verdict["verdict"],
            "mlflow.note.content": verdict["sentence"],
        },
        "files": {"verdict": [str(file.absolute()) for file in (*pages, path)]},
    }  # fmt: skip


def _common(steps: Sequence[Step], begin: int, end: int) -> Run:
    digests = [sha256_file(_path(step)) for step in steps]
    return {"identity": sha256_value(digests), "begin": begin, "end": end}


def _path(step: Step) -> Path:
    return Path(step.path)


def _flat(value: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Values by the keys that lead to them, with dots between."""
    for key, part in value.items():
        name = f"{above}{key}"
        if isinstance(part, Mapping) and part:
            yield from _flat(cast("Mapping[str, Any]", part), f"{name}.")
        else:
            yield name, part


def _named(name: str) -> str:
    return _ODD.sub("_", name.replace("..", "."))  # data without a name


def _history(step: Step, moment: int) -> Iterator[tuple[str, float, int, int]]:
    """Each value of each epoch: name, value, moment and epoch."""
    for epoch, values in history(_unchanged(step, "history.csv")):
        yield from ((_named(name), value, moment, epoch) for name, value in values.items())


def _evaluated(steps: Sequence[Step], moment: int) -> Iterator[tuple[str, float, int, int]]:
    """The metrics of the test part."""
    for step in steps:
        if step.name == "evaluate":
            metrics = json.loads(_unchanged(step, "metrics.json").read_bytes())["metrics"]
            yield from ((_named(f"test {n}"), float(v), moment, 0) for n, v in metrics.items())


def _unchanged(step: Step, name: str) -> Path:
    """A file that a step made, which is as it was written.

    Raises:
        UserError: it is not.
    """
    file = step.folder / name
    if not file.is_file() or sha256_file(file) != step.subjects.get(name):
        raise UserError(
            f"Expected {file} as it was written. Received another one, or none. `./run "
            "check-files` lists all that was changed; delete what it names, and run `./run all`."
        )
    return file


def _milliseconds(time: str) -> int:
    """A moment as manifests write it, since 1970."""
    return round(datetime.fromisoformat(time).timestamp() * 1000)
