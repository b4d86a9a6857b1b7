"""Ways to configure an experiment: several at once, shorter repeats, other data and code forms."""

import hashlib
import shutil

import pytest
from repro.core.digest import sha256_tree

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def done(new_project):
    """A project with several experiments, run to their verdicts in one go."""
    made = new_project("several")
    package = made.folder / "package"
    package.mkdir()
    text = (made.folder / "experiment.py").read_text()
    (package / "model.py").write_text(text[text.index("def model") :])
    head = text[: text.index("def augment")]
    head = head.replace("np.loadtxt(data,", "np.loadtxt(data['one'] / 'left.csv',")
    (package / "__init__.py").write_text(f"from .model import model as model\n\n{head}")
    folder = made.folder / "tables"
    folder.mkdir()
    shutil.copy(made.folder / "table.csv", folder / "left.csv")
    short = {"epochs": 2, "batch_size": 32}
    made.configure(
        fit=made.entry(training={**short, "loop": "fit"}, repeat="off"),
        graph=made.entry(training={**short, "loop": "graph"}, repeat={"steps": 5}, seeds=[0, 7]),
        folders=made.entry(
            code="package",
            data={"one": {"path": "tables", "sha256": sha256_tree(folder)}},
            split={"train": 0.7, "validation": 0, "test": 0.3},
            training={**short, "trace": "epoch"},
            repeat={"epochs": 1},
        ),
    )
    result = made.run("all")
    assert result.returncode == 0, result.stdout
    return made


def test_both_loops_leave_the_same_files(done):
    for name in ("weights.safetensors", "trace.jsonl", "history.csv", "predictions.npz"):
        files = [done.results / loop / "original" / "seed-0" / name for loop in ("fit", "graph")]
        first, second = (hashlib.sha256(file.read_bytes()).hexdigest() for file in files)
        assert first == second, name


def test_without_a_repeat_the_verdict_is_inconclusive(done):
    verdict = done.verdict("fit")
    assert (verdict["verdict"], verdict["repeats"]) == ("inconclusive", 0)
    assert not (done.results / "fit" / "repeat").exists()


@pytest.mark.parametrize(
    ("experiment", "unseen"), [("graph", "after 5 steps"), ("folders", "after 1 epoch of")]
)
def test_a_shorter_repeat_says_what_it_leaves_unseen(done, experiment, unseen):
    verdict = done.verdict(experiment)
    assert verdict["verdict"] == "met"
    assert any(unseen in warning for warning in verdict["warnings"])


def test_every_seed_has_a_result_of_its_own(done):
    assert [entry["seed"] for entry in done.verdict("graph")["per_seed"]] == [0, 7]
    first, second = (
        (done.results / "graph" / "original" / f"seed-{seed}" / "weights.safetensors").read_bytes()
        for seed in (0, 7)
    )
    assert first != second


def test_code_and_data_may_be_folders_and_validation_may_be_left_out(done):
    assert done.verdict("folders")["verdict"] == "met"
    assert not (done.results / "folders" / "original" / "data" / "validation").exists()
