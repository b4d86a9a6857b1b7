"""Killed with all that it had started, Snakemake goes on where it was by the same command."""

import json

import pytest

pytestmark = pytest.mark.slow

# Once, in the original alone: the repeat sees another environment.
KILLER = """

def callbacks(settings, seeds):
    import os
    import signal
    from pathlib import Path

    import keras

    def end(epoch, logs):
        mark = Path(__file__).with_name("killed")
        if epoch == settings["epoch"] and os.environ["REPRO_FACTORS"] == "[]" and not mark.exists():
            mark.touch()
            os.killpg(0, signal.SIGKILL)

    return [keras.callbacks.LambdaCallback(on_epoch_end=end)]
"""


def killed(new_project, name, **training):
    made = new_project(name)
    with (made.folder / "experiment.py").open("a") as file:
        file.write(KILLER)
    entry = made.entry(
        settings={"dropout": 0.2, "epoch": 3}, training={"epochs": 6, "batch_size": 32, **training}
    )
    made.configure(small=entry)
    result = made.run("all", before=("setsid", "--wait"))
    assert result.returncode != 0
    assert (made.folder / "killed").exists()
    assert not list(made.results.rglob("weights.safetensors"))
    return made


@pytest.fixture(scope="module")
def resumed(new_project):
    made = killed(new_project, "killed", checkpoint=0)
    assert len(list((made.folder / "checkpoints").rglob("epoch-*"))) == 2
    result = made.run("verify")
    assert result.returncode == 0, result.stdout
    assert "left its lock behind" in result.stdout
    return made


def process(made, run):
    path = made.results / "small" / run / "seed-0" / "train.manifest.json"
    return json.loads(path.read_text())["predicate"]["repro_record"]["process"]


def test_a_resumed_training_is_the_uninterrupted_one(resumed):
    """The repeat was not killed, and every bit of it is compared."""
    assert resumed.verdict("small")["verdict"] == "met"
    told = process(resumed, "original")
    assert (told["resumed"], told["resumable"], told["epochs"]) == ([3], "yes", 6)
    assert process(resumed, "repeat")["resumed"] == []


def test_nothing_is_left_of_the_checkpoints_when_the_training_is_done(resumed):
    assert not [file for file in (resumed.folder / "checkpoints").rglob("*") if file.is_file()]


def test_another_interval_trains_nothing_again(resumed):
    settings = {"dropout": 0.2, "epoch": 3}
    training = {"epochs": 6, "batch_size": 32, "checkpoint": "off"}
    resumed.configure(small=resumed.entry(settings=settings, training=training))
    assert "Nothing to be done" in resumed.run("all").stdout


def test_a_checkpoint_of_other_settings_is_of_no_use(new_project):
    made = killed(new_project, "other", checkpoint=0)
    made.configure(
        small=made.entry(
            settings={"dropout": 0.3, "epoch": 3},
            training={"epochs": 6, "batch_size": 32, "checkpoint": 0},
        )
    )
    train = "results/small/original/seed-0/train.manifest.json"
    result = made.run("--cores", "1", train)
    assert result.returncode == 0, result.stdout
    assert process(made, "original")["resumed"] == []
    log = (made.folder / "logs/small/original/train-0.log").read_text()
    assert "are of another training: removed" in log
