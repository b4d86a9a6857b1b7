"""The packed programs: the same source, the same bytes; and what judges trains nothing again."""

import os
import shutil
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path
from types import ModuleType

import pytest
from repro.data.module_loader import module

ROOT = Path(__file__).parents[2]
PACK = module("pack", ROOT / "workflow" / "scripts" / "pack.py")


def of(root: Path) -> ModuleType:
    """The pack.py of a copy of the repository; what a text imports is the same in all copies."""
    pack = module("pack", root / "workflow" / "scripts" / "pack.py")
    vars(pack)["names_in"] = PACK.names_in
    return pack


def packed(root: Path) -> dict[str, bytes]:
    """The programs as it makes them."""
    return {name.removesuffix(".pyz"): content for name, content in of(root).programs().items()}


@pytest.fixture(scope="module")
def programs() -> dict[str, bytes]:
    """The programs of this repository."""
    return packed(ROOT)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    root = tmp_path / "another folder"
    for name in ("lib", "schemas", "scripts"):
        shutil.copytree(
            ROOT / "workflow" / name, root / "workflow" / name,
            ignore=shutil.ignore_patterns("__pycache__"),
        )  # fmt: skip
    return root


def test_the_same_source_gives_the_same_bytes(copy: Path, programs: dict[str, bytes]) -> None:
    for file in copy.rglob("*"):
        os.utime(file, (10**9, 10**9))
        if file.is_file():
            file.chmod(0o600)
    (copy / "workflow/lib/repro/__pycache__").mkdir()
    (copy / "workflow/lib/repro/__pycache__/a.cpython-311.pyc").touch()
    assert packed(copy) == programs


def edit(root: Path, name: str) -> None:
    with (root / "workflow" / name).open("a") as file:
        file.write("# edited\n")


def test_an_edit_of_what_judges_changes_the_judge_alone(copy: Path) -> None:
    before = packed(copy)
    for name in (
        "lib/repro/report/verdict_page.py", "lib/repro/audit/check.py", "lib/repro/record/step.py",
        "schemas/verdict.schema.yaml", "schemas/cost.schema.yaml",
    ):  # fmt: skip
        edit(copy, name)
        after = packed(copy)
        assert after["code"] == before["code"], name
        assert after["judge"] != before["judge"], name
        before = after


def test_an_edit_of_what_shows_results_changes_that_alone(copy: Path) -> None:
    before, sources = packed(copy), recorded(copy)
    names = ("lib/repro/webpage/figure.py", "lib/repro/webpage/style.css")
    for name in (*names, "lib/repro/webpage/report.html", "lib/repro/cli/report.py"):
        edit(copy, name)
        after = packed(copy)
        assert after["report"] != before["report"], name
        assert {**after, "report": b""} == {**before, "report": b""}, name
        assert f"workflow/{name}" in sources
        before = after


def test_an_edit_of_what_makes_results_changes_both(copy: Path) -> None:
    before = packed(copy)
    for name in ("lib/repro/model/training.py", "schemas/manifest.schema.yaml"):
        edit(copy, name)
        after = packed(copy)
        assert after["code"] != before["code"], name
        assert after["judge"] != before["judge"], name
        before = after


def test_an_edit_of_what_only_the_host_runs_changes_neither_program(copy: Path) -> None:
    names = {
        "lib/repro/check/answer.py", "lib/repro/contain/overlay.py", "lib/repro/formats/text.py",
        "lib/repro/hook/install.py", "lib/repro/events/steps.py", "lib/repro/content/files.py",
        "lib/repro/reader/program.py", "lib/repro/cli/check.py",
        "schemas/check.schema.yaml", "lib/repro/side_by_side/page.py",
        "schemas/comparison.schema.yaml",
    }  # fmt: skip
    before, sources = packed(copy), recorded(copy)
    for name in names:
        edit(copy, name)
    assert packed(copy) == before
    assert {f"workflow/{name}" for name in names} & sources == set()


def test_an_edit_of_what_no_job_imports_changes_neither_program(copy: Path) -> None:
    names = {"lib/repro/archive/zip_reader.py", "lib/repro/verdict/new.py"}
    before = packed(copy)
    for name in names:
        edit(copy, name)
    assert packed(copy) == before
    # An archive holds it, for who runs it again.
    assert {f"workflow/{name}" for name in names} <= recorded(copy)


def test_programs_are_as_small_as_snakemake_looks_into(programs: dict[str, bytes]) -> None:
    assert max(map(len, programs.values())) < 1_000_000  # its --max-checksum-file-size


def recorded(root: Path) -> set[str]:
    """The files that the manifest of the programs names."""
    return {*of(root).sources()}


def test_a_missing_last_newline_is_no_other_program(copy: Path) -> None:
    before = packed(copy)
    file = copy / "workflow/lib/repro/core/errors.py"
    file.write_text(file.read_text().rstrip("\n"))
    assert packed(copy) == before


def test_members_are_in_order_and_stored(programs: dict[str, bytes]) -> None:
    for content in programs.values():
        members = zipfile.ZipFile(BytesIO(content)).infolist()
        names = [member.filename for member in members]
        assert names == sorted(names)
        assert {member.compress_type for member in members} == {zipfile.ZIP_STORED}
        assert len({member.date_time for member in members}) == 1
        assert not [name for name in names if "pycache" in name]


@pytest.mark.parametrize(
    ("name", "word"), [("code", "launch"), ("judge", "verify"), ("report", "page")]
)
def test_a_program_runs_alone(
    name: str, word: str, tmp_path: Path, programs: dict[str, bytes]
) -> None:
    file = tmp_path / f"{name}.pyz"
    file.write_bytes(programs[name])
    done = subprocess.run(
        [sys.executable, "-I", "-B", file.name, "--help"],
        cwd=tmp_path, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert word in done.stdout
    assert list(tmp_path.iterdir()) == [file]
