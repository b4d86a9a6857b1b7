"""Earlier results: what a run would overwrite is listed, asked for at a terminal, and put aside."""

import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import project
import pytest
import tools
import yaml
from earlier import guard
from earlier.guard import Wish
from repro.audit.check import check
from repro.core.digest import sha256_file
from repro.core.errors import UserError
from small_results import Project, write
from user_project.chosen import UserProject
from verbs import prepare

SUMMARY = "output_file\tdate\trule\tlog-file(s)\tstatus\tplan\n"
NAME = "tiny-20??????T??????Z-????????"
Answer = Callable[[str], None]


@pytest.fixture
def here(small: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A small project, in which we are."""
    monkeypatch.chdir(small.folder)
    monkeypatch.setattr(project, "ROOT", small.folder)
    write(small.folder / "logs/tiny/original/train-0.log", "trained\n")
    return small


@pytest.fixture
def summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Says what Snakemake's summary is: a status and a plan by the folder or file."""
    monkeypatch.setattr(tools, "BIN", tmp_path / "bin")

    def say(here: Project, pending: Sequence[str], **status: str) -> None:
        lines = [SUMMARY]
        for file in sorted(here.results.rglob("*")):
            name = file.relative_to(here.folder).as_posix()
            if file.is_file():
                said = next((s for f, s in status.items() if f in name), "ok")
                plan = "update pending" if any(f in name for f in pending) else "no update"
                lines.append(f"{name}\t-\t-\t-\t{said}\t{plan}\n")
        write(tmp_path / "summary", "".join(lines))
        script = f"#!/bin/sh\n[ \"$1\" = --summary ] && exec cat '{tmp_path / 'summary'}'\nexit 1\n"
        write(tmp_path / "bin/snakemake", script).chmod(0o755)

    return say


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Lets somebody sit at a terminal, who types that."""

    def answers(typed: str) -> None:
        monkeypatch.setattr("display.asking.possible", lambda: True)
        read, end = os.pipe()
        os.write(end, typed.encode())
        os.close(end)
        monkeypatch.setattr("sys.stdin", os.fdopen(read))

    return answers


def watch(here: Project, wish: Wish = Wish.ASK, *more: str) -> bool:
    return guard.watch(["all", *more], here.configuration, wish)


def stored(here: Project) -> list[Path]:
    return sorted((here.folder / "runs").glob(NAME))


def edit(here: Project, **changed: Any) -> None:
    """Change the configuration, as it is when a run would overwrite what is there."""
    here.configuration = {"experiments": {"tiny": here.entry(**changed)}}
    here.save()


def judged_anew(here: Project) -> None:
    """Make other results."""
    here.judge(sorted(here.results.glob("tiny/*/**/*.manifest.json"))[:2])


def findings(folder: Path) -> list[str]:
    config = yaml.safe_load((folder / "config/config.yaml").read_text())
    return [str(one) for one in check(folder / "results", project.ROOT, config, "c").findings]


def contents(folder: Path) -> dict[str, bytes]:
    files = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    return {name: file.read_bytes() for name, file in files.items()}


def test_what_is_overwritten_is_listed_and_goes_on_without_a_terminal(
    here: Project, summary: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    summary(here, ["repeat", "verdict"])
    assert watch(here) is True
    said = capsys.readouterr().err
    assert "tiny (repeat: data, training of seed 0, evaluation of seed 0; verdict)" in said
    assert "`--store`" in said
    assert stored(here) == []


def test_where_nothing_is_overwritten_nothing_is_said_or_put_aside(
    here: Project, summary: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    summary(here, [])
    assert watch(here) is False
    assert capsys.readouterr().err == ""
    watch(here, Wish.STORE)
    assert "Nothing would be overwritten" in capsys.readouterr().err
    shutil.rmtree(here.results)
    watch(here, Wish.STORE)
    assert "Nothing would be overwritten" in capsys.readouterr().err
    assert stored(here) == []


def test_what_snakemake_says_is_up_to_date_is_not_run(
    here: Project, summary: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare, "prepared", lambda *_, **__: nullcontext(0))
    summary(here, [])  # of a Snakemake that fails when it is to run
    assert prepare.target(["all"], UserProject(here.folder)) == 0
    assert prepare.target(["all", "--forceall"], UserProject(here.folder)) != 0
    summary(here, ["verdict"])
    assert prepare.target(["all"], UserProject(here.folder)) != 0
    shutil.rmtree(here.results)
    assert prepare.target(["all"], UserProject(here.folder)) != 0


def test_a_stored_run_is_whole_by_itself_whatever_is_made_and_edited_afterwards(
    here: Project, summary: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    guard.remember(here.configuration)
    before = contents(here.folder)
    edit(here, settings={"size": 4})
    write(here.folder / "tiny/layers.py", "SIZE = 4\n")
    summary(here, ["results/tiny"])
    watch(here, Wish.STORE)
    (folder,) = stored(here)
    assert f"Put aside in runs/{folder.name}.\n" in capsys.readouterr().err
    here.make()
    write(here.folder / "raw data.csv", "5,6\n")
    write(here.folder / "logs/tiny/original/train-0.log", "trained again\n")
    kept = contents(folder)
    for name, content in kept.items():
        if name != "config/config.yaml":
            assert content == before[name], name
    assert {
        name for name in before if name.startswith(("results/", "tiny/", "raw", "logs/tiny"))
    } <= {*kept}
    assert findings(folder) == []


def test_weights_from_elsewhere_are_put_aside_or_named_as_missing(
    here: Project, summary: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(here.folder / "base.weights.h5", "base")
    edit(here, pretrained={"path": file.name, "sha256": sha256_file(file)})
    here.make()
    guard.remember(here.configuration)
    write(file, "another")
    summary(here, ["results/tiny"])
    watch(here, Wish.STORE)
    (folder,) = stored(here)
    assert (folder / file.name).read_text() == "base"
    assert findings(folder) == []
    shutil.rmtree(here.folder / "runs")
    watch(here, Wish.STORE)
    assert "without weights from elsewhere (base.weights.h5)" in capsys.readouterr().err


def test_touching_overwrites_nothing(
    here: Project, summary: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    summary(here, ["results/tiny"])
    for option in ("--touch", "-t"):
        watch(here, Wish.ASK, option)
    assert capsys.readouterr().err == ""


def test_results_are_linked_not_copied_and_are_not_those_of_another_run(
    here: Project, summary: Callable[..., None]
) -> None:
    summary(here, ["results/tiny"])
    watch(here, Wish.STORE)
    (folder,) = stored(here)
    weights = "results/tiny/original/seed-0/weights.safetensors"
    assert (folder / weights).samefile(here.folder / weights)
    assert not (folder / "tiny/layers.py").samefile(here.folder / "tiny/layers.py")
    assert not (folder / "raw data.csv").samefile(here.folder / "raw data.csv")


def test_where_there_are_no_hard_links_it_is_copied(
    here: Project, summary: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    summary(here, ["results/tiny"])
    watch(here, Wish.STORE)
    (folder,) = stored(here)
    assert findings(folder) == []


def test_the_same_results_are_put_aside_once_and_others_in_the_same_second_beside_them(
    here: Project, summary: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    summary(here, ["results/tiny"])
    for _ in range(2):
        watch(here, Wish.STORE)
    assert len(stored(here)) == 1
    assert "already" in capsys.readouterr().err
    judged_anew(here)
    watch(here, Wish.STORE)
    assert len(stored(here)) == 2


def test_what_is_missing_of_the_origin_is_said(
    here: Project, summary: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    write(here.folder / "tiny/layers.py", "SIZE = 4\n")  # before anybody could remember it
    edit(here, settings={"size": 4})
    summary(here, ["results/tiny"])
    watch(here, Wish.STORE)
    said = capsys.readouterr().err
    assert "without its configuration and its code (tiny): changed since" in said
    (folder,) = stored(here)
    assert not (folder / "config").exists()
    assert (folder / "raw data.csv").is_file()


@pytest.mark.parametrize("typed", ["", "\n", "no\n", "n\n", "o\n", "quit\n"])
def test_whoever_types_anything_else_than_a_whole_word_changes_nothing(
    typed: str, here: Project, summary: Callable[..., None], terminal: Answer
) -> None:
    summary(here, ["results/tiny"])
    terminal(typed)
    before = contents(here.results)
    with pytest.raises(UserError, match="Nothing was run and nothing was changed"):
        watch(here)
    assert contents(here.results) == before
    assert stored(here) == []


@pytest.mark.parametrize(("typed", "runs"), [("y\n", 1), ("Yes\n", 1), ("overwrite\n", 0)])
def test_whoever_says_yes_puts_aside_and_goes_on(
    typed: str, runs: int, here: Project, summary: Callable[..., None], terminal: Answer
) -> None:
    summary(here, ["results/tiny"])
    terminal(typed)
    watch(here)
    assert len(stored(here)) == runs


def test_whoever_said_it_beforehand_is_not_asked(
    here: Project, summary: Callable[..., None], terminal: Answer
) -> None:
    summary(here, ["results/tiny"])
    terminal("")
    watch(here, Wish.OVERWRITE)
    assert stored(here) == []
    watch(here, Wish.STORE)
    assert len(stored(here)) == 1


def test_what_a_killed_one_left_is_no_stored_run_and_goes(
    here: Project, summary: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    summary(here, ["results/tiny"])
    real, count = os.link, 0

    def killed(*paths: Any) -> None:
        nonlocal count
        count += 1
        if count > 5:
            os._exit(9)
        real(*paths)

    if (child := os.fork()) == 0:
        monkeypatch.setattr(os, "link", killed)
        watch(here, Wish.STORE)
        os._exit(0)  # it was not killed, and must not go on as a second test run
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert stored(here) == []
    assert list((here.folder / "runs").glob(".partial.*"))
    judged_anew(here)
    watch(here, Wish.STORE)
    assert not list((here.folder / "runs").glob(".partial.*"))
    assert len(stored(here)) == 1


def edited(here: Project, name: str) -> None:
    file = here.folder / name
    file.write_text(f"{file.read_text()}# edited\n")


@pytest.mark.parametrize(
    ("edits", "own", "more", "expected"),
    [
        ("Snakefile", {}, (), ""),
        ("workflow/lib/repro/cli/judge.py", {}, (), "tiny (verdict)"),
        ("workflow/lib/repro/model/training.py", {}, (), "tiny (original: data, "),
        ("workflow/envs/keras.yaml", {}, (), "tiny (original: data, "),
        ("Snakefile", {"tiny/repeat/seed-0/weights": "params changed"}, (),
         "tiny (repeat: training of seed 0, evaluation of seed 0; verdict)"),
        ("Snakefile", {}, ("--forceall",), "tiny (original: data, "),
        ("Snakefile", {}, ("-F",), "tiny (original: data, "),
    ],
)  # fmt: skip
def test_when_programs_are_packed_anew_only_what_changed_is_listed(
    edits: str, own: dict[str, str], more: tuple[str, ...], expected: str, here: Project,
    summary: Callable[..., None], capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    edited(here, edits)
    summary(here, ["results"], **{"results/code": "updated input files", **own})
    watch(here, Wish.ASK, *more)
    said = capsys.readouterr().err
    assert expected in said
    assert bool(said) == bool(expected)
    assert "code" not in said


def test_what_snakemake_refuses_is_not_asked_about_but_put_aside_where_that_is_wanted(
    here: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, terminal: Answer,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(tools, "BIN", tmp_path)
    write(tmp_path / "snakemake", "#!/bin/sh\nexit 1\n").chmod(0o755)
    terminal("")
    watch(here)
    assert capsys.readouterr().err == "Snakemake does not say what this run would overwrite.\n"
    watch(here, Wish.STORE)
    assert len(stored(here)) == 1


def test_with_seeds_that_a_look_decides_all_seeds_count(
    here: Project, summary: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    write(here.results / "tiny/look-8.json", "{}")
    here.claim("look", {"seeds": 8}, here.always(), "tiny", "look-8", "look-8.json")
    summary(here, ["look-8", "original/data"])
    lines = (here.folder.parent / "summary").read_text().splitlines(keepends=True)
    planned = [line for line in lines if "seed-0" not in line]  # they depend on the look
    write(here.folder.parent / "summary", "".join(planned))
    watch(here)
    assert "training of seed 0" in capsys.readouterr().err
