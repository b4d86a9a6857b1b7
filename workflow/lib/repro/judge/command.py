"""Command: the command line of the program that looks at results.

Synopsis:
    python -I judge.pyz compare --experiment digits --parameters JSON --out results/digits …
    python -I judge.pyz verify results/*/verdict.json

`compare` always succeeds and writes what it found; `verify` reads that and fails where a
claim does not hold, so that evidence is never lost.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from repro.core.canonical import pretty
from repro.core.errors import UserError
from repro.core.factors import ALL
from repro.core.schema import checked
from repro.core.writing import write_text
from repro.judge.compare import Comparison, compare
from repro.judge.diagnose import causes
from repro.judge.render import markdown
from repro.judge.verdict import INCONCLUSIVE, MET, Context, judge
from repro.record import installed, manifest
from repro.steps import reported

_SETUP = ("python", "packages", "cuda", "system", "cpu", "gpu", "installed")


def _expected(options: argparse.Namespace) -> Iterator[tuple[str, str, int | None, Path]]:
    """Run, step, seed and path of every manifest that the verdict rests on, and no left-over."""
    runs = {"original": options.original}
    if options.repeat is not None:
        runs["repeat"] = options.repeat
    for run, folder in runs.items():
        yield run, "prepare", None, folder / "data.manifest.json"
        for seed in options.parameters["seeds"]:
            yield run, "train", seed, folder / f"seed-{seed}" / "train.manifest.json"
            # A repeat that stops early has no final weights to evaluate.
            if run == "original" or options.parameters["repeat"] == "full":
                yield run, "evaluate", seed, folder / f"seed-{seed}" / "evaluate.manifest.json"


def _scope(setup: Mapping[str, Any]) -> str:
    cpu, system, gpu = setup["cpu"], setup["system"], setup["gpu"]
    model = cpu["model"] if isinstance(cpu["model"], str) else cpu["architecture"]
    devices = f"{len(gpu)} GPU(s)" if isinstance(gpu, list) and gpu else "no GPU"  # pyright: ignore
    return (
        f"this machine ({model}, {devices}, {system['name']} {system['kernel']}), "
        f"TensorFlow {setup['packages']['tensorflow']}, channel {setup['installed']['channel']}"
    )


def _setup(predicate: Mapping[str, Any]) -> dict[str, Any]:
    """What must be the same in both runs: machine, environment, program and experiment."""
    setup = {key: predicate["repro_environment"][key] for key in _SETUP}
    # How many processors there are must not matter: threads are in the configuration.
    setup["cpu"] = {k: v for k, v in setup["cpu"].items() if k not in ("count", "available")}
    for entry in predicate["buildDefinition"]["resolvedDependencies"]:
        if entry["name"] in ("code", "experiment"):
            setup[entry["name"]] = entry["digest"]["sha256"]
    return setup


def _context(options: argparse.Namespace) -> Context:
    setups: list[dict[str, Any]] = []
    varied: dict[str, dict[str, Any]] = {}
    inference: list[dict[str, Any]] = []
    for run, step, seed, path in _expected(options):
        manifest.check_subjects(path, "data" if step == "prepare" else None)
        predicate = manifest.read(path)["predicate"]
        if (setup := _setup(predicate)) not in setups:
            setups.append(setup)
        if run != "original":
            for entry in predicate["repro_process"]["factors"]:
                # What one step could not vary was not varied.
                if not entry["varied"] or entry["factor"] not in varied:
                    varied[entry["factor"]] = entry
        if step == "evaluate":
            found = json.loads((path.parent / "metrics.json").read_text("utf-8"))["inference"]
            inference.append({"run": run, "seed": seed, **found})
    off = {"varied": False, "why": "nothing was repeated" if not varied else "switched off"}
    factors = [varied.get(name, {"factor": name, **off}) for name in ALL]
    scope = "; ".join(dict.fromkeys(_scope(setup) for setup in setups))
    return Context(scope, len(setups), factors, inference)


def _compare(options: argparse.Namespace) -> None:
    started = manifest.now()
    prefix = Path(sys.prefix)
    installed.require(prefix)
    read = {
        f"{run}/{'' if seed is None else f'seed-{seed}/'}{path.name}": path
        for run, _, seed, path in _expected(options)
    }
    inputs = manifest.digests({**read, "judge": Path(sys.argv[0])})
    parameters, comparisons = options.parameters, list[Comparison]()
    context = _context(options)
    if options.repeat is not None:
        limit = None if parameters["repeat"] == "full" else parameters["repeat"]
        comparisons = [
            compare(options.original, options.repeat, s, limit) for s in parameters["seeds"]
        ]
    first = next((c.divergence for c in comparisons if c.divergence), None)
    why = causes(first) if first and context.setups == 1 else []
    verdict = judge(options.experiment, parameters, comparisons, context, why)
    verdict = checked(verdict, "verdict", "verdict.json")
    outputs = {
        options.out / "verdict.json": pretty(verdict),
        options.out / "verdict.md": markdown(verdict),
    }
    for path, text in outputs.items():
        write_text(path, text)
    making = manifest.Making(
        names={"step": "compare", "experiment": options.experiment},
        parameters=parameters,
        inputs=inputs,
        installed=installed.read(prefix),
        started=started,
    )
    manifest.write(options.out / "verdict.manifest.json", making, list(outputs))


def _read(path: Path) -> dict[str, Any]:
    try:
        return checked(json.loads(path.read_text("utf-8")), "verdict", path.name)
    except (OSError, ValueError) as error:
        raise UserError(
            f"Expected a verdict at {path}. Received a file that cannot be read as one ({error}). "
            "Delete it and run `snakemake all`."
        ) from error


def _verify(paths: Sequence[Path], log: Path | None) -> int:
    """0 where every claim holds; 1 where one does not; else 3."""
    installed.require(Path(sys.prefix))
    verdicts = [(path, _read(path)) for path in paths]
    sentences = [f"{v['sentence']} See {path.with_suffix('.md')}.\n" for path, v in verdicts]
    sys.stderr.writelines(sentences)
    if log is not None:
        write_text(log, "".join(sentences))
    found = {verdict["verdict"] for _, verdict in verdicts}
    return 0 if found == {MET} else 3 if found <= {MET, INCONCLUSIVE} else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="judge.pyz", description="Looks at results.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    one = verbs.add_parser("compare", help="compare two runs and write the verdict")
    one.add_argument("--experiment", required=True)
    one.add_argument("--parameters", required=True, type=json.loads, metavar="JSON")
    one.add_argument("--original", required=True, type=Path, metavar="FOLDER")
    one.add_argument("--repeat", type=Path, metavar="FOLDER")
    one.add_argument("--out", required=True, type=Path, metavar="FOLDER")
    one.add_argument("--log", required=True, type=Path, metavar="FILE")
    two = verbs.add_parser("verify", help="fail with one sentence where a claim does not hold")
    two.add_argument("verdicts", nargs="+", type=Path)
    two.add_argument("--log", type=Path, metavar="FILE", help="where the sentences go as well")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Compares or verifies.

    Args:
        arguments: the command line; by default that of the process.

    Returns:
        The exit status: 0 holds, 1 does not, 2 a user's mistake, 3 inconclusive.
    """
    options = _parser().parse_args(arguments)
    if options.verb == "compare":
        return reported(options.log, lambda _: _compare(options))
    try:
        return _verify(options.verdicts, options.log)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
