"""./run archive: the same run, the same bytes; whole or not at all; and only what is whole."""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import termios
import time
import zipfile
from pathlib import Path

import project
import pytest
import small_archive
import small_results
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from repro.archive.open_archive import accepted, unpack
from repro.archive.write import ArchivePlan, write
from repro.archive.zip_reader import opened
from repro.archive.zip_writer import put, written
from repro.core.digest import sha256_tree
from repro.core.errors import UserError
from small_archive import FURNITURE, archived, forge, members, plan
from small_results import CONFIGURATION, SOURCES, Project
from verbs import archive_command

ROOT = Path(__file__).parents[2]
TRAINING = "workflow/lib/repro/model/training.py"
WEIGHTS = "results/tiny/original/seed-0/weights.safetensors"


def test_the_same_run_gives_the_same_bytes_elsewhere_and_at_another_time(
    furnished: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = archived(furnished, tmp_path / "first.crate.zip")
    elsewhere = shutil.copytree(furnished.folder, tmp_path / "else" / "where it lies")
    for number, path in enumerate(sorted(elsewhere.rglob("*"), reverse=True)):
        path.chmod(0o755)
        os.utime(path, (10**9 + number, 10**9 + number))
    monkeypatch.setattr(time, "time", lambda: 2e9)
    second = archived(Project(elsewhere), tmp_path / "second.crate.zip")
    assert second.read_bytes() == first.read_bytes()
    assert str(tmp_path).encode() not in first.read_bytes()


def test_an_experiment_without_raw_data_is_archived(furnished: Project, tmp_path: Path) -> None:
    del furnished.configuration["experiments"]["tiny"]["data"]
    furnished.save()
    furnished.make()
    with accepted(archived(furnished, tmp_path / "a.zip")) as inside:
        assert inside.experiment.data == {}
        assert "raw data.csv" not in inside.kept


def test_everything_that_the_results_rest_on_is_in_it_and_nothing_else(
    furnished: Project, tmp_path: Path
) -> None:
    small_results.write(furnished.folder / "notes.txt", "mine")
    small_results.write(furnished.folder / ".tools/secret", "mine")
    inside = members(archived(furnished, tmp_path / "a.zip"))
    expected = {*SOURCES, *FURNITURE, small_results.PACK, CONFIGURATION}
    expected |= {"tiny/__init__.py", "tiny/layers.py", "raw data.csv"}
    expected |= {
        path.relative_to(furnished.folder).as_posix()
        for path in furnished.results.rglob("*")
        if path.is_file()
    }
    made = {"archive.json", "CITATION.cff", "HOW-TO-CHECK.txt"}
    assert set(inside) == expected | made | {"ro-crate-metadata.json", "SHA256SUMS"}
    for name in expected - {CONFIGURATION}:
        assert inside[name] == (furnished.folder / name).read_bytes()


def test_the_configuration_in_it_asks_for_the_same_with_every_default_written_out(
    furnished: Project, tmp_path: Path
) -> None:
    furnished.configuration["experiments"]["other"] = furnished.entry(code="elsewhere.py")
    value = yaml.safe_load(members(archived(furnished, tmp_path / "a.zip"))[CONFIGURATION])
    assert list(value["experiments"]) == ["tiny"]
    assert value["experiments"]["tiny"]["training"]["epochs"] == 20
    assert small_archive.filled(value, "tiny") == value


def manifests(small: Project) -> list[Path]:
    """Those that its verdict may rest on."""
    found = (small.results / "tiny").rglob("*.manifest.json")
    return [path for path in found if not path.name.startswith(("verdict", "report"))]


def test_looks_at_added_seeds_and_measured_prices_are_results_like_others(
    furnished: Project, tmp_path: Path
) -> None:
    furnished.configuration["experiments"]["tiny"] |= {"seeds": "auto", "goal": "metrics"}
    furnished.save()
    furnished.make()
    first = furnished.results / "tiny/original"
    data = {"data": first / "data", "data.manifest": first / "data.manifest.json"}
    evaluated = "original/seed-0/evaluate.manifest.json"
    for step, names, used in (
        ("look", {"seeds": 8}, {evaluated: furnished.results / "tiny" / evaluated}),
        ("cost", {"seed": 0}, {**furnished.always(), **data}),
    ):
        name = f"{step}-8" if step == "look" else step
        small_results.write(furnished.results / f"tiny/{name}.json", "{}\n")
        furnished.claim(step, names, used, "tiny", name, f"{name}.json")
    furnished.judge(manifests(furnished))
    path = archived(furnished, tmp_path / "a.zip")
    assert {"results/tiny/look-8.json", "results/tiny/cost.json"} <= set(members(path))
    with accepted(path) as inside:
        assert inside.experiment.said["seeds"] == "auto"


def test_what_an_earlier_longer_repeat_left_is_no_part_of_it(
    furnished: Project, tmp_path: Path
) -> None:
    furnished.configuration["experiments"]["tiny"]["repeat"] = {"steps": 1}
    furnished.save()
    furnished.make()
    left = "tiny/repeat/seed-0/evaluate.manifest.json"
    furnished.judge([p for p in manifests(furnished) if p != furnished.results / left])
    inside = members(archived(furnished, tmp_path / "a.zip"))
    assert f"results/{left}" not in inside
    assert "results/tiny/repeat/seed-0/metrics.json" not in inside
    assert "results/tiny/repeat/seed-0/weights.safetensors" in inside


def test_unzip_and_sha256sum_are_enough_to_check_it(furnished: Project, tmp_path: Path) -> None:
    path = archived(furnished, tmp_path / "a.zip")
    subprocess.run(["unzip", "-q", "-d", tmp_path / "out", path], check=True)
    sums = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    done = subprocess.run(sums, cwd=tmp_path / "out", capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    listed = (tmp_path / "out/SHA256SUMS").read_text().splitlines()
    there = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(listed) == len(there) - 1
    assert os.access(tmp_path / "out/run", os.X_OK)
    (tmp_path / "out" / WEIGHTS).write_bytes(b"others")
    done = subprocess.run(sums, cwd=tmp_path / "out", capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (1, f"{WEIGHTS}: FAILED\n".encode())


def test_what_was_archived_is_accepted_and_unpacks_to_the_same_files(
    furnished: Project, tmp_path: Path
) -> None:
    path = archived(furnished, tmp_path / "a.zip")
    with accepted(path) as inside:
        assert (inside.index.experiment, inside.index.packages) == ("tiny", False)
    unpack(path, tmp_path / "out")
    inside = members(path)
    found = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.*")}
    assert {name for name in inside if "." in name} <= found
    for name, content in inside.items():
        assert (tmp_path / "out" / name).read_bytes() == content
    with pytest.raises(UserError, match="Expected nothing at"):
        unpack(path, tmp_path / "out")


def test_what_appears_meanwhile_is_not_replaced(furnished: Project, tmp_path: Path) -> None:
    """Such as what another `rerun` unpacked there, and runs."""
    path, mine = archived(furnished, tmp_path / "a.zip"), tmp_path / "out/mine.txt"
    with pytest.raises(UserError, match=r"Expected to write .*out\. Received from the system: "):
        unpack(path, tmp_path / "out", lambda _: small_results.write(mine, "mine"))
    assert mine.read_text() == "mine"
    assert list(tmp_path.glob(".partial*")) == []


def test_an_unpacked_archive_archives_to_the_same_bytes(furnished: Project, tmp_path: Path) -> None:
    path = archived(furnished, tmp_path / "a.zip")
    unpack(path, tmp_path / "out")
    again = archived(Project(tmp_path / "out"), tmp_path / "b.zip")
    assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_the_line_ends_of_another_system_are_no_other_program(
    furnished: Project, tmp_path: Path, end: str
) -> None:
    source = furnished.folder / TRAINING
    small_results.write(source, source.read_bytes().replace(b"\n", end.encode()))
    furnished.make()
    with accepted(archived(furnished, tmp_path / "a.zip")) as inside:
        assert end.encode() in inside.read(TRAINING)


@pytest.mark.parametrize("by_option", [True, False])
def test_raw_data_beyond_the_limit_are_named_by_path_digest_and_address_alone(
    by_option: bool, furnished: Project, tmp_path: Path
) -> None:
    address = "https://doi.org/10.24432/C50P49"
    entry = furnished.configuration["experiments"]["tiny"]
    entry["archive"] = {"data_limit": 1 if by_option else 0}
    write(tmp_path / "whole.zip", plan(furnished, limit=1))
    assert "raw data.csv" in members(tmp_path / "whole.zip")
    entry["data"]["address"] = address  # after the run: no result depends on it
    write(tmp_path / "a.zip", plan(furnished, limit=0 if by_option else None))
    inside = members(tmp_path / "a.zip")
    sha256 = furnished.experiment.data[""].sha256
    assert "raw data.csv" not in inside
    told = f"too large: raw data.csv\n    sha256 {sha256}\n    {address}\n"
    assert told in inside["HOW-TO-CHECK.txt"].decode()
    graph = json.loads(inside["ro-crate-metadata.json"])["@graph"]
    assert {"sha256": sha256, "url": address}.items() <= next(
        entity for entity in graph if entity["@id"] == "#left-out/raw%20data.csv"
    ).items()
    with accepted(tmp_path / "a.zip") as found:
        assert found.index.left_out == ("raw data.csv",)


@pytest.fixture
def transferred(furnished: Project) -> Project:
    """A project whose model begins with weights from elsewhere: a file, and a folder."""
    small_results.write(furnished.folder / "vgg.h5", "w" * 90)
    small_results.write(furnished.folder / "words/table.npy", "t" * 90)
    several = {
        name: {"path": path, "sha256": sha256_tree(furnished.folder / path)}
        for name, path in (("base", "vgg.h5"), ("words", "words"))
    }
    several["base"]["address"] = "https://example.org/vgg"
    furnished.configuration["experiments"]["tiny"] = furnished.entry(pretrained=several)
    furnished.save()
    furnished.make()
    return furnished


def test_weights_from_elsewhere_are_inside_and_followed(
    transferred: Project, tmp_path: Path
) -> None:
    path = archived(transferred, tmp_path / "a.zip")
    assert members(path)["vgg.h5"] == b"w" * 90
    with accepted(path) as inside:
        assert inside.index.left_out == ()
        used = inside.results.steps["tiny/original/seed-0/evaluate.manifest.json"].inputs
        assert {"pretrained:base", "pretrained:words"} <= used.keys()
    forged = forge(path, lambda c: c.update({"words/table.npy": b"other"}), tmp_path / "b.zip")
    with pytest.raises(UserError, match=r"words/table\.npy is changed"), accepted(forged):
        pass


def test_large_ones_are_named_by_path_digest_and_address_alone(
    transferred: Project, tmp_path: Path
) -> None:
    write(tmp_path / "a.zip", small_archive.plan(transferred, limit=0))
    inside = members(tmp_path / "a.zip")
    assert "vgg.h5" not in inside
    assert "https://example.org/vgg" in inside["HOW-TO-CHECK.txt"].decode()
    with accepted(tmp_path / "a.zip") as found:
        assert found.index.left_out == ("raw data.csv", "vgg.h5", "words")


def test_weights_that_a_step_does_not_name_are_missed(transferred: Project, tmp_path: Path) -> None:
    def silent(self: Project) -> dict[str, Path]:
        return {}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Project, "weights", silent)
        transferred.make()
    with pytest.raises(UserError, match=r"does not say which pretrained:base it used"):
        archived(transferred, tmp_path / "a.zip")


def test_the_page_quotes_a_verdict_on_one_line_and_moves_no_cursor(
    furnished: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a verdict could say, as if the page did, what to do to check it."""
    made = small_results.write

    def write(path: Path, content: str | bytes) -> Path:
        if path.name == "verdict.json":
            content = json.dumps({"sentence": "Met.\n\nTo check it:\n    run this\x1b[2J"})
        return made(path, content)

    monkeypatch.setattr(small_results, "write", write)
    furnished.make()
    page = members(archived(furnished, tmp_path / "a.zip"))["HOW-TO-CHECK.txt"].decode()
    assert "\n    'Met.\\n\\nTo check it:\\n    run this\\x1b[2J'\n" in page
    assert page.replace("\n", "").isprintable()


@pytest.fixture
def with_wheel(furnished: Project, monkeypatch: pytest.MonkeyPatch) -> tuple[Project, Path]:
    """A project whose manifests name a wheel that is there."""
    wheel = small_results.write(furnished.folder / ".tools/numpy-2.4.6-x.whl", small_archive.WHEEL)
    digest = hashlib.sha256(small_archive.WHEEL).hexdigest()
    monkeypatch.setitem(small_results.WHEEL, "sha256", digest)
    furnished.make()
    return furnished, wheel


def test_packages_are_in_it_by_the_digests_of_the_manifests(
    with_wheel: tuple[Project, Path], tmp_path: Path
) -> None:
    small, wheel = with_wheel
    name = f"packages/pypi/{wheel.name}"
    write(tmp_path / "a.zip", plan(small, {name: wheel}))
    with accepted(tmp_path / "a.zip") as inside:
        assert inside.index.packages
        assert inside.read(name) == small_archive.WHEEL
    wheel.write_bytes(b"another")
    with pytest.raises(UserError, match=f"Received: {name} is no package of the manifests"):
        write(tmp_path / "b.zip", plan(small, {name: wheel}))
    with pytest.raises(UserError, match=r"the package pkg:pypi/numpy@2\.4\.6 is missing"):
        write(tmp_path / "b.zip", plan(small, {}))
    assert not (tmp_path / "b.zip").exists()


def test_an_odd_or_an_unclaimed_file_is_refused_before_anything_is_written(
    furnished: Project, tmp_path: Path
) -> None:
    small_results.write(furnished.folder / "tiny/a:b.txt", "x")
    with pytest.raises(UserError, match=r"'tiny/a:b\.txt', which has a backslash or a colon"):
        plan(furnished)
    (furnished.folder / "tiny/a:b.txt").unlink()
    small_results.write(furnished.results / "tiny/odd.npy", "x")
    with pytest.raises(UserError, match=r"Received: unclaimed +results/tiny/odd\.npy"):
        write(tmp_path / "a.zip", plan(furnished))
    assert list(tmp_path.glob("*.zip")) == []


def test_code_outside_the_project_is_refused_with_what_to_do(
    furnished: Project, tmp_path: Path
) -> None:
    small_results.write(tmp_path / "code.py", "x = 1\n")
    furnished.configuration = {"experiments": {"tiny": furnished.entry(code="../code.py")}}
    with pytest.raises(UserError, match=r"inside the project's folder.*Received ../code.py"):
        plan(furnished)


@pytest.mark.parametrize("name", ["README.md", "LICENSE", "run", "bootstrap/__main__.py"])
def test_what_every_archive_needs_is_asked_for(furnished: Project, name: str) -> None:
    (furnished.folder / name).unlink()
    with pytest.raises(UserError, match=f"Expected {name} in the folder of the Snakefile"):
        plan(furnished)


def test_what_python_left_in_bootstrap_is_left_out(furnished: Project, tmp_path: Path) -> None:
    for folder in ("bootstrap", "bootstrap/conda"):
        small_results.write(furnished.folder / folder / "__pycache__/a.pyc", "")
    path = archived(furnished, tmp_path / "a.zip")
    started = {name for name in members(path) if name.startswith("bootstrap/")}
    assert started == {name for name in FURNITURE if name.startswith("bootstrap/")}


def test_a_citation_of_ones_own_is_kept(furnished: Project, tmp_path: Path) -> None:
    small_results.write(furnished.folder / "CITATION.cff", "title: mine\n")
    path = archived(furnished, tmp_path / "a.zip")
    assert members(path)["CITATION.cff"] == b"title: mine\n"
    with accepted(path):
        pass


def test_a_file_that_changes_meanwhile_is_refused(
    furnished: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = plan(furnished)
    small_results.write(furnished.folder / WEIGHTS, "v" * 50)
    with pytest.raises(UserError, match=f"changed +{WEIGHTS}"):
        write(tmp_path / "a.zip", chosen)
    monkeypatch.setattr(ArchivePlan, "size", lambda *_: 7)
    with pytest.raises(UserError, match=r"Expected 7 bytes in archive\.json\. Received more"):
        write(tmp_path / "a.zip", chosen)
    assert list(tmp_path.glob("*.zip")) == []


KILLED = """
import sys
import termios
import time
sys.path[:0] = [{library!r}, {bootstrap!r}, {tests!r}]
from pathlib import Path
import project
from repro.archive import write
from small_archive import plan
from small_results import Project

def told(_):
    print("written", flush=True)
    sys.stdin.read()

with project.tidy_when_ended():
    write.write(Path({out!r}), plan(Project(Path({folder!r}))), told)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_one_that_is_killed_leaves_no_half_file_and_the_next_try_works(
    furnished: Project, tmp_path: Path, how: signal.Signals
) -> None:
    out = tmp_path / "a.crate.zip"
    script = KILLED.format(
        library=str(ROOT / "workflow/lib"), bootstrap=str(ROOT / "bootstrap"),
        tests=str(Path(__file__).parent), out=str(out), folder=str(furnished.folder),
    )  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"written\n"
    process.send_signal(how)
    process.communicate()
    assert process.returncode != 0
    assert not out.exists()
    assert how == signal.SIGKILL or list(tmp_path.glob(".partial*")) == []
    archived(furnished, out)
    assert list(tmp_path.glob(".partial*")) == []
    with accepted(out):
        pass


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    sizes=st.lists(st.integers(0, 3 * 2**20), min_size=1, max_size=4),
    parts=st.integers(50_000, 2**21),
)
def test_any_contents_in_any_blocks_come_back(tmp_path: Path, sizes: list[int], parts: int) -> None:
    chance = random.Random(sum(sizes))
    contents = {f"{number}": chance.randbytes(size) for number, size in enumerate(sizes)}
    with written(tmp_path / "a.zip") as zipped:
        for name, content in contents.items():
            blocks = [content[i : i + parts] for i in range(0, len(content), parts)]
            kept = put(zipped, name, blocks, len(content))
            assert kept.sha256 == hashlib.sha256(content).hexdigest()
    with opened(tmp_path / "a.zip") as found:
        assert {name: found.read(name) for name in found.kept} == contents


def test_members_and_archives_beyond_what_a_plain_zip_can_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As beyond 2 GiB, with the limit lowered: writer and reader agree on the larger fields."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1000)
    with written(tmp_path / "a.zip") as zipped:
        for name in ("large", "small"):
            put(
                zipped,
                name,
                [name.encode() * (900 if name == "large" else 2)],
                4500 if name == "large" else 10,
            )
    with opened(tmp_path / "a.zip") as found:
        assert found.read("large") == b"large" * 900
    flipped = bytearray((tmp_path / "a.zip").read_bytes())
    flipped[-30] ^= 1
    (tmp_path / "a.zip").write_bytes(flipped)
    with pytest.raises(UserError), opened(tmp_path / "a.zip"):
        pass


@pytest.fixture
def here(furnished: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr(project, "ROOT", furnished.folder)
    monkeypatch.chdir(furnished.folder)
    return furnished


def test_the_command_writes_it_and_says_what_to_publish(
    here: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert archive_command.main(["tiny", "--without-packages"]) == 0
    path = here.folder / "tiny.crate.zip"
    told = capsys.readouterr()
    assert hashlib.sha256(members(path)["SHA256SUMS"]).hexdigest() in told.out
    assert told.err == ""  # no bar where nobody looks


def test_the_command_refuses_what_is_not_whole_and_names_the_first_problem(here: Project) -> None:
    small_results.write(here.folder / WEIGHTS, "v" * 50)
    with pytest.raises(UserError, match=f"Received: changed {WEIGHTS} .* nothing was archived"):
        archive_command.main(["tiny", "--without-packages"])
    assert list(here.folder.glob("*.zip")) == []


def test_the_command_refuses_outdated_results(here: Project) -> None:
    small_results.write(here.folder / "workflow/lib/repro/model/training.py", "EPOCHS = 4\n")
    with pytest.raises(UserError, match=r"Received: changed workflow/lib/repro/model/training\.py"):
        archive_command.main(["tiny", "--without-packages"])


def test_another_experiments_trouble_is_none_of_this_one(here: Project) -> None:
    here.configuration["experiments"]["other"] = here.entry(code="missing.py")
    here.save()
    small_results.write(here.results / "other/verdict.json", "{}")
    assert archive_command.main(["tiny", "--without-packages"]) == 0
    with pytest.raises(UserError, match=r"Expected one of the experiments .*: other, tiny"):
        archive_command.main(["absent", "--without-packages"])


def test_it_needs_no_more_memory_for_a_larger_file(tmp_path: Path) -> None:
    """Written and read in blocks: the peak stays far below the size."""
    script = f"""
import resource, sys
sys.path.insert(0, {str(ROOT / "workflow/lib")!r})
from pathlib import Path
from repro.archive.zip_writer import put, written
from repro.archive.zip_reader import opened
path = Path({str(tmp_path / "a.zip")!r})
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
block = bytes(2**20)
with written(path) as zipped:
    put(zipped, "large", (block for _ in range(300)), 300 * 2**20)
with opened(path) as found:
    for _ in found.blocks("large"):
        pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run(
        [sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 40 * 1024  # KiB, of 300 MiB


def test_the_benchmark_prints_a_ratio(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "tests/benchmarks/archive.py"), "--mib", "3"]
    done = subprocess.run(
        [*command, "--folder", str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert "| archive, of copy and hash |" in done.stdout


def test_a_terminal_is_shown_how_far_it_is() -> None:
    """Where standard error is one; the other tests see that a file is shown nothing."""
    script = f"""
import sys
import termios
sys.path.insert(0, {str(ROOT / "bootstrap")!r})
from verbs import archive_command
with archive_command.progress(2**21) as told:
    told(2**21)
"""
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    subprocess.run([sys.executable, "-c", script], stderr=theirs, check=True)
    os.close(theirs)
    shown = os.read(ours, 10_000)
    os.close(ours)
    assert b"100%" in shown
    assert b"2.10M/2.10M" in shown
