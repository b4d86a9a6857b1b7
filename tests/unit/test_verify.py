"""`verify` believes no verdict that was edited, nor one whose grounds are gone or others."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from repro.cli.judge import main
from repro.record import installed
from verdicts import claim, edit, reseal, written

Change = Callable[[Path], object]


@pytest.fixture(autouse=True)
def sound(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of these tests may be any; installed's own tests hold the check."""
    monkeypatch.setattr(installed, "require", lambda prefix: None)


def gone(name: str) -> Change:
    return lambda folder: (folder / name).unlink()


def changed(name: str) -> Change:
    return lambda folder: (folder / name).write_text("other")


def edited(folder: Path) -> None:
    edit(folder / "verdict.json", "not met", "met")


def edited_with_its_page(folder: Path) -> None:
    edited(folder)
    edit(folder / "verdict.md", "not met", "met")


def sealed_again(folder: Path) -> None:
    reseal(folder / "original/seed-0/train.manifest.json", '"finishedOn": "2', '"finishedOn": "3')


def of_another(folder: Path) -> None:
    other = written(folder.parents[1], "other", "met").parent
    for name in ("verdict.json", "verdict.md", "verdict.manifest.json"):
        shutil.copy(other / name, folder / name)


def added(folder: Path) -> None:
    (folder / "original/data/test").mkdir()
    (folder / "original/data/test/x.npy").touch()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        pytest.param(edited, ["verdict.json"], id="an edited verdict"),
        pytest.param(edited_with_its_page, ["verdict.json", "verdict.md"], id="and its page"),
        pytest.param(gone("verdict.md"), ["verdict.md (missing"], id="no page"),
        pytest.param(gone("verdict.manifest.json"), ["verdict.manifest.json"], id="no manifest"),
        pytest.param(of_another, ["another experiment"], id="that of another experiment"),
        pytest.param(sealed_again, ["train.manifest.json (sha256"], id="a manifest sealed again"),
        pytest.param(
            changed("original/data.manifest.json"), ["original/data.manifest.json"],
            id="a damaged manifest",
        ),
        pytest.param(
            gone("original/seed-0/train.manifest.json"), ["train.manifest.json (missing"],
            id="no manifest of a step",
        ),
        pytest.param(
            changed("original/seed-0/weights.safetensors"),
            ["original/seed-0/weights.safetensors (sha256", "delete train.manifest.json"],
            id="other weights",
        ),
        pytest.param(gone("original/seed-0/metrics.json"), ["metrics.json (missing"], id="metrics"),
        pytest.param(
            gone("original/data/train/x.npy"),
            ["original/data/train/x.npy (missing", "delete data.manifest.json"],
            id="data that no rule declares",
        ),
        pytest.param(added, ["data/test/x.npy (added"], id="data that were added"),
        pytest.param(gone("probe.json"), ["probe.json (missing"], id="the probe"),
    ],
)  # fmt: skip
def test_what_is_not_as_it_was_is_named(
    change: Change, named: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, "small", "not met")
    change(path.parent)
    assert main(["verify", str(path)]) == 2
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    assert shown.startswith("Expected ")
    assert [name for name in named if name not in shown] == []


def test_all_verdicts_are_looked_at_before_one_sentence_names_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [written(tmp_path, name, "met") for name in ("one", "two", "three")]
    for path in paths[1:]:
        shutil.rmtree(path.parent / "original/seed-0")
    assert main(["verify", *map(str, paths)]) == 2
    shown = capsys.readouterr().err
    for name in ("two", "three"):
        for step in ("train", "evaluate"):
            assert f"results/{name}/original/seed-0/{step}.manifest.json (missing" in shown
    assert "results/one" not in shown


def test_of_very_many_files_some_are_named_and_the_others_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, "small", "met")
    for file in path.parent.rglob("*.*"):
        if file.is_file() and not file.name.endswith(".manifest.json"):
            file.write_text("other")
    assert main(["verify", str(path)]) == 2
    assert "and 4 more (`./run check-files` names all)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("cost", "status"), [({"experiment": "small"}, 2), (None, 0)], ids=["cited", "left out"]
)
def test_the_cost_is_a_ground_only_where_the_verdict_cites_it(
    cost: object, status: int, tmp_path: Path
) -> None:
    path = written(tmp_path, "small", "met", cost=cost)
    (path.parent / "cost.json").write_text("other")
    (path.parent / "cost.manifest.json").write_text("other")
    assert main(["verify", str(path)]) == status


def test_what_the_verdict_does_not_rest_on_does_not_matter(tmp_path: Path) -> None:
    path = written(tmp_path, "small", "met")
    claim(path.parent / "repeat-2/seed-0", "train", "train", ["weights.safetensors"], {})
    (path.parent / "repeat-2/seed-0/weights.safetensors").unlink()
    (path.parent / "notes.txt").touch()
    (path.parent / "original/seed-0/notes.txt").touch()
    assert main(["verify", str(path)]) == 0


def test_each_file_is_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import repro.core.digest as digest

    path, opened = written(tmp_path, "small", "met"), list[str]()
    hashed = digest.hashlib.file_digest

    def counted(file, method):
        opened.append(file.name)
        return hashed(file, method)

    monkeypatch.setattr(digest.hashlib, "file_digest", counted)
    assert main(["verify", str(path)]) == 0
    assert len(opened) == len(set(opened))
    assert {Path(name).name for name in opened} >= {"verdict.json", "weights.safetensors"}
