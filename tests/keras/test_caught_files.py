"""What the user's code writes to relative paths is caught in a folder that the manifest binds."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from repro.checkpoint.caught_files import caught
from repro.checkpoint.file_format import Facts, Snapshot
from repro.checkpoint.store import CheckpointStore
from repro.core.canonical_json import canonical
from repro.core.config import resolve
from repro.core.digest import sha256_file
from test_hashed_once import EXPERIMENT, Project, is_sound, project

CALLBACKS = """

def write(path, text):
    from pathlib import Path

    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)

def callbacks(settings, seeds):
    import os
    from pathlib import Path
    import keras

    killed = Path(settings["killed"])
    write("made/before.txt", "before")

    def end(epoch, logs):
        if epoch == 3 and not killed.exists():
            killed.touch()
            os.kill(os.getpid(), 9)
        write(f"made/{epoch}.txt", str(epoch))
        if epoch == 0:
            os.symlink("/", "made/link")

    best = keras.callbacks.ModelCheckpoint("best/{epoch}.weights.h5", save_weights_only=True)
    return [best, keras.callbacks.LambdaCallback(on_epoch_end=end)]
"""
EPOCHS = 5
FILES = {
    "made/before.txt",
    *(f"made/{epoch}.txt" for epoch in range(EPOCHS)),
    *(f"best/{epoch + 1}.weights.h5" for epoch in range(EPOCHS)),
}
OUT = "results/e/{run}/seed-0"


class Written(Project):
    """A project whose code writes beside itself, as it believes."""

    def asked(self, step: str, run: str) -> str:
        data = {"path": "table.csv", "sha256": sha256_file(self.folder / "table.csv")}
        training = {"epochs": EPOCHS, "batch_size": 32}
        entry = {
            "code": "experiment.py", "data": data, "settings": self.settings, "training": training,
        }  # fmt: skip
        return canonical(resolve({"experiments": {"e": entry}})["e"].parameters(step, run))

    def own(
        self, step: str, run: str, vary: str = "", out: str | None = None, **inputs: str
    ) -> int:
        of_run = f"results/e/{run}"
        given = {"experiment": "experiment.py", "data": f"{of_run}/data",
                 "data.manifest": f"{of_run}/data.manifest.json", **inputs}  # fmt: skip
        kept = ["--checkpoints", f"checkpoints/{run}", "--every", "0"] if step == "train" else []
        _, done = self.hashed(
            "results/code.pyz", "launch", "--run", run, "--intra", "2", "--vary", vary, "--", step,
            "--experiment", "e", "--run", run, "--parameters", self.asked(step, run), *kept,
            "--out", out or OUT.format(run=run),
            "--input", *(f"{name}={path}" for name, path in given.items()),
        )  # fmt: skip
        print(done.stderr)
        return done.returncode

    def below(self, folder: str) -> set[str]:
        found = self.folder / folder
        return {file.relative_to(found).as_posix() for file in found.rglob("*") if file.is_file()}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    if not is_sound():
        pytest.skip("a step runs only in the locked environment")
    folder = tmp_path_factory.mktemp("project")
    model = EXPERIMENT.replace("    import keras\n", "    import keras\n    write('own', '')\n")
    made = project(folder, killed=str(folder / "killed"))
    (folder / "experiment.py").write_text(model + CALLBACKS)
    return Written(made.folder, made.settings)


def subjects(file: Path) -> dict[str, str]:
    found: dict[str, Any] = json.loads(file.read_text())
    return {each["name"]: each["digest"]["sha256"] for each in found["subject"]}


@pytest.mark.slow
def test_files_of_a_training_are_caught_also_after_a_kill_and_elsewhere(written: Written) -> None:
    run = "repeat"  # in which something may be varied
    _, done = written.step("prepare", run, data="table.csv")
    assert done.returncode == 0, done.stderr
    before = written.below(".")
    assert written.own("train", run) not in (0, 2)
    assert not (written.folder / OUT.format(run=run) / "files").exists()
    assert written.own("train", run) == 0
    folder = written.folder / OUT.format(run=run)
    assert json.loads((folder / "train.manifest.json").read_text())["predicate"]["repro_record"][
        "process"
    ]["resumed"] == [3]
    assert written.below(f"{OUT.format(run=run)}/files") == {"own", *FILES}
    bound = subjects(folder / "train.manifest.json")
    for name in ("own", *FILES):
        assert bound[f"files/{name}"] == sha256_file(folder / "files" / name)
    elsewhere = "results/e/elsewhere"
    assert written.own("train", run, "hash seed,working directory", elsewhere) == 0
    assert written.below(f"{elsewhere}/files") == {"own", *FILES}
    others = written.below(".") - before - {"killed", "log", "notes"}
    outs = (OUT.format(run=run), elsewhere)
    assert {name for name in others if not name.startswith(outs)} == set()
    weights = f"{OUT.format(run=run)}/weights.safetensors"
    manifest = f"{OUT.format(run=run)}/train.manifest.json"
    done = written.own("evaluate", run, weights=weights, **{"train.manifest": manifest})
    assert done == 0
    assert not (written.folder / "own").exists()
    (folder / "files" / "added").touch()
    done = written.own("evaluate", run, weights=weights, **{"train.manifest": manifest})
    assert done == 2, "the folder is bound as a whole"
    (folder / "files" / "added").unlink()


def test_nothing_that_was_written_leaves_no_folder(tmp_path: Path) -> None:
    here = Path.cwd()
    with caught(tmp_path / "place", tmp_path / "files"):
        assert Path.cwd() == (tmp_path / "place").resolve()
        Path("empty").mkdir()
    assert Path.cwd() == here
    assert not (tmp_path / "files").exists()


def test_links_are_left_out_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with caught(tmp_path / "place", tmp_path / "files"):
        Path("a").write_text("a")
        Path("link").symlink_to("a")
        Path("folder").symlink_to("/")
        os.mkfifo("pipe")
    assert [file.name for file in (tmp_path / "files").iterdir()] == ["a"]
    said = capsys.readouterr().out
    assert all(f"Left out: {name}," in said for name in ("link", "folder", "pipe"))


def test_what_fails_stays_where_it_is(tmp_path: Path) -> None:
    here = Path.cwd()

    def fail() -> None:
        with caught(tmp_path / "place", tmp_path / "files"):
            Path("a").touch()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert Path.cwd() == here
    assert (tmp_path / "place" / "a").exists()
    assert not (tmp_path / "files").exists()


def test_what_was_caught_is_caught_again_if_the_outputs_do_not_come_to_be(tmp_path: Path) -> None:
    """A kill between the last epoch and the manifest leaves the outputs unfinished."""
    for out in ("killed", "resumed"):
        (tmp_path / out).mkdir()
        with caught(tmp_path / "place", tmp_path / out / "files"):
            if out == "killed":
                Path("made").mkdir(mode=0o755)
                Path("made/0.txt").write_text("0")
                Path("made").chmod(0o555)
        assert (tmp_path / out / "files/made/0.txt").read_text() == "0"
    for place in tmp_path.glob("**/made"):
        place.chmod(0o755)  # so that pytest can remove it


def test_only_what_the_same_training_left_is_found_again(tmp_path: Path) -> None:
    store, other = (CheckpointStore(tmp_path / "kept", key) for key in ("one", "other"))
    (store.caught("files") / "a").touch()
    assert not list(store.caught("files").iterdir()), "training begins at the first epoch"
    (tmp_path / "trace").touch()

    def keep() -> None:
        facts: Facts = {"finished": False, "resumed": [], "graphs": {}, "history": []}
        store.add(Snapshot(1, {}, facts), tmp_path / "trace")
        (store.caught("files") / "a").touch()

    keep()
    assert [file.name for file in store.caught("files").iterdir()] == ["a"]
    (tmp_path / "kept" / "epoch-00000001.checkpoint").write_bytes(b"damaged")
    assert not list(store.caught("files").iterdir()), "training begins at the first epoch"
    keep()
    assert not list(other.caught("files").iterdir())
    assert not list(store.caught("files").iterdir()), "it was another training's turn"
    store.remove()
    assert not (tmp_path / "kept").exists()
