"""The packages of an archive: those that the manifests name, by digest, and the host's tools."""

import io
import tarfile
from pathlib import Path

import pytest
import small_results
import tools
from local_channel import renders
from repro.archive.open_archive import accepted
from repro.archive.write import write
from repro.audit.results import read
from repro.core.digest import sha256_file
from repro.core.errors import UserError
from small_archive import furnish, plan
from small_channel import Channel, make_wheel
from small_results import Project
from verbs import archive_packages

pytestmark = pytest.mark.slow


def make_source(folder: Path) -> Path:
    """A tool that is published as source alone."""
    path = folder / "tiny_tool-1.0.tar.gz"
    setup = b"from setuptools import setup\nsetup(name='tiny-tool', version='1.0', py_modules=[])\n"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("tiny_tool-1.0/setup.py")
        member.size = len(setup)
        archive.addfile(member, io.BytesIO(setup))
    return path


@pytest.fixture
def offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All that pip finds: a wheel and a source."""
    folder = tmp_path / "offered"
    folder.mkdir()
    make_wheel(folder)
    make_source(folder)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def pinned(path: Path, name: str) -> str:
    return f"{name} --hash=sha256:{sha256_file(path)}\n"


@pytest.fixture
def small_with_packages(
    small: Project, channel: Channel, offered: Path, monkeypatch: pytest.MonkeyPatch
) -> Project:
    """A project whose manifests name a conda package and a wheel; the tools are a wheel more."""
    conda = channel.add("python", subdir="linux-64")
    (wheel,) = offered.glob("*.whl")
    (source,) = offered.glob("*.tar.gz")
    used = [
        {"manager": "conda", "name": "python", "version": "1.0", "build": "0", "sha256": conda},
        {"manager": "pip", "name": "some-thing", "version": "2.0", "sha256": wheel},
    ]
    known = [{**p, "sha256": sha256_file(Path(str(p["sha256"])))} for p in used]
    monkeypatch.setattr(small_results, "PACKAGES", known)
    furnish(small).make()
    local = small.folder / ".tools/local"
    pins = f"@EXPLICIT\n{channel.pin(conda)}\n"
    small_results.write(local / "envs/keras.linux-64.pin.txt", pins)
    bootstrap = small.folder / "bootstrap"
    small_results.write(bootstrap / "requirements.txt", pinned(wheel, "some-thing==2.0"))
    small_results.write(bootstrap / "requirements-source.txt", pinned(source, "tiny-tool==1.0"))
    monkeypatch.setattr(renders, "LOCAL", local)
    monkeypatch.setenv("REPRO_CACHE", str(small.folder / "a cache"))
    small_results.write(bootstrap / "requirements-uv.txt", f"uv==1.0 --hash=sha256:{'0' * 64}\n")
    monkeypatch.setattr(tools, "UV", bootstrap / "requirements-uv.txt")
    monkeypatch.setattr(tools, "WHEELS", bootstrap / "requirements.txt")
    monkeypatch.setattr(tools, "SOURCE", bootstrap / "requirements-source.txt")
    return small


def test_all_that_the_manifests_and_the_pins_name_goes_in_and_a_second_time_nothing_is_fetched(
    small_with_packages: Project, offered: Path, tmp_path: Path
) -> None:
    small = small_with_packages
    found = archive_packages.gathered(read(small.results).only("tiny"))
    assert set(found) == {
        "packages/conda/linux-64/python-1.0-0.conda",
        "packages/pypi/Some_Thing-2.0-py3-none-any.whl",
        "packages/pypi/tiny_tool-1.0.tar.gz",
    }
    write(tmp_path / "a.crate.zip", plan(small, found))
    for path in offered.iterdir():
        path.unlink()
    again = archive_packages.gathered(read(small.results).only("tiny"))
    write(tmp_path / "b.crate.zip", plan(small, again))
    assert (tmp_path / "b.crate.zip").read_bytes() == (tmp_path / "a.crate.zip").read_bytes()
    with accepted(tmp_path / "a.crate.zip") as inside:
        assert inside.index.packages


def test_a_kept_package_that_rotted_gets_into_no_archive(
    small_with_packages: Project, tmp_path: Path
) -> None:
    found = archive_packages.gathered(read(small_with_packages.results).only("tiny"))
    found["packages/pypi/tiny_tool-1.0.tar.gz"].write_bytes(b"rotten")
    with pytest.raises(UserError, match=r"tiny_tool-1\.0\.tar\.gz is no package of the manifests"):
        write(tmp_path / "a.crate.zip", plan(small_with_packages, found))


def test_a_package_that_cannot_be_had_is_told(
    small_with_packages: Project, offered: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for path in offered.iterdir():
        path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(UserError, match="Expected the packages of the results"):
        archive_packages.gathered(read(small_with_packages.results).only("tiny"))
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in capfd.readouterr().err
    assert list((small_with_packages.folder / "a cache" / "wheels").glob("*/*.whl")) == []
