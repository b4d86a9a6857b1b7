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
from repro.core.launch import NAMES
from repro.core.schema import checked
from repro.core.writing import write_text
from repro.judge.compare import compare
from repro.judge.render import markdown
from repro.judge.verdict import INCONCLUSIVE, MET, Context, judge
from repro.record import installed, manifest
from repro.steps import reported

_HARDWARE = ("python", "packages", "cuda", "system", "cpu", "gpu", "installed")


def _manifests(
    runs: Mapping[str, Path], seeds: Sequence[int], step: str
) -> Iterator[tuple[str, int, Path]]:
    for run, folder in runs.items():
        for seed in seeds:
            path = folder / f"seed-{seed}" / f"{step}.manifest.json"
            if path.exists():
                yield run, seed, path


def _scope(setup: Mapping[str, Any]) -> str:
    cpu, system, gpu = setup["cpu"], setup["system"], setup["gpu"]
    model = cpu["model"] if isinstance(cpu["model"], str) else cpu["architecture"]
    devices = f"{len(gpu)} GPU(s)" if isinstance(gpu, list) and gpu else "no GPU"  # pyright: ignore
    return (
        f"this machine ({model}, {devices}, {system['name']} {system['kernel']}), "
        f"TensorFlow {setup['packages']['tensorflow']}, channel {setup['installed']['channel']}"
    )


def _context(runs: Mapping[str, Path], seeds: Sequence[int]) -> Context:
    trained = [
        (run, manifest.read(path)["predicate"]) for run, _, path in _manifests(runs, seeds, "train")
    ]
    setups: list[dict[str, Any]] = []
    for _, predicate in trained:
        setup = {key: predicate["repro_environment"][key] for key in _HARDWARE}
        # How many processors there are must not matter: threads are in the configuration.
        setup["cpu"] = {k: v for k, v in setup["cpu"].items() if k not in ("count", "available")}
        if setup not in setups:
            setups.append(setup)
    varied = {f for run, p in trained if run == "repeat" for f in p["repro_process"]["factors"]}
    repeated = any(run == "repeat" for run, _ in trained)
    inference = [
        {
            "run": run,
            "seed": seed,
            **json.loads((path.parent / "metrics.json").read_text())["inference"],
        }
        for run, seed, path in _manifests(runs, seeds, "evaluate")
    ]
    factors = {"process": repeated, **{name: name in varied for name in NAMES}}
    return Context("; ".join(_scope(setup) for setup in setups), len(setups), factors, inference)


def _compare(options: argparse.Namespace) -> None:
    started = manifest.now()
    prefix = Path(sys.prefix)
    installed.require(prefix)
    parameters, runs = options.parameters, {"original": options.original}
    comparisons = []
    if options.repeat is not None:
        runs["repeat"] = options.repeat
        limit = None if parameters["repeat"] == "full" else parameters["repeat"]
        comparisons = [
            compare(options.original, options.repeat, s, limit) for s in parameters["seeds"]
        ]
    verdict = judge(
        options.experiment, parameters, comparisons, _context(runs, parameters["seeds"])
    )
    verdict = checked(verdict, "verdict", "verdict.json")
    outputs = {
        options.out / "verdict.json": pretty(verdict),
        options.out / "verdict.md": markdown(verdict),
    }
    for path, text in outputs.items():
        write_text(path, text)
    read = {
        f"{run}/{p.relative_to(f)}": p
        for run, f in runs.items()
        for p in sorted(f.rglob("*.manifest.json"))
    }
    making = manifest.Making(
        names={"step": "compare", "experiment": options.experiment},
        parameters=parameters,
        inputs={**read, "judge": Path(sys.argv[0])},
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
        return reported(options.log, lambda: _compare(options))
    try:
        return _verify(options.verdicts, options.log)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
