"""Killed with all that it had started, Snakemake goes on where it was by the same command."""

import json

import pytest

pytestmark = pytest.mark.slow

TRAINED = "results/small/original/seed-0/train.manifest.json"
FILES = ("weights.safetensors", "trace.jsonl", "history.csv")

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


def project(new_project, name):
    made = new_project(name)
    with (made.folder / "experiment.py").open("a") as file:
        file.write(KILLER)
    return made


def configure(made, epoch, dropout=0.2, checkpoint=0):
    training = {"epochs": 6, "batch_size": 32, "checkpoint": checkpoint}
    settings = {"dropout": dropout, "epoch": epoch}
    made.configure(small=made.entry(settings=settings, training=training))


def run(made, target="all"):
    """In a session of its own, whose processes a kill reaches, and no others."""
    return made.run("--cores", "1", target, before=("setsid", "--wait"))


@pytest.fixture(scope="module")
def resumed(new_project):
    """A project whose original and repeat were killed, in the order that Snakemake took them in."""
    made = project(new_project, "killed")
    configure(made, epoch=3)
    killed, said = set(), []
    while killed != {"original", "repeat"}:
        result = run(made)
        assert result.returncode != 0
        said.append(result.stdout)
        # Whether the first is taken up before the second begins is Snakemake's choice; and where a
        # repeat dies in a group of its own, Snakemake outlives it and goes on with what it can.
        kept = sorted((made.folder / "checkpoints" / "small").glob("*/seed-0/epoch-*"))
        more = {file.parts[-3] for file in kept} - killed
        assert more
        for name in more:
            assert sum(file.parts[-3] == name for file in kept) == 2
            assert not list((made.results / "small" / name).rglob("weights.safetensors"))
        killed |= more
    result = run(made, "verify")
    assert result.returncode == 0, result.stdout
    assert any("left its lock behind" in text for text in (*said, result.stdout))
    return made


def process(made, run):
    path = made.results / "small" / run / "seed-0" / "train.manifest.json"
    return json.loads(path.read_text())["predicate"]["repro_record"]["process"]


@pytest.mark.parametrize("run", ["original", "repeat"])
def test_the_manifest_says_that_it_was_taken_up_and_where(resumed, run):
    told = process(resumed, run)
    assert (told["resumed"], told["resumable"], told["epochs"]) == ([3], "yes", 6)


def test_a_resumed_training_is_the_uninterrupted_one(resumed, new_project):
    whole = project(new_project, "whole")
    configure(whole, epoch=-1)
    result = run(whole, TRAINED)
    assert result.returncode == 0, result.stdout
    assert process(whole, "original")["resumed"] == []
    for name in FILES:
        mine, its = (made.results / "small/original/seed-0" / name for made in (resumed, whole))
        assert mine.read_bytes() == its.read_bytes(), name


def test_nothing_is_left_of_the_checkpoints_when_the_training_is_done(resumed):
    assert not [file for file in (resumed.folder / "checkpoints").rglob("*") if file.is_file()]


def test_another_interval_trains_nothing_again(resumed):
    configure(resumed, epoch=3, checkpoint="off")
    assert "Nothing to be done" in resumed.run("all").stdout


def test_a_checkpoint_of_other_settings_is_of_no_use(new_project):
    made = project(new_project, "other")
    configure(made, epoch=3)
    assert run(made, TRAINED).returncode != 0
    assert list((made.folder / "checkpoints").rglob("epoch-*"))
    configure(made, epoch=-1, dropout=0.3)
    result = run(made, TRAINED)
    assert result.returncode == 0, result.stdout
    assert process(made, "original")["resumed"] == []
    log = (made.folder / "logs/small/original/train-0.log").read_text()
    assert "are of another training: removed" in log
