"""A small project with results: real files, real manifests, real programs, and no training."""

import shutil
from pathlib import Path
from typing import Any

import project
import yaml
from repro.core.config import Experiment, resolve
from repro.core.digest import sha256_file
from repro.core.layout import PRETRAINED, source_input
from repro.data.module_loader import module
from repro.plan.schedule import Schedule
from repro.record import manifest
from repro.record.statement import Making, resources

CONFIGURATION = "config/config.yaml"
PACK = "workflow/scripts/pack.py"
SOURCES = {
    "Snakefile": "include: 'workflow/rules/code.smk'\n",
    "environment.yml": "dependencies: [python]\n",
    "conda-lock.yml": "package:\n- name: python\n  sha256: 0123\n",
    "workflow/rules/code.smk": "rule code:\n    output: 'results/code.pyz'\n",
    "workflow/envs/keras.yaml": "dependencies: [python]\n",
    "workflow/schemas/manifest.schema.yaml": "type: object\n",
    "workflow/schemas/verdict.schema.yaml": "type: object\n",
    "workflow/lib/repro/__init__.py": "",
    "workflow/lib/repro/cli/program.py": "from repro.cli import make\n",
    "workflow/lib/repro/cli/make.py": "from repro.model import training\n",
    "workflow/lib/repro/model/training.py": "EPOCHS = 3\n",
    "workflow/lib/repro/cli/judge.py": "def main():\n    return 0\n",
    "workflow/lib/repro/cli/report.py": "def main():\n    return 0\n",
}
ENVIRONMENT = {
    "python": {"version": "3.11.2", "implementation": "CPython"},
    "packages": {"tensorflow": "2.21.0", "keras": "3.15.1", "numpy": "2.4.6"},
    "cuda": {"built_for": {}, "installed": {}, "loaded": [], "driver": {"unknown": "none"}},
    "system": {"name": "Linux", "kernel": "6", "libc": "glibc 2.36"},
    "cpu": {"architecture": "x86_64", "model": "a processor", "flags": [], "count": 2},
    "gpu": [],
    "variables": {"TZ": "UTC"},
    "bits": {"threads": {"value": 2, "by": "asked"}},
    "loaded": {"packages": ["numpy"], "host": {"/lib/libm.so.6": "0" * 64}},
}
WHEEL = {"manager": "pip", "name": "numpy", "version": "2.4.6", "sha256": "1" * 64}
PACKAGES = [WHEEL]


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


class Project:
    """A folder with sources, one experiment `tiny` and its results."""

    configuration: dict[str, Any]

    def __init__(self, folder: Path) -> None:
        self.folder, self.results = folder, folder / "results"
        if folder.exists():  # a copy of one
            self.configuration = yaml.safe_load((folder / CONFIGURATION).read_text())
            return
        for name, text in SOURCES.items():
            write(folder / name, text)
        write(folder / PACK, (project.ROOT / PACK).read_bytes())
        write(folder / "tiny/__init__.py", "def model(): ...\n")
        write(folder / "tiny/layers.py", "SIZE = 3\n")
        write(folder / "raw data.csv", "1,2\n3,4\n")
        self.configuration = {"experiments": {"tiny": self.entry()}}
        self.save()
        self.make()

    def entry(self, **changed: Any) -> dict[str, Any]:
        sha256 = sha256_file(self.folder / "raw data.csv")
        return {"code": "tiny", "data": {"path": "raw data.csv", "sha256": sha256}, **changed}

    def save(self) -> None:
        write(self.folder / CONFIGURATION, yaml.safe_dump(self.configuration))

    @property
    def experiment(self) -> Experiment:
        return resolve(self.configuration)["tiny"]

    def pack(self) -> None:
        pack = module("small_pack", self.folder / PACK)
        programs = pack.programs()
        for name, content in programs.items():
            write(self.results / name, content)
        self.claim("code", {}, pack.sources(), "", "code", *programs)

    def claim(
        self, step: str, names: dict[str, Any], inputs: dict[str, Path], folder: str, name: str,
        *outputs: str,
    ) -> Path:  # fmt: skip
        """Write the manifest of some files that are there."""
        parameters: dict[str, Any] = {}
        if step != "code":
            run, seed = names.get("run", "original"), names.pop("seed", None)
            parameters = self.experiment.parameters(step, run, seed).json()
            names["experiment"] = "tiny"
        lock = {"lock": f"sha256:{sha256_file(self.folder / 'conda-lock.yml')}"}
        facts = {"channel": "local", "platform": "linux-64", "environment": "keras"}
        making = Making(
            names={"step": step, **names}, parameters=parameters, inputs=resources(inputs),
            installed={**lock, **facts, "packages": PACKAGES}, environment=ENVIRONMENT,
        )  # fmt: skip
        path = self.results / folder / f"{name}.manifest.json"
        manifest.write(path, making, [path.parent / output for output in outputs])
        return path

    def make(self) -> None:
        """Everything up to the verdict, as the rules would."""
        shutil.rmtree(self.results, ignore_errors=True)
        self.pack()
        made = [path for run in Schedule.of(self.experiment).runs for path in self.run(run)]
        first = self.results / "tiny/original"
        write(self.results / "tiny/probe.json", "{}")
        used = {**self.always(), **self.weights(), "data": first / "data", "data.manifest": made[0]}
        names = {"run": "original", "seed": 0}
        made.append(self.claim("probe", names, used, "tiny", "probe", "probe.json"))
        self.judge(made)

    def judge(self, made: list[Path]) -> None:
        """A verdict that rests on these manifests."""
        write(self.results / "tiny/verdict.json", '{"verdict": "met"}\n')
        write(self.results / "tiny/verdict.md", "met\n")
        last = ("verdict.manifest.json", "report.manifest.json")
        made = [path for path in made if path.name not in last]
        used = {path.relative_to(self.results / "tiny").as_posix(): path for path in made}
        used |= {name: self.results / f"{name}.pyz" for name in ("code", "judge")}
        verdict = self.claim("compare", {}, used, "tiny", "verdict", "verdict.json", "verdict.md")
        write(self.results / "tiny/report.html", "<p>met\n")
        used = {verdict.name: verdict, "report": self.results / "report.pyz"}
        used["experiment"] = self.folder / "tiny"
        self.claim("report", {}, used, "tiny", "report", "report.html")

    def always(self) -> dict[str, Path]:
        return {"code": self.results / "code.pyz", "experiment": self.folder / "tiny"}

    def weights(self) -> dict[str, Path]:
        """Those from elsewhere, which what makes the model uses."""
        named = self.experiment.pretrained.items()
        return {source_input(n, PRETRAINED): self.folder / s.path for n, s in named}

    def run(self, run: str) -> list[Path]:
        folder = self.results / "tiny" / run
        for part in ("train", "test"):
            write(folder / "data" / part / "x.npy", f"{part} data")
        named = self.experiment.data.items()
        read = {source_input(name): self.folder / source.path for name, source in named}
        raw = {**self.always(), **read}
        data = self.claim("prepare", {"run": run}, raw, f"tiny/{run}", "data", "data")
        used = {**self.always(), **self.weights(), "data": folder / "data", "data.manifest": data}
        here, made = f"tiny/{run}/seed-0", self.trained()
        for name, text in made.items():
            write(self.results / here / name, text)
        names = {"run": run, "seed": 0}
        train = self.claim("train", dict(names), used, here, "train", *made)
        used |= {"train.manifest": train, "weights": folder / "seed-0/weights.safetensors"}
        evaluated = self.evaluated()
        for name, content in evaluated.items():
            write(self.results / here / name, content)
        return [data, train, self.claim("evaluate", names, used, here, "evaluate", *evaluated)]

    def trained(self) -> dict[str, str | bytes]:
        """What a training writes, by name."""
        return {"weights.safetensors": "w" * 50, "trace.jsonl": "{}\n"}

    def evaluated(self) -> dict[str, str | bytes]:
        """What an evaluation writes, by name."""
        return {"metrics.json": '{"loss": 0.5}\n'}
