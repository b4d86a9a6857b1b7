"""Each job reads the data for their digests once, started as the workflow starts it."""

import importlib.util
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from repro.core.canonical_json import canonical
from repro.core.config import resolve
from repro.core.digest import sha256_file
from repro.core.errors import UserError
from repro.record import installed

LIBRARY = Path(installed.__file__).parents[2]
COUNTING = """
import hashlib, os, sys
from repro.core import digest
from {module} import main

digest.SETTLED = 0  # as if all that is here were written long ago
whole = hashlib.file_digest

def counted(file, method):
    with open({notes!r}, "a") as notes:
        print(os.path.abspath(file.name), file=notes)
    return whole(file, method)

hashlib.file_digest = counted
sys.exit(main())
"""
EXPERIMENT = """
import numpy as np

def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    exec(settings.get("action", ""))
    return {"x": table[:, :2], "y": table[:, 2].astype("int32")}

def model(settings, seeds):
    import keras

    start = keras.initializers.GlorotUniform(seeds("one"))
    network = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(2, kernel_initializer=start)]
    )
    network.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return network
"""


def is_sound() -> bool:
    try:
        installed.require(Path(sys.prefix))
    except UserError:
        return False
    return True


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not is_sound(), reason="a step runs only in the locked environment"),
]


def packing() -> ModuleType:
    spec = importlib.util.spec_from_file_location("pack", LIBRARY.parent / "scripts" / "pack.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass
class Project:
    """A folder with an experiment, and both programs, which note what they hash."""

    folder: Path
    settings: Mapping[str, Any]

    def pack(self) -> None:
        pack = packing()
        (self.folder / "results" / "e").mkdir(parents=True)
        for name, module in (("code", pack.MAKES), ("judge", pack.JUDGES)):
            main = COUNTING.format(module=module, notes=str(self.folder / "notes"))
            files = {**pack.members(name), "__main__.py": main}
            (self.folder / "results" / f"{name}.pyz").write_bytes(pack.packed(files))

    def asked(self, step: str, run: str) -> str:
        data = {"path": "table.csv", "sha256": sha256_file(self.folder / "table.csv")}
        training = {"epochs": 1, "batch_size": 32}
        entry = {
            "code": "experiment.py", "data": data, "settings": self.settings,
            "training": training, "goal": "documented",
        }  # fmt: skip
        return canonical(resolve({"experiments": {"e": entry}})["e"].parameters(step, run))

    def hashed(self, *words: str) -> tuple[Counter[str], subprocess.CompletedProcess[str]]:
        """How often the process hashed each file, by its path from the project's folder."""
        (notes := self.folder / "notes").write_text("")
        done = subprocess.run(
            [sys.executable, "-I", "-B", *words, "--log", "log"],
            cwd=self.folder, capture_output=True, text=True, check=False,
            env={"PATH": os.defpath, "HOME": str(self.folder)},
        )  # fmt: skip
        names = [os.path.relpath(n, self.folder) for n in notes.read_text().splitlines()]
        return Counter(name for name in names if not name.startswith("..")), done

    def step(self, step: str, run: str = "original", out: str | None = None, **inputs: str) -> Any:
        folder = f"results/e/{run}" if out is None else out
        of_run = f"results/e/{run}"
        given = {"experiment": "experiment.py", **inputs}
        if step != "prepare":
            given |= {"data": f"{of_run}/data", "data.manifest": f"{of_run}/data.manifest.json"}
        return self.hashed(
            "results/code.pyz", "launch", "--run", "original", "--intra", "2", "--", step,
            "--experiment", "e", "--run", run, "--parameters", self.asked(step, run), "--out",
            folder, "--input", *(f"{name}={path}" for name, path in given.items()),
        )  # fmt: skip


def project(folder: Path, **settings: Any) -> Project:
    rows = [f"{n * 7919 % 1009 / 1009:.6f},{n * 104729 % 1013 / 1013:.6f}" for n in range(120)]
    (folder / "table.csv").write_text("".join(f"{row},{row < '0.5':d}\n" for row in rows))
    (folder / "experiment.py").write_text(EXPERIMENT)
    made = Project(folder, settings)
    made.pack()
    return made


DATA = {f"data/{part}/{name}.npy" for part in ("train", "validation", "test")
        for name in ("id", "x", "y")}  # fmt: skip


def once(counts: Counter[str], files: set[str]) -> None:
    assert {name: counts[name] for name in sorted(files)} == dict.fromkeys(sorted(files), 1)


def test_no_job_hashes_a_file_twice(tmp_path: Path) -> None:
    made, original, repeat = project(tmp_path), "results/e/original", "results/e/repeat"
    for run, folder in (("original", original), ("repeat", repeat)):
        counts, done = made.step("prepare", run, data="table.csv")
        assert done.returncode == 0, done.stderr
        once(counts, {"table.csv"})
        counts, done = made.step("train", run, f"{folder}/seed-0")
        assert done.returncode == 0, done.stderr
        once(counts, {f"{folder}/{name}" for name in DATA})
    trained = {"weights": f"{original}/seed-0/weights.safetensors",
               "train.manifest": f"{original}/seed-0/train.manifest.json"}  # fmt: skip
    counts, done = made.step("evaluate", "original", f"{original}/seed-0", **trained)
    assert done.returncode == 0, done.stderr
    once(counts, {f"{original}/{name}" for name in DATA} | {trained["weights"]})
    counts, done = made.step("probe", "original", "results/e")
    assert done.returncode == 0, done.stderr
    once(counts, {f"{original}/{name}" for name in DATA})

    manifests = [f"{folder}/{name}.manifest.json" for folder in (original, repeat)
                 for name in ("data", "seed-0/train")]  # fmt: skip
    manifests += [f"{original}/seed-0/evaluate.manifest.json", "results/e/probe.manifest.json"]
    counts, done = made.hashed(
        "results/judge.pyz", "compare", "--experiment", "e", "--parameters",
        made.asked("compare", "original"), "--folder", "results/e", "--manifests", *manifests,
        "--program", "results/code.pyz", "--input", "experiment=experiment.py", "data=table.csv",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    once(counts, {f"{folder}/{name}" for name in DATA for folder in (original, repeat)})


CHANGE = """
import os
status = os.stat(data)
with open(data, "r+b") as file:
    file.write({content})
os.utime(data, ns=(status.st_atime_ns, status.st_mtime_ns))
"""


def test_another_byte_of_the_same_size_and_time_is_seen_at_the_end(tmp_path: Path) -> None:
    made = project(tmp_path, action=CHANGE.format(content="b'1'"))
    counts, done = made.step("prepare", data="table.csv")
    assert done.returncode == 2
    assert "while prepare ran. Received another data at its end. Run again." in done.stderr
    assert counts["table.csv"] == 2
    assert not list((tmp_path / "results/e/original").iterdir())


def test_what_is_only_written_again_is_no_change(tmp_path: Path) -> None:
    made = project(tmp_path, action=CHANGE.format(content="b'0'"))
    counts, done = made.step("prepare", data="table.csv")
    assert done.returncode == 0, done.stderr
    assert counts["table.csv"] == 2


def test_a_wrong_digest_is_refused_before_any_of_the_users_code_runs(tmp_path: Path) -> None:
    made = project(tmp_path)
    asked = made.asked("prepare", "original")
    with (tmp_path / "table.csv").open("a") as file:
        file.write("0,0,0\n")
    (tmp_path / "experiment.py").write_text("raise ValueError")
    made.asked = lambda step, run: asked  # type: ignore[method-assign]
    counts, done = made.step("prepare", data="table.csv")
    assert done.returncode == 2
    assert "Expected table.csv to have sha256 " in done.stderr
    assert counts["table.csv"] == 1
