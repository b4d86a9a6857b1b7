"""Ways to configure an experiment: several at once, shorter repeats, other data and code forms."""

import shutil
from pathlib import Path

import pytest
from conftest import Project
from repro.core.digest import sha256_tree
from repro.record.step import read_step

pytestmark = pytest.mark.slow


ADJUSTED = "    x = tf.image.adjust_contrast(x[:, None, :, None], 1.1)[:, 0, :, 0]\n"
NOISY = "    return x + tf.random"


def packaged(made: Project) -> None:
    """Writes its experiment as a folder, whose `augment` calls what has a limit, with its data."""
    whole = (made.folder / "experiment.py").read_text()
    parts = [whole[: whole.index("def augment")]]
    parts += [f"def {part}" for part in whole.split("\ndef ")[2:]]
    dataset, augment, model = parts
    assert NOISY in augment
    package, folder = made.folder / "package", made.folder / "tables"
    package.mkdir()
    (package / "model.py").write_text(model)
    (package / "augment.py").write_text(augment.replace(NOISY, ADJUSTED + NOISY))
    dataset = dataset.replace("np.loadtxt(data,", "np.loadtxt(data['one'] / 'left.csv',")
    imports = [f"from .{name} import {name} as {name}\n" for name in ("augment", "model")]
    (package / "__init__.py").write_text("".join([*imports, "\n", dataset]))
    folder.mkdir()
    shutil.copy(made.folder / "table.csv", folder / "left.csv")


@pytest.fixture(scope="module")
def ran(finished):
    """A finished project, then with two experiments, run to their verdicts in one go."""
    made = finished("several")
    packaged(made)
    made.configure(
        # Of the first seed all but the repeat is there.
        small=made.entry(repeat={"steps": 5}, seeds=[0, 7]),
        folders=made.entry(
            code="package",
            data={"one": {"path": "tables", "sha256": sha256_tree(made.folder / "tables")}},
            split={"train": 0.7, "validation": 0, "test": 0.3},
            training={"epochs": 2, "batch_size": 32, "loop": "fit", "trace": "epoch"},
            repeat={"epochs": 1},
        ),
    )
    result = made.run("results/small/verdict.json", "results/folders/report.html")
    assert result.returncode == 0, result.stdout
    return made, result.stdout


@pytest.fixture(scope="module")
def done(ran):
    """The project."""
    return ran[0]


def place(done: Project, experiment: str, seed: int = 0) -> Path:
    """The results of its original."""
    return done.results / experiment / "original" / f"seed-{seed}"


def test_the_loop_is_the_one_that_was_asked_for(done):
    for name, loop in (("small", "graph"), ("folders", "fit")):
        assert read_step(place(done, name) / "train.manifest.json").process["loop"] == loop


def test_without_a_repeat_the_verdict_is_inconclusive(unrepeated_once):
    verdict = unrepeated_once.verdict("small")
    assert (verdict["verdict"], verdict["repeats"]) == ("inconclusive", 0)
    assert not (unrepeated_once.results / "small" / "repeat").exists()


@pytest.mark.parametrize(
    ("experiment", "unseen"), [("small", "after 5 steps"), ("folders", "after 1 epoch of")]
)
def test_a_shorter_repeat_says_what_it_leaves_unseen(done, experiment, unseen):
    verdict = done.verdict(experiment)
    assert verdict["verdict"] == "met"
    assert any(unseen in warning for warning in verdict["warnings"])


def test_every_seed_has_a_result_of_its_own(done):
    assert [entry["seed"] for entry in done.verdict("small")["per_seed"]] == [0, 7]
    first, second = (
        (place(done, "small", seed) / "weights.safetensors").read_bytes() for seed in (0, 7)
    )
    assert first != second


def test_code_and_data_may_be_folders_and_validation_may_be_left_out(done):
    assert done.verdict("folders")["verdict"] == "met"
    assert not (done.results / "folders" / "original" / "data" / "validation").exists()


def test_a_limit_is_said_once_before_training_and_recorded(ran):
    made, said = ran
    text = (made.folder / "package" / "augment.py").read_text()
    line = 1 + text.splitlines().index(ADJUSTED.rstrip("\n"))
    where = f"tf.image.adjust_contrast (augment.py, line {line}): On a CPU it is deterministic"
    assert said.count(f"A limit: {where}") == 1
    for run in ("original", "repeat"):
        file = made.results / "folders" / run / "seed-0" / "train.manifest.json"
        (limit,) = read_step(file).process["limits"]
        assert limit["name"] == "tf.image.adjust_contrast"
        assert set(limit) == {"name", "where", "promise"}
