"""The host's tools: made once, made again when anything is not as it should be."""

import hashlib
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import project
import pytest
import tools
from repro.core.errors import UserError
from small_channel import entries, make_wheel
from wheels import host_pip


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Tools of one made-up wheel, in a folder whose name has a space; pip as a user set it."""
    index = tmp_path / "index"
    index.mkdir()
    wheel = make_wheel(index)
    root = tmp_path / "a place"
    monkeypatch.setenv("PATH", "/usr/bin:/bin")  # without the conda of the project's own tools
    monkeypatch.setenv("REPRO_CACHE", str(tmp_path / "a cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", index.as_uri())
    monkeypatch.setattr(project, "ROOT", root)
    monkeypatch.setattr(project, "TOOLS", root / ".tools")
    for name in ("WHEELS", "SOURCE", "SLURM"):
        monkeypatch.setattr(tools, name, root / f"{name}.txt")
    move(monkeypatch, root)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    project.write(tools.WHEELS, f"some-thing==2.0 --hash=sha256:{digest}\n")
    project.write(tools.SOURCE, "# none\n")
    project.write(tools.SLURM, "# none\n")
    return root


def move(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    monkeypatch.setattr(tools, "VENV", root / ".tools" / "venv")
    monkeypatch.setattr(tools, "STAMP", root / ".tools" / "venv" / "stamp")
    monkeypatch.setattr(tools, "STAMP_SLURM", root / ".tools" / "venv" / "stamp-slurm")
    monkeypatch.setattr(tools, "BIN", root / ".tools" / "bin")


@pytest.fixture
def started_before(place: Path, base: Path) -> None:
    """The pip that Python brings along is unpacked and compiled, as an earlier start leaves it."""
    (pip,) = base.glob("lib/python3*/site-packages")
    shutil.copytree(pip, place / ".tools" / "pip" / host_pip.bundled().stem)


def when_made() -> int:
    return (tools.VENV / "pyvenv.cfg").stat().st_mtime_ns


@pytest.mark.slow
def test_made_once_and_again_when_half_made_or_outdated(
    place: Path, uv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At first by pip, as where no index has uv."""
    python = tools.ensure()
    assert (place / ".tools/venv/bin/some").is_file()
    assert python == tools.VENV / "bin" / "python"
    first = when_made()
    tools.ensure()
    assert when_made() == first
    tools.STAMP.unlink()  # as an interruption leaves it
    (tools.VENV / "stale").touch()
    (place.parent / "index" / uv.name).symlink_to(uv)
    tools.ensure()
    assert when_made() != first
    assert not (tools.VENV / "stale").exists()
    added: list[str] = []
    add = tools._add  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(tools, "_add", lambda *each: (added.append(each[0].name), add(*each)))
    tools.ensure(slurm=True)
    tools.ensure(slurm=True)
    tools.ensure()
    assert added == ["SLURM.txt"]
    again: list[str] = []
    monkeypatch.setattr(tools, "_make", lambda key, ahead: again.append(key))
    tools.ensure()
    assert again == []
    project.write(tools.SOURCE, "# none, still\n")
    tools.ensure()
    assert len(again) == 1
    project.write(tools.SOURCE, "# none\n")
    (place / ".tools").rename(place.parent / ".tools")
    move(monkeypatch, place.parent)
    tools.ensure()
    assert len(set(again)) == 2


@pytest.mark.slow
@pytest.mark.usefixtures("started_before")
def test_the_pinned_pip_fetches_where_it_can_be_had(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "STAMP", place / "none")
    wheel = place.parent / "index" / "pip-99.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("pip/__main__.py", "print('the pinned one')")
        archive.writestr(
            "pip-99.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: pip\nVersion: 99.0\n"
        )
        archive.writestr("pip-99.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
    digests = [f"--hash=sha256:{'0' * 64}", f"--hash=sha256:{sha256(wheel)}"]
    pinned = " \\\n    ".join(["pip==99.0", *digests])
    text = tools.WHEELS.read_text()
    assert "the pinned one" not in said_by_pip()
    project.write(tools.WHEELS, f"{pinned}\n{text}")
    assert said_by_pip() == "the pinned one\n"
    project.write(tools.WHEELS, f"{text}pip==98.0 --hash=sha256:{'0' * 64}\n")
    assert said_by_pip().startswith("pip ")


def said_by_pip() -> str:
    command = [*tools.pip().start(), "--version"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.slow
@pytest.mark.usefixtures("place", "started_before")
def test_a_wrong_hash_gives_a_sentence_and_no_tools() -> None:
    project.write(tools.WHEELS, f"some-thing==2.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(UserError, match="Expected the tools pinned in WHEELS"):
        tools.ensure()
    assert not tools.STAMP.exists()


@pytest.fixture
def give_conda(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Put a conda of some version on PATH."""

    def give(version: str) -> Path:
        folder = tmp_path / "users bin"
        folder.mkdir()
        (folder / "conda").write_text(f"#!/bin/sh\necho conda {version}\n")
        (folder / "conda").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tools.BIN}{os.pathsep}{folder}{os.pathsep}/usr/bin:/bin")
        return folder / "conda"

    return give


@pytest.mark.parametrize("version", ["24.9.0", "24.11.1", "26.7.1"])
@pytest.mark.usefixtures("place")
def test_a_conda_of_the_users_own_is_left_in_place(
    version: str, give_conda: Callable[[str], Path]
) -> None:
    tools.write_commands()
    assert {"conda", "activate"} <= set(entries(tools.BIN))
    conda = give_conda(version)
    assert tools.users_conda() == str(conda)
    tools.write_commands()
    assert "snakemake" in entries(tools.BIN)
    assert not {"conda", "activate"} & set(entries(tools.BIN))


@pytest.mark.parametrize("version", ["24.8.9", "4.14.0", "unknown"])
@pytest.mark.usefixtures("place")
def test_a_conda_that_is_too_old_is_not_used(
    version: str, give_conda: Callable[[str], Path]
) -> None:
    give_conda(version)
    assert tools.users_conda() is None
    tools.write_commands()
    assert {"conda", "activate"} <= set(entries(tools.BIN))


@pytest.mark.usefixtures("place")
def test_a_conda_that_does_not_start_is_not_used(give_conda: Callable[[str], Path]) -> None:
    """As one whose folder was moved: its first line names a Python that is gone."""
    give_conda("26.7.1").write_text("#!/nowhere/bin/python\n")
    assert tools.users_conda() is None


def test_no_setting_for_a_python_reaches_the_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    environment = tools.environment()
    assert [name for name in environment if name.startswith("PYTHON")] == []
    assert environment["PATH"].split(os.pathsep)[0] == str(tools.BIN)
