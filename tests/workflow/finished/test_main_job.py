"""The main job, whole: what it leaves, that it repeats bit for bit, what a change reruns."""

import hashlib
from pathlib import Path

import pytest
from conftest import rules_in
from repro.core.factor_table import FACTORS
from repro.record import event_file, manifest
from repro.record.step import read_step

pytestmark = pytest.mark.slow

EXCEPTED = (".manifest.json", "model.keras", "report.html")
"""What may differ between runs: manifests hold times, and so does Keras' own file."""


@pytest.fixture(scope="module")
def done(finished):
    """A project whose whole job has run."""
    return finished("first")


def test_the_verdict_is_met_and_says_where_and_how_often(done):
    verdict = done.verdict("small")
    assert (verdict["verdict"], verdict["repeats"]) == ("met", 1)
    assert "this machine" in verdict["scope"]
    assert [f["factor"] for f in verdict["factors"]] == list(FACTORS)
    varied = {f["factor"] for f in verdict["factors"] if f["varied"]}
    # The others need more processors or namespaces than some machines give.
    assert set(FACTORS) - varied <= {"processors", "caches", "network", "load"}
    assert all(f["why"] for f in verdict["factors"] if not f["varied"])
    assert [i["same"] for i in verdict["inference"]] == [True, True]
    page = (done.results / "small" / "verdict.md").read_text()
    assert verdict["sentence"] in page


def test_every_file_is_a_subject_of_exactly_one_valid_manifest(done):
    claimed: list[Path] = []
    for path in sorted(done.results.rglob("*.manifest.json")):
        for subject in manifest.read(path)["subject"]:
            file = path.parent / subject["name"]
            assert hashlib.sha256(file.read_bytes()).hexdigest() == subject["digest"]["sha256"]
            claimed.append(file)
    overview = done.results / "index.html"  # made of the others
    files = [f for f in done.results.rglob("*") if f.is_file() and f != overview]
    assert sorted(claimed) == sorted(f for f in files if not f.name.endswith(".manifest.json"))


def test_each_training_has_the_same_file_for_tensorboard(done):
    """Also a repeat, which may not see the folders around it."""
    folders = [done.folder / "logs" / "small" / run / "train-0" for run in ("original", "repeat")]
    original, repeat = ({f.name: f.read_bytes() for f in folder.iterdir()} for folder in folders)
    assert original == repeat
    assert list(original) == [event_file.NAME]


def test_manifests_name_their_inputs_by_digest(done):
    run = done.results / "small" / "original"
    trained = read_step(run / "seed-0" / "train.manifest.json")
    named = trained.digests
    expected = {
        "code": done.results / "code.pyz",
        "experiment": done.folder / "experiment.py",
        "data.manifest": run / "data.manifest.json",
    }
    for name, file in expected.items():
        assert named[name] == hashlib.sha256(file.read_bytes()).hexdigest()
    process = trained.process
    assert process["determinism"]["op_determinism"] is True
    assert process["loop"] == "graph"


def test_nothing_of_this_machine_is_in_the_results(finished_once):
    home = str(Path.home()).encode()
    for file in finished_once.results.rglob("*"):
        if file.is_file() and not file.name.endswith(EXCEPTED):
            content = file.read_bytes()
            assert str(finished_once.folder).encode() not in content
            assert len(home) < 3 or home not in content


def test_run_again_it_does_nothing_whatever_was_touched(done):
    for file in (done.folder / "experiment.py", done.folder / "table.csv"):
        file.touch()
    assert "Nothing to be done" in done.run("all").stdout


@pytest.mark.parametrize("goal", ["metrics", "documented"])
def test_a_change_of_the_goal_trains_nothing(done, goal):
    done.configure(small=done.entry(goal=goal, repeat="full"))
    result = done.run("--quiet", "host", "--", "results/small/verdict.json")
    assert result.returncode == 0, result.stdout
    assert "compare" in rules_in(result.stdout)
    assert "train" not in rules_in(result.stdout)
    found = done.verdict("small")
    assert (found["verdict"], found["best"]) == ("met", "bitwise")
    assert found["sentence"] == found["goals"][goal]["sentence"]
    done.configure(small=done.entry())


def test_the_documented_way_is_executed_for_one_step_of_one_seed(done):
    done.configure(small=done.entry(goal="documented", seeds=[0, 1]))
    planned = done.run("--quiet", "host", "--dry-run", "all").stdout
    assert "repeat/seed-0/weights.safetensors" in planned
    assert "original/seed-1/weights.safetensors" in planned
    assert "repeat/seed-1/" not in planned
    assert "repeat/seed-0/metrics.json" not in planned
    done.configure(small=done.entry())


def test_seeds_by_a_plan_begin_with_those_of_its_first_look(done):
    done.configure(small=done.entry(goal="metrics", seeds="auto"))
    planned = done.run("--quiet", "host", "--dry-run", "all").stdout
    assert "results/small/look-8.json" in planned
    assert "original/seed-7/evaluate.manifest.json" in planned
    assert "repeat/seed-7/evaluate.manifest.json" in planned
    assert "seed-8/" not in planned
    done.configure(small=done.entry())


def test_a_change_of_a_setting_trains_again_from_the_same_data(done):
    done.configure(small=done.entry(training={"epochs": 3, "batch_size": 32}))
    planned = done.run("--quiet", "host", "--dry-run", "all").stdout
    assert "train" in rules_in(planned)
    assert "prepare" not in rules_in(planned)
    done.configure(small=done.entry())
