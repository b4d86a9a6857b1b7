"""Killed with all that it had started, Snakemake goes on where it was by the same command.

What is killed trains one of the models of the zoo, so it is not run in test_zoo.py as well.
"""

import json
import shutil

import pytest
from conftest import RESUMED

pytestmark = pytest.mark.slow

TRAINED = "results/small/original/seed-0/train.manifest.json"
REPEATED = TRAINED.replace("original", "repeat")
VERDICT = "results/small/verdict.json"
FILES = ("weights.safetensors", "trace.jsonl", "history.csv")

AUGMENT = """

def augment(x, y, seed):
    import tensorflow as tf

    return x + tf.random.stateless_normal(tf.shape(x), seed, stddev=0.01), y
"""

# Whoever trains from the first epoch on kills everything, itself too, at the end of that epoch.
KILLER = """

def callbacks(settings, seeds):
    import os
    import signal

    import keras

    def begin(epoch, logs):
        os.environ.setdefault("BEGUN_AT", str(epoch))

    def end(epoch, logs):
        if epoch == settings["epoch"] and os.environ["BEGUN_AT"] == "0":
            os.killpg(0, signal.SIGKILL)

    return [keras.callbacks.LambdaCallback(on_epoch_begin=begin, on_epoch_end=end)]
"""


def configure(made, epoch, checkpoint=0):
    training = {"epochs": 6, "batch_size": 32, "checkpoint": checkpoint}
    made.configure(small=made.entry(settings={"epoch": epoch}, training=training))


def run(made, target):
    """In a session of its own, whose processes a kill reaches, and no others."""
    return made.run("--cores", "1", target, before=("setsid", "--wait"))


@pytest.fixture(scope="module")
def killed(new_project, root):
    """A project whose original was killed when three epochs had a checkpoint, and what was said."""
    made = new_project("killed")
    model = (root / "tests" / "zoo" / f"{RESUMED}.py").read_text()
    (made.folder / "experiment.py").write_text(model + AUGMENT + KILLER)
    shutil.copy(root / "tests" / "irreproducible" / "digits.csv", made.folder / "table.csv")
    configure(made, epoch=3)
    result = run(made, TRAINED)
    assert result.returncode != 0
    assert kept(made, "original")
    return made, result.stdout


@pytest.fixture(scope="module")
def whole(killed, tmp_path_factory):
    """A copy of it in which nothing kills: a setting has changed, so it begins again."""
    made = killed[0].copied(tmp_path_factory.mktemp("whole") / "whole")
    configure(made, epoch=-1)
    result = run(made, TRAINED)
    assert result.returncode == 0, result.stdout
    return made


@pytest.fixture(scope="module")
def resumed(killed, whole):  # the copy comes first
    """The project, whose repeat was killed as well, and then nothing any more."""
    made, *said = killed
    # A repeat dies in a group of its own: Snakemake outlives it and goes on with what it can.
    result = run(made, REPEATED)
    assert result.returncode != 0
    said.append(result.stdout)
    assert len(kept(made, "repeat")) == len(kept(made, "original")) == 2
    assert not list(made.results.rglob("weights.safetensors"))
    result = run(made, VERDICT)
    assert result.returncode == 0, result.stdout
    assert any("left its lock behind" in text for text in (*said, result.stdout))
    return made


def kept(made, run):
    """The checkpoints that a training has left."""
    return list((made.folder / "checkpoints" / "small" / run / "seed-0").glob("epoch-*"))


def test_a_resumed_training_verifies_with_everything_varied(resumed):
    resumed.assert_met_with_everything_varied("small")


def process(made, run):
    path = made.results / "small" / run / "seed-0" / "train.manifest.json"
    return json.loads(path.read_text())["predicate"]["repro_record"]["process"]


@pytest.mark.parametrize("run", ["original", "repeat"])
def test_the_manifest_says_that_it_was_taken_up_and_where(resumed, run):
    told = process(resumed, run)
    assert (told["resumed"], told["resumable"], told["epochs"]) == ([3], "yes", 6)


def test_a_resumed_training_is_the_uninterrupted_one(resumed, whole):
    assert process(whole, "original")["resumed"] == []
    for name in FILES:
        mine, its = (made.results / "small/original/seed-0" / name for made in (resumed, whole))
        assert mine.read_bytes() == its.read_bytes(), name


def test_nothing_is_left_of_the_checkpoints_when_the_training_is_done(resumed):
    assert not [file for file in (resumed.folder / "checkpoints").rglob("*") if file.is_file()]


def test_another_interval_trains_nothing_again(resumed):
    configure(resumed, epoch=3, checkpoint="off")
    assert "Nothing to be done" in resumed.run(VERDICT).stdout


def test_a_checkpoint_of_other_settings_is_of_no_use(whole):
    assert process(whole, "original")["resumed"] == []
    log = (whole.folder / "logs/small/original/train-0.log").read_text()
    assert "are of another training: removed" in log
