"""Kinds of models that people train: each must verify `met`, everything varied, without a limit.

Two inputs by name are in test_given_parts.py, and RESUMED is in test_resume.py.
"""

import shutil

import pytest
from conftest import RESUMED
from repro.core.digest import sha256_file

pytestmark = pytest.mark.slow

MODELS = ("lstm_with_dropout", "cnn_with_batch_norm", "transformer_block", "gan")


@pytest.fixture(scope="module")
def zoo(new_project, root):
    """A project with all of them but one, run to their verdicts in one go."""
    made = new_project("zoo")
    shutil.copy(root / "tests" / "irreproducible" / "digits.csv", made.folder)
    data = {"path": "digits.csv", "sha256": sha256_file(made.folder / "digits.csv")}
    for name in MODELS:
        shutil.copy(root / "tests" / "zoo" / f"{name}.py", made.folder)
    training = {"epochs": 2, "batch_size": 32}
    made.configure(**{n: made.entry(code=f"{n}.py", data=data, training=training) for n in MODELS})
    verdicts = (f"results/{name}/verdict.json" for name in MODELS)
    result = made.run("--keep-going", *verdicts)
    return made, result.stdout


@pytest.mark.parametrize("name", MODELS)
def test_it_verifies_with_everything_varied(zoo, name):
    made, printed = zoo
    assert (made.results / name / "verdict.json").exists(), printed
    made.assert_met_with_everything_varied(name)


def test_each_zoo_file_is_run(root):
    assert {file.stem for file in (root / "tests" / "zoo").glob("*.py")} == {*MODELS, RESUMED}


def test_two_optimizers_go_through_fit(zoo):
    made, printed = zoo
    manifest = made.results / "gan" / "original" / "seed-0" / "train.manifest.json"
    assert manifest.exists(), printed
    assert '"loop": "fit"' in manifest.read_text()
