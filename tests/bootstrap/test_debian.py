"""Debian's Python as a conda package: a whole Python in its prefix."""

import hashlib
import json
import platform
import shutil
import subprocess
from pathlib import Path

import pytest
from conda import install
from conda.pins import Pin
from local_channel import debian
from repro.core.errors import CouldNotRun

on_debian = pytest.mark.skipif(debian.unsuited() is not None, reason="there is no Debian 12 here")

_REPORT = """
import json, pathlib, site, sys, sysconfig, warnings
warnings.simplefilter("ignore")
folder = pathlib.Path(sysconfig.get_path("stdlib"), "lib-dynload")
modules = sorted(file.name.partition(".")[0] for file in folder.glob("*.so"))
for name in modules:
    __import__(name)
mapped = {line.split(None, 5)[5].strip() for line in open("/proc/self/maps") if ".so" in line}
print(json.dumps({
    "prefix": sys.prefix, "path": sys.path, "modules": modules, "mapped": sorted(mapped),
    "site": site.getsitepackages(), "purelib": sysconfig.get_path("purelib"),
    "include": sysconfig.get_config_var("INCLUDEDIR"),
}))
"""


@pytest.mark.parametrize(
    ("release", "reason"),
    [
        ({"ID": "debian", "VERSION_ID": "13", "PRETTY_NAME": "Debian 13"}, "Debian 13"),
        ({"ID": "ubuntu", "VERSION_ID": "12", "PRETTY_NAME": "Ubuntu"}, "Ubuntu"),
    ],
)
def test_another_system_is_named(
    release: dict[str, str], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: release)
    assert debian.unsuited() == reason


def test_a_system_that_is_no_linux_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> dict[str, str]:
        raise FileNotFoundError

    monkeypatch.setattr(platform, "freedesktop_os_release", absent)
    assert debian.unsuited() == platform.platform(terse=True)


def test_a_debian_without_its_tools_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    release = {"ID": "debian", "VERSION_ID": "12", "PRETTY_NAME": "Debian 12"}
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: release)
    monkeypatch.setattr(shutil, "which", lambda tool: None if tool == "dpkg-deb" else tool)
    assert debian.unsuited() == "Debian 12 without dpkg-deb"


def test_a_program_that_is_missing_is_named() -> None:
    with pytest.raises(CouldNotRun, match=r"Expected no-such-program to make .* No such file"):
        debian._run("/nowhere/no-such-program")


@pytest.mark.slow
@on_debian
def test_python_is_whole_in_its_prefix(tmp_path: Path) -> None:
    made = debian.write_python(tmp_path / "a channel", tmp_path / "scratch")
    digest = hashlib.sha256(made.read_bytes()).hexdigest()
    prefix = tmp_path / "an env"
    install.create([Pin(made.as_uri(), "sha256", digest)], prefix, tmp_path / "pkgs")
    assert list(prefix.rglob("*.pyc")) == []
    command = [prefix / "bin/python", "-I", "-c", _REPORT]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/")
    report = json.loads(done.stdout)
    site_packages = f"{prefix}/lib/python3.11/site-packages"
    assert report["prefix"] == str(prefix)
    assert report["path"][-1] == site_packages
    assert all(folder.startswith(f"{prefix}/") for folder in report["path"])
    assert report["site"] == [site_packages]
    assert report["purelib"] == site_packages
    assert report["include"].startswith(str(prefix))
    assert {"_ssl", "_sqlite3", "_ctypes", "_lzma", "_bz2", "readline"} <= set(report["modules"])
    outside = {Path(name).name for name in report["mapped"] if not name.startswith(str(prefix))}
    assert outside <= {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
