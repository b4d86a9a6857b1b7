"""./run rerun: nothing of an archive runs before it was looked at and somebody said yes."""

import functools
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import project
import pytest
import small_archive
import small_results
import tools
from conda import front_end
from repro.archive import open_archive
from repro.archive.write import write
from repro.core.digest import sha256_file, sha256_files
from repro.core.errors import CouldNotRun, UserError
from repro.data.module_loader import module
from small_archive import members
from small_channel import make_wheel
from small_results import Project
from verbs import reproduce, rerun


@pytest.fixture(scope="module", autouse=True)
def _read_once() -> Iterator[None]:
    """The judge is packed for each run, from sources that are parsed for the first alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reproduce, "module", functools.cache(module))
        yield


@pytest.fixture
def path(sound: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "tiny.crate.zip"
    copy.write_bytes(sound.read_bytes())
    return copy


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


def test_a_look_unpacks_nothing(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rerun.main([str(path), "--check-only"]) == 0
    assert list(path.parent.iterdir()) == [path]
    assert "experiment tiny, without packages" in capsys.readouterr().out


@pytest.mark.parametrize(
    "typed", [io.StringIO("y\n"), Terminal("n\n"), Terminal("\n"), Terminal(""), None]
)
def test_without_a_yes_nothing_is_unpacked(
    typed: io.StringIO | None, path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr("sys.stdin", typed)
    with pytest.raises(UserError, match=r"Expected a yes\. Received none\. Nothing was unpacked"):
        rerun.main([str(path)])
    assert list(path.parent.iterdir()) == [path]
    assert "all of them the archive's, with your rights" in capsys.readouterr().out


@pytest.mark.parametrize("said", [["--yes"], []])
def test_with_a_yes_it_runs_where_it_was_unpacked_beside_the_archived_results(
    said: list[str], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert rerun.main([str(path), *said]) == 4  # the archive's own `run` fails
    folder = path.parent / "tiny"
    assert (folder / "ran.txt").read_text() == "all \n"
    assert (folder / ".tools/channel").read_text() == "local"
    assert not (folder / "results").exists()
    inside = members(path)
    known = {n.removeprefix("results/") for n in inside if n.startswith("results/")}
    assert sha256_files(folder / "archived-results").keys() == known


def test_a_refused_archive_asks_nothing_and_runs_nothing(sound: Path, tmp_path: Path) -> None:
    forged = tmp_path / "tiny.crate.zip"
    small_archive.forge(sound, lambda content: content.update({"odd": b""}), forged)
    with pytest.raises(UserError, match="odd is there, which nothing in the archive speaks of"):
        rerun.main([str(forged), "--yes"])
    assert list(tmp_path.iterdir()) == [forged]


def test_a_folder_that_is_there_is_not_touched(path: Path) -> None:
    (path.parent / "tiny").mkdir()
    with pytest.raises(UserError, match=r"Expected nothing at .*tiny\. Received something"):
        rerun.main([str(path), "--yes"])
    assert list((path.parent / "tiny").iterdir()) == []
    for name in ("odd.zip", ".crate.zip", "..crate.zip"):
        with pytest.raises(UserError, match=r"Expected a file called NAME\.crate\.zip"):
            rerun.main([str(path.rename(path.with_name(name))), "--yes"])
        path.with_name(name).rename(path)


def test_a_manifest_without_a_channel_is_looked_at_all_the_same(
    sound: Path, tmp_path: Path
) -> None:
    """Whatever its author left out: nothing but a sentence comes of it."""

    def change(content: small_archive.Members) -> None:
        def without(value: Any) -> None:
            del value["predicate"]["repro_record"]["environment"]["installed"]["channel"]

        small_archive.reseal(content, "results/tiny/report.manifest.json", without)

    path = small_archive.forge(sound, change, tmp_path / "a.crate.zip")
    assert rerun.main([str(path), "--check-only"]) == 0


def test_what_cannot_be_laid_where_it_belongs_is_told(furnished: Project, tmp_path: Path) -> None:
    path = tmp_path / "tiny.crate.zip"
    write(path, small_archive.plan(furnished, limit=0))
    small_results.write(tmp_path / "data/raw data.csv/a.csv", "1,2\n")
    (tmp_path / "data/raw data.csv/link.csv").symlink_to("nowhere")
    with pytest.raises(CouldNotRun) as error:
        rerun.main([str(path), "--yes", "--data", str(tmp_path / "data")])
    source = tmp_path / "data/raw data.csv"
    assert f"Expected to copy raw data from {source} to {tmp_path}/tiny/" in str(error.value)
    assert f"No such file or directory: '{source}/link.csv'. Let the former" in str(error.value)


def test_with_its_packages_pip_looks_nowhere_else_whatever_the_folder_is_called(
    small: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = make_wheel(tmp_path)
    known = {"manager": "pip", "name": "some-thing", "version": "2.0"}
    monkeypatch.setattr(small_results, "PACKAGES", [{**known, "sha256": sha256_file(wheel)}])
    small_archive.furnish(small).make()
    say = "#!/bin/sh\npython3 -m pip download -qq --no-deps --dest got some-thing==2.0\nexit 3\n"
    small_results.write(small.folder / "run", say)
    plan = small_archive.plan(small, {f"packages/pypi/{wheel.name}": wheel})
    write(tmp_path / "a.crate.zip", plan)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    place = tmp_path / "another place"
    assert rerun.main([str(tmp_path / "a.crate.zip"), "--into", str(place), "--yes"]) == 4
    assert [path.name for path in (place / "got").iterdir()] == [wheel.name]


def test_another_archive_than_the_one_that_was_asked_about_is_not_run(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody puts another sound one in its place while the question waits."""

    def swap(*_: object) -> None:
        other = path.with_name("other.crate.zip")
        small_archive.forge(path, lambda content: content.update({"README.md": b"other"}), other)
        other.replace(path)

    monkeypatch.setattr(rerun, "_ask", swap)
    with pytest.raises(UserError, match=r"Expected the archive that was looked at, .* meanwhile"):
        rerun.main([str(path), "--yes"])
    assert list(path.parent.iterdir()) == [path]


FOUND = {"goal": "bitwise", "sentence": "tiny: so.", "reached": "metrics"}
RUN = """\
#!/bin/sh
echo "$@" >>calls.txt
mkdir -p results/tiny
[ "$1" = all ] && printf '{"sentence": "tiny: once more."}' >results/tiny/verdict.json
[ "$1" = reproduce ] && cp found.json reproduction.json
find results -type f | sort >files.txt
find . -newermt 2001-09-10 -path './results*' -type f >young.txt
exit 0
"""


@pytest.fixture
def runs(furnished: Project, tmp_path: Path) -> Path:
    """An archive whose own `run` notes how it is called, and finds what it is told to."""
    small_results.write(furnished.folder / "run", RUN)
    return small_archive.archived(furnished, tmp_path / "tiny.crate.zip")


def again_in(folder: Path, path: Path, found: object, *options: str) -> int:
    """Run an archive again, in which the judge finds this."""
    unpacked = folder / "out"

    def unpack(source: Path, target: Path, seen: str) -> None:
        open_archive.unpack(source, target, seen=seen)
        (target / "found.json").write_text(json.dumps(found))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rerun, "unpack", unpack)
        return rerun.main([str(path), "--yes", "--into", str(unpacked), *options])


@pytest.mark.parametrize(("verdict", "status"), [("met", 0), ("not met", 1), ("inconclusive", 3)])
def test_the_status_says_whether_the_claim_was_found_again(
    verdict: str, status: int, runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert again_in(tmp_path, runs, {**FOUND, "verdict": verdict}) == status
    told = capsys.readouterr().out
    assert (
        "\ntiny: so.\nThe archive claims bitwise; the strongest goal that was reached: metr" in told
    )
    assert "a second time to compare: tiny: once more.\n" in told
    calls = (tmp_path / "out/calls.txt").read_text().splitlines()
    config = "archived=archived-results judge=.tools/judge.pyz"
    assert calls == ["all", f"reproduce --config {config}"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--evaluate"], "only the evaluation was rerun."),
        ([], "no goal was reached."),
    ],
)
def test_an_evaluation_that_agrees_is_not_said_to_have_reached_nothing(
    options: list[str], told: str, runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {**FOUND, "reached": None, "verdict": "met" if options else "not met"}
    assert again_in(tmp_path, runs, found, *options) == (0 if options else 1)
    assert f"The archive claims bitwise; {told}\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("teller", "at", "end", "status"),
    [
        # An earlier version, whose `run` ends with 1 or 2 for whatever went wrong.
        (False, "all", "exit 1", 4),
        (False, "all", "exit 2", 4),
        (False, "all", "exit 3", 4),
        (False, "reproduce", "exit 1", 4),
        (False, "reproduce", "exit 3", 4),
        (True, "all", "exit 1", 4),
        (True, "all", "exit 2", 2),
        (True, "all", "exit 3", 4),
        (True, "all", "exit 4", 4),
        (True, "all", "kill -9 $$", 4),
        (True, "reproduce", "exit 2", 2),
        (True, "reproduce", "exit 4", 4),
    ],
)
def test_a_run_that_fails_is_no_answer(
    teller: bool, at: str, end: str, status: int, furnished: Project, tmp_path: Path
) -> None:
    small_results.write(furnished.folder / "run", f"{RUN[:-7]}[ $1 = {at} ] && {end}\nexit 0\n")
    if teller:
        small_results.write(furnished.folder / "bootstrap/outcome.py", "")
    path = small_archive.archived(furnished, tmp_path / "tiny.crate.zip")
    found = {**FOUND, "verdict": "not met"}
    assert again_in(tmp_path, path, found) == status
    assert (tmp_path / "out/calls.txt").read_text().splitlines()[-1].startswith(at)


def test_an_archive_whose_run_cannot_be_started_could_not_run(
    furnished: Project, tmp_path: Path
) -> None:
    small_results.write(furnished.folder / "run", "#!/nowhere/sh\n")
    path = small_archive.archived(furnished, tmp_path / "tiny.crate.zip")
    done = subprocess.run(
        [project.ROOT / "run", "rerun", path, "--yes"], text=True, capture_output=True, check=False
    )
    assert done.returncode == 4
    assert done.stderr.startswith("Expected to read and write files, and to start programs. Rec")


def test_a_refused_archive_is_the_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "a.crate.zip").write_bytes(b"no zip")
    command = [project.ROOT / "run", "rerun", tmp_path / "a.crate.zip", "--yes"]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_the_judge_is_that_of_the_copy_that_is_trusted(runs: Path, tmp_path: Path) -> None:
    again_in(tmp_path, runs, {**FOUND, "verdict": "met"})
    pack = module("test_pack", project.ROOT / "workflow/scripts/pack.py")
    own = pack.packed(pack.members("judge"))
    assert (tmp_path / "out/.tools/judge.pyz").read_bytes() == own
    assert own != members(runs)["results/judge.pyz"]


@pytest.mark.parametrize("found", ["met", {"verdict": "met"}, [], None])
def test_a_run_that_ends_without_an_answer_is_told(
    found: object, runs: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"Expected what came of the run at .*reproduction\.json"):
        again_in(tmp_path, runs, found)


def test_only_the_evaluation_is_missing_where_weights_are_evaluated_again(
    runs: Path, tmp_path: Path
) -> None:
    assert again_in(tmp_path, runs, {**FOUND, "verdict": "met"}, "--evaluate") == 0
    config = "archived=archived-results judge=.tools/judge.pyz evaluated=True"
    assert (tmp_path / "out/calls.txt").read_text() == f"reproduce --config {config}\n"
    there = set((tmp_path / "out/files.txt").read_text().split())
    original = {n for n in members(runs) if n.startswith(("results/tiny/original/", "results/c"))}
    assert original - there == {
        f"results/tiny/original/seed-0/{name}"
        for name in ("evaluate.manifest.json", "metrics.json")
    }
    assert there - original == {"results/judge.pyz", "results/report.pyz"}
    assert (tmp_path / "out/young.txt").read_text() == ""  # nothing that Snakemake would redo


def test_raw_data_that_were_left_out_must_be_brought(furnished: Project, tmp_path: Path) -> None:
    small_results.write(furnished.folder / "run", RUN)
    path = tmp_path / "tiny.crate.zip"
    write(path, small_archive.plan(furnished, limit=0))
    for options in ([], ["--data", str(tmp_path / "nowhere")]):
        with pytest.raises(UserError, match=r"leaves out, .* Received none: raw data\.csv\."):
            again_in(tmp_path, path, {**FOUND, "verdict": "met"}, *options)
    assert not (tmp_path / "out").exists()
    here = ("--data", str(furnished.folder))
    assert again_in(tmp_path, path, {**FOUND, "verdict": "met"}, *here) == 0
    assert (tmp_path / "out/raw data.csv").read_text() == "1,2\n3,4\n"


@pytest.mark.parametrize("path", ["./raw data.csv", "a//raw data.csv"])
def test_raw_data_are_brought_however_their_path_is_written(
    path: str, furnished: Project, tmp_path: Path
) -> None:
    small_results.write(furnished.folder / path, "1,2\n3,4\n")
    furnished.configuration["experiments"]["tiny"]["data"]["path"] = path
    furnished.save()
    furnished.make()
    archive = tmp_path / "tiny.crate.zip"
    write(archive, small_archive.plan(furnished, limit=0))
    assert rerun.main([str(archive), "--yes", "--data", str(furnished.folder)]) == 4
    assert (tmp_path / "tiny" / path).read_text() == "1,2\n3,4\n"


@pytest.mark.parametrize("there", [True, False])
def test_raw_data_outside_of_the_folder_are_never_written(
    there: bool, furnished: Project, tmp_path: Path
) -> None:
    outside = furnished.folder / "raw data.csv"
    furnished.configuration["experiments"]["tiny"]["data"]["path"] = str(outside)
    furnished.save()
    furnished.make()
    small_results.write(furnished.folder / "run", RUN)
    path = tmp_path / "tiny.crate.zip"
    write(path, small_archive.plan(furnished, limit=0))
    mine = small_results.write(tmp_path / "mine/raw data.csv", "mine")
    if not there:
        outside.unlink()
    with nullcontext() if there else pytest.raises(UserError, match=r"leaves out, at .*raw data"):
        again_in(tmp_path, path, {**FOUND, "verdict": "met"}, "--data", str(mine.parent))
    assert (tmp_path / "out").exists() == outside.exists() == there
    assert not there or outside.read_text() == "1,2\n3,4\n"


def test_conda_packages_of_either_kind_are_laid_where_they_are_looked_for_once(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_archive.unpack(runs, tmp_path / "out")
    (tmp_path / "out/found.json").write_text(json.dumps({**FOUND, "verdict": "met"}))
    conda = tmp_path / "out/packages/conda"
    for name in ("noarch/a-1-0.tar.bz2", "linux-64/b-1-0.conda", "linux-64/odd/c-1-0.conda"):
        small_results.write(conda / name, name)
    copied: list[str] = []
    copy = shutil.copyfile

    def counted(source: Path, target: Path) -> None:
        copied.append(Path(source).name)
        copy(source, target)

    monkeypatch.setattr(shutil, "copyfile", counted)
    assert (
        reproduce.run(tmp_path / "out", reproduce.Kind("tiny", "whole", "locked", offline=True))
        == 0
    )
    assert sorted(copied) == ["a-1-0.tar.bz2", "b-1-0.conda"]
    assert (tmp_path / "out/.tools/pkgs/a-1-0.tar.bz2").read_text() == "noarch/a-1-0.tar.bz2"


@pytest.mark.parametrize("offline", [True, False])
def test_packages_of_an_archive_are_installed_by_the_conda_that_looks_for_them(
    offline: bool, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's own would ask the channel, or look where the user keeps packages."""
    users = small_results.write(tmp_path / "bin/conda", "#!/bin/sh\necho conda 26.7.1\n")
    users.chmod(0o755)
    monkeypatch.setenv("PATH", str(users.parent), prepend=os.pathsep)
    monkeypatch.setenv("CONDA_PKGS_DIRS", str(tmp_path / "kept"))
    open_archive.unpack(runs, tmp_path / "out")
    (tmp_path / "out/found.json").write_text(json.dumps({**FOUND, "verdict": "met"}))
    (tmp_path / "out/run").write_text(RUN.replace("exit 0", "env >environment.txt"))
    assert (
        reproduce.run(tmp_path / "out", reproduce.Kind("tiny", "whole", "locked", offline=offline))
        == 0
    )
    for line in (tmp_path / "out/environment.txt").read_text().splitlines():
        name, _, value = line.partition("=")
        if name in ("PATH", "CONDA_PKGS_DIRS"):
            monkeypatch.setenv(name, value)
    assert tools.users_conda() == (None if offline else str(users))
    assert front_end.cache() == tmp_path / ("out/.tools/pkgs" if offline else "kept")
