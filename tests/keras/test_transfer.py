"""Transfer from a saved model: its weights are an input, of the digest that was declared."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from repro.core.canonical_json import canonical
from repro.core.config import resolve
from repro.core.digest import sha256_file
from repro.variables.by_path import read as weights_of
from test_hashed_once import EXPERIMENT, Project, is_sound, project

GIVEN = """    network.set_weights([np.load(pretrained), np.zeros(2)])
    network.trainable = False
"""
TRANSFER = EXPERIMENT.replace("model(settings, seeds)", "model(settings, seeds, pretrained)")
TRANSFER = TRANSFER.replace("    network.compile", f"{GIVEN}    network.compile")
KERNEL = np.arange(4, dtype=np.float32).reshape(2, 2)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not is_sound(), reason="a step runs only in the locked environment"),
]


class Transfer(Project):
    """A project whose model begins with the weights of another."""

    def asked(self, step: str, run: str) -> str:
        def source(name: str) -> dict[str, str]:
            return {"path": name, "sha256": sha256_file(self.folder / name)}

        entry = {
            "code": "experiment.py", "data": source("table.csv"), "pretrained": source("base.npy"),
            "training": {"epochs": 1, "batch_size": 32},
        }  # fmt: skip
        return canonical(resolve({"experiments": {"e": entry}})["e"].parameters(step, run))


def used(folder: Path, step: str) -> dict[str, Any]:
    manifest = json.loads((folder / f"{step}.manifest.json").read_text())
    depended = manifest["predicate"]["buildDefinition"]["resolvedDependencies"]
    return {each["name"]: each["digest"] for each in depended if "name" in each}


def test_every_step_that_makes_the_model_gets_them(tmp_path: Path) -> None:
    made = project(tmp_path)
    np.save(tmp_path / "base.npy", KERNEL)
    (tmp_path / "experiment.py").write_text(TRANSFER)
    transfer, out = Transfer(made.folder, {}), "results/e/original/seed-0"
    _, done = transfer.step("prepare", data="table.csv")
    assert done.returncode == 0, done.stderr
    _, done = transfer.step("train", out=out, pretrained="base.npy")
    assert done.returncode == 0, done.stderr
    weights = f"{out}/weights.safetensors"
    kernel, *_ = (a for a in weights_of(tmp_path / weights).values() if a.ndim == 2)
    assert kernel.tolist() == KERNEL.tolist()
    rest = {"weights": weights, "train.manifest": f"{out}/train.manifest.json"}
    _, done = transfer.step("evaluate", out=out, pretrained="base.npy", **rest)
    assert done.returncode == 0, done.stderr
    for step in ("train", "evaluate"):
        digest = used(tmp_path / out, step)["pretrained"]
        assert digest == {"sha256": sha256_file(tmp_path / "base.npy")}
    asked = transfer.asked("train", "original")
    np.save(tmp_path / "other.npy", KERNEL + 1)
    _, done = transfer.step("train", out=out, pretrained="other.npy")
    assert done.returncode == 2
    assert "Expected base.npy to have sha256" in done.stderr
    assert asked == transfer.asked("train", "original")
