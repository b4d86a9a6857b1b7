"""`./run export mlflow`: what is written of the results, and that nothing is written twice."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from export import command, facts
from repro.core.errors import CouldNotRun, UserError
from small_results import Project, write

HISTORY = "epoch,loss,val_loss\n0,2.5,\n1,1.5,0.75\n"
VERDICT = {"goal": "bitwise", "verdict": "met", "sentence": "tiny: same bits."}
LOOK = """
import json, mlflow, sys
mlflow.set_tracking_uri(sys.argv[1])
client = mlflow.MlflowClient()
number = client.get_experiment_by_name("tiny").experiment_id
runs = {}
for run in client.search_runs([number]):
    key, folders = run.info.run_id, client.list_artifacts(run.info.run_id)
    files = [file.path for folder in folders for file in client.list_artifacts(key, folder.path)]
    history = [m.value for m in client.get_metric_history(key, "loss")]
    times = [run.info.start_time, run.info.end_time]
    data = {"parameters": run.data.params, "metrics": run.data.metrics, "tags": run.data.tags}
    assert run.info.run_name not in runs
    runs[run.info.run_name] = {"files": files, "loss": history, "times": times, **data}
    if sys.argv[2:] == [run.info.run_name]:
        client.set_terminated(key, "FAILED")
print(json.dumps(runs))
"""


class Trained(Project):
    """A small project whose trainings have a history, and whose evaluations have metrics."""

    def trained(self) -> dict[str, str | bytes]:
        return {**super().trained(), "history.csv": HISTORY}

    def evaluated(self) -> dict[str, str | bytes]:
        return {"metrics.json": json.dumps({"metrics": {"accuracy": 0.5, "loss: mean": 0.25}})}

    def judge(self, made: list[Path]) -> None:
        write(self.results / "tiny/verdict.json", json.dumps(VERDICT))
        write(self.results / "tiny/verdict.md", "met\n")
        names = ("verdict.json", "verdict.md")
        used = {path.relative_to(self.results / "tiny").as_posix(): path for path in made}
        self.claim("compare", {}, used, "tiny", "verdict", *names)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trained:
    """Such a project, in which we are."""
    made = Trained(tmp_path / "project")
    monkeypatch.chdir(made.folder)
    return made


@pytest.fixture(scope="module")
def python() -> str:
    """A Python that has MLflow."""
    try:
        return command._python(None)
    except UserError:
        pytest.skip("no Python on PATH has MLflow")


def runs() -> dict[str, Any]:
    return {run["name"]: run for run in facts.of_experiments(Path("results"), [])["tiny"]}


def test_each_training_and_the_verdict_are_runs(here: Trained) -> None:
    found = runs()
    assert list(found) == ["original, seed 0", "repeat, seed 0", "verdict"]
    run = found["repeat, seed 0"]
    assert {k: run["parameters"][k] for k in ("seed", "training.epochs", "data.path")} == {
        "seed": "0", "training.epochs": str(here.experiment.training.epochs),
        "data.path": "raw data.csv",
    }  # fmt: skip
    assert [(name, value, epoch) for name, value, _, epoch in run["metrics"]] == [
        ("loss", 2.5, 0), ("loss", 1.5, 1), ("val_loss", 0.75, 1),
        ("test accuracy", 0.5, 0), ("test loss_ mean", 0.25, 0),
    ]  # fmt: skip
    assert [Path(file).name for file in run["files"]["manifests"]] == [
        "data.manifest.json", "train.manifest.json", "evaluate.manifest.json",
    ]  # fmt: skip
    assert found["verdict"]["tags"]["mlflow.note.content"] == VERDICT["sentence"]
    assert len({run["identity"] for run in found.values()}) == 3


def test_what_was_made_again_is_another_run(here: Trained) -> None:
    before = runs()
    here.claim("train", {"run": "repeat", "seed": 0}, here.always(), "tiny/repeat/seed-0", "train",
               "weights.safetensors", "trace.jsonl", "history.csv")  # fmt: skip
    after = runs()
    assert [name for name in before if before[name]["identity"] != after[name]["identity"]] == [
        "repeat, seed 0"
    ]


@pytest.mark.parametrize("file", ["repeat/seed-0/history.csv", "verdict.md", "report.html"])
def test_what_was_changed_since_is_refused(here: Trained, file: str) -> None:
    if file == "report.html":
        write(here.results / "tiny" / file, "<p>met\n")
        here.claim("report", {}, {}, "tiny", "report", file)
        assert file in {Path(page).name for page in runs()["verdict"]["files"]["verdict"]}
    write(here.results / "tiny" / file, "another")
    with pytest.raises(UserError, match=rf"{file} as it was written\. Received another"):
        runs()


TALKING = """
import sys
class MlflowClient:
    def get_experiment_by_name(self, name):
        print("Where it is")
        return None
    def create_experiment(self, name): return "1"
    def search_runs(self, numbers, query): return [Run]
def set_tracking_uri(uri): global store; store = uri
def get_tracking_uri(): return store
class Run:
    class info: status = "FINISHED"
"""


def test_what_mlflow_prints_is_no_answer_and_no_password_is_shown(
    here: Trained,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(tmp_path / "talking/mlflow.py", TALKING)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "talking"))
    assert (
        command.main(["mlflow", "--to", "https://me:secret@there", "--python", sys.executable]) == 0
    )
    assert capsys.readouterr().out.splitlines() == [
        "tiny: 0 new, 3 there already.",
        "The store: https://there. To look at it: https://there",
    ]


def test_a_name_that_is_none_and_no_results_are_refused(here: Trained, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"that have results: tiny\. Received tinny"):
        facts.of_experiments(Path("results"), ["tinny"])
    with pytest.raises(UserError, match=r"Received none\. Make them first"):
        facts.of_experiments(tmp_path / "empty", [])


def test_without_mlflow_one_sentence_says_what_to_do(here: Trained) -> None:
    with pytest.raises(UserError, match=r"that has MLflow\. Received .+ without it\. Install it"):
        command.main(["mlflow", "--python", sys.executable])


def test_the_store_has_all_of_it_and_nothing_twice(
    here: Trained, python: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = f"sqlite:///{tmp_path / 'store.db'}"

    def exported() -> str:
        assert command.main(["mlflow", "--to", store, "--python", python]) == 0
        return capsys.readouterr().out.splitlines()[0]

    def look(*failed: str) -> dict[str, Any]:
        done = subprocess.run(
            [python, "-c", LOOK, store, *failed], capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout)

    assert exported() == "tiny: 3 new, 0 there already."
    found = look("repeat, seed 0")
    for name, run in runs().items():
        there = found[name]
        assert there["parameters"] == run["parameters"]
        assert there["tags"].items() >= run["tags"].items()
        assert there["times"] == [run["begin"], run["end"]]
        assert len(there["files"]) == sum(map(len, run["files"].values()))
    assert found["original, seed 0"]["loss"] == [2.5, 1.5]
    assert found["original, seed 0"]["metrics"]["test accuracy"] == 0.5
    # As one that was killed while it was written.
    assert exported() == "tiny: 1 new, 2 there already."
    assert exported() == "tiny: 0 new, 3 there already."
    assert look() == found


def test_a_store_that_cannot_be_written_is_told(
    here: Trained, python: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CouldNotRun, match="Expected MLflow to write into odd://store"):
        command.main(["mlflow", "--to", "odd://store", "--python", python])
    assert "odd" in capsys.readouterr().err
