"""A user's project in a folder of its own, run by real Snakemake in the real environments."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import project
import pytest
import tools
import yaml
from environments import places
from repro.core.digest import sha256_file

EXPERIMENT = """\
import numpy as np


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1], "y": table[:, -1].astype("int32")}


def augment(x, y, seed):
    import tensorflow as tf

    return x + tf.random.stateless_normal(tf.shape(x), seed, stddev=0.01), y


def model(settings, seeds):
    import keras

    dense = keras.initializers.GlorotUniform
    network = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, activation="relu", kernel_initializer=dense(seeds("one"))),
            keras.layers.Dropout(settings["dropout"], seed=seeds("dropout")),
            keras.layers.Dense(2, kernel_initializer=dense(seeds("two"))),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
"""
RESUMED = "own_train_step"
"""The model of the zoo that test_resume.py trains; test_zoo.py trains the others."""


def _table() -> str:
    rows = []
    for n in range(160):
        values = [((n * (k + 3) * 7919) % 1009) / 1009 for k in range(4)]
        rows.append(",".join(f"{v:.6f}" for v in values) + f",{int(values[0] > values[1])}\n")
    return "".join(rows)


def _messages() -> dict[str, str]:
    """The rules that have a message, and a pattern of what Snakemake says in place of them."""
    found: dict[str, str] = {}
    for file in (project.ROOT / "workflow/rules").glob("*.smk"):
        for text in re.split(r"^(?=rule|checkpoint)", file.read_text(), flags=re.M)[1:]:
            if message := re.search(r'^    message:\n        "(.+)"$', text, re.M):
                name = text.partition(":")[0].split()[1]
                found[name] = re.sub(r"\\{.+?\\}", r"\\S+", re.escape(message[1]))
    return found


MESSAGES = _messages()


def rules_in(said: str) -> set[str]:
    """The rules of the jobs that Snakemake says it runs, or would, but for `all`."""
    named = set(re.findall(r"(?:rule|checkpoint) (\w+):", said))
    for name, pattern in MESSAGES.items():
        if re.search(rf"Job \d+: {pattern}", said):
            named.add(name)
    return named - {"all"}


@dataclass(frozen=True)
class Project:
    """A folder with `config/config.yaml`, an experiment and its data."""

    folder: Path

    @property
    def results(self) -> Path:
        return self.folder / "results"

    def entry(self, **changes: Any) -> dict[str, Any]:
        """The configuration of one small experiment, with changes."""
        return {
            "code": "experiment.py",
            "data": {"path": "table.csv", "sha256": sha256_file(self.folder / "table.csv")},
            "settings": {"dropout": 0.2},
            "training": {"epochs": 2, "batch_size": 32},
            **changes,
        }

    def configure(self, **experiments: Mapping[str, Any]) -> None:
        """Writes the configuration."""
        file = self.folder / "config" / "config.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(yaml.safe_dump({"experiments": deepcopy(experiments)}))

    def edit(self, old: str, new: str, file: str = "experiment.py") -> None:
        """Replaces a text that must be there."""
        path = self.folder / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def run(
        self,
        *arguments: str,
        before: tuple[str, ...] = (),
        snakefile: Path = project.ROOT / "Snakefile",
        **environment: str,
    ) -> subprocess.CompletedProcess[str]:
        """Runs Snakemake; everything that it prints is in `stdout`, white space made single."""
        command = ["snakemake", "--snakefile", str(snakefile)]
        command += ["--conda-prefix", str(places.folder())]
        done = subprocess.run(
            [*before, *command, *arguments],
            cwd=self.folder,
            env={**tools.environment(), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        done.stdout = " ".join(done.stdout.split())
        return done

    def by_run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs `./run`, as its users do; what it prints on its two streams is apart."""
        done = subprocess.run(
            [project.ROOT / "run", *arguments, "--directory", str(self.folder)],
            env=tools.environment(), text=True, check=False, capture_output=True,
            stdin=subprocess.DEVNULL, timeout=900,
        )  # fmt: skip
        print(done.stdout, done.stderr, sep="\n")  # shown where the test fails
        return done

    def copied(self, folder: Path) -> "Project":
        """A copy in another folder, with all times."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Project(folder)

    def verdict(self, experiment: str) -> dict[str, Any]:
        return json.loads((self.results / experiment / "verdict.json").read_text())

    def assert_met_with_everything_varied(
        self, experiment: str, mistakes: Sequence[str] = ()
    ) -> None:
        """Asserts that it verifies, without a limit or a silent error but those that are named."""
        verdict = self.verdict(experiment)
        assert verdict["verdict"] == "met", verdict["sentence"]
        assert [found["mistake"] for found in verdict.get("mistakes", [])] == [*mistakes]
        assert verdict["limits"] == []
        varied = {factor["factor"] for factor in verdict["factors"] if factor["varied"]}
        assert {"hash seed", "time zone", "working directory"} <= varied


@pytest.fixture(scope="session")
def new_project(tmp_path_factory: pytest.TempPathFactory):
    """A function that makes a project in a folder whose name has a space."""

    def make(name: str) -> Project:
        folder = tmp_path_factory.mktemp("of a user") / name
        folder.mkdir()
        (folder / "experiment.py").write_text(EXPERIMENT)
        (folder / "table.csv").write_text(_table())
        made = Project(folder)
        made.configure(small=made.entry())
        return made

    return make


@pytest.fixture(scope="session")
def finished_once(new_project: Callable[[str], Project]) -> Project:
    """A project whose whole job has run, for tests that change nothing in it."""
    made = new_project("finished")
    done = made.run("--cores", "2", "verify")
    assert done.returncode == 0, done.stdout
    return made


@pytest.fixture(scope="session")
def finished(
    finished_once: Project, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Project]:
    """A function that copies it to a folder of another name, with all times."""
    return lambda name: finished_once.copied(tmp_path_factory.mktemp("of a user") / name)


@pytest.fixture(scope="session")
def unrepeated_once(finished: Callable[[str], Project]) -> Project:
    """The same without a repeat, so that nobody can tell whether its claim holds."""
    made = finished("unrepeated")
    made.configure(small=made.entry(repeat="off"))
    shutil.rmtree(made.results / "small" / "repeat")
    assert made.by_run("verify", "--cores", "2").returncode == 3
    return made


@pytest.fixture(scope="session")
def unrepeated(
    unrepeated_once: Project, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Project]:
    """A function that copies it likewise."""
    return lambda name: unrepeated_once.copied(tmp_path_factory.mktemp("of a user") / name)


@pytest.fixture(scope="session")
def root() -> Path:
    return Path(os.fspath(project.ROOT))
