"""Conda packages: the same content gives the same bytes."""

import hashlib
import json
import os
import zipfile
from pathlib import Path

import pytest
from conda import install
from conda.pins import Pin
from local_channel import package
from repro.core.errors import UserError
from small_channel import make_wheel

INDEX = {"name": "a", "version": "1", "build": "0", "subdir": "linux-64", "depends": []}


def make_tree(folder: Path, names: list[str], when: int) -> Path:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
        file.chmod(0o755 if "bin/" in name else 0o644)
        os.utime(file, (when, when))
    (folder / "bin/link").symlink_to("b")
    return folder


def test_bytes_depend_on_the_content_alone(tmp_path: Path) -> None:
    names = ["bin/b", "lib/c", "a"]
    first = make_tree(tmp_path / "first", names, when=1_000_000_000)
    second = make_tree(tmp_path / "second", names[::-1], when=1_700_000_000)
    one = package.write(first, INDEX, tmp_path / "one")
    other = package.write(second, dict(reversed(INDEX.items())), tmp_path / "other")
    assert one.read_bytes() == other.read_bytes()
    with zipfile.ZipFile(one) as archive:  # the two may have been written in the same second
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}
    (second / "a").write_text("another")
    assert package.write(second, INDEX, tmp_path / "other").read_bytes() != one.read_bytes()


def test_installs_what_was_written(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree", ["bin/b", "lib/c"], when=0)
    file = package.write(tree, INDEX, tmp_path / "channel")
    pin = Pin(file.as_uri(), "sha256", hashlib.sha256(file.read_bytes()).hexdigest())
    prefix = tmp_path / "env"
    install.create([pin], prefix, tmp_path / "pkgs")
    assert (prefix / "bin/link").readlink() == Path("b")
    assert os.access(prefix / "bin/b", os.X_OK)
    assert not os.access(prefix / "lib/c", os.X_OK)
    record = json.loads((prefix / "conda-meta/a-1-0.json").read_text())
    digests = {p["_path"]: p["sha256"] for p in record["paths_data"]["paths"]}
    assert digests["lib/c"] == hashlib.sha256(b"lib/c").hexdigest()


def test_a_wheel_becomes_a_noarch_package_with_its_commands(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path)
    one = package.write_wheel(wheel, tmp_path / "one")
    assert one.name == "some_thing-2.0-py_0.conda"
    assert one.parent.name == "noarch"
    assert one.read_bytes() == package.write_wheel(wheel, tmp_path / "two").read_bytes()
    info = json.loads(_read(one, "info/index.json", tmp_path))
    assert (info["noarch"], info["depends"]) == ("python", ["python >=3.9,!=3.10"])
    link = json.loads(_read(one, "info/link.json", tmp_path))
    assert link["noarch"] == {"type": "python", "entry_points": ["some = some:main"]}
    assert _read(one, "site-packages/Some_Thing-2.0.dist-info/INSTALLER", tmp_path) == "conda"


def test_a_compiled_wheel_is_refused(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, tag="cp311-cp311-linux_x86_64", pure="false")
    with pytest.raises(UserError, match="Expected a pure Python wheel"):
        package.write_wheel(wheel, tmp_path / "channel")
    assert not (tmp_path / "channel").exists()


def _read(archive: Path, name: str, scratch: Path) -> str:
    from rattler.package_streaming import extract

    folder = scratch / f"{archive.name}.unpacked"
    extract(archive, folder)
    return (folder / name).read_text()
