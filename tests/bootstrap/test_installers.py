"""The check of a new environment knows the records of conda, libmamba and py-rattler alike."""

import json
from pathlib import Path
from typing import Any

import project
import pytest
import small_prefix
from conda import install as front_end
from conda.pins import Pin
from local_channel import package
from post_deploy import against_lock
from repro.record import installed
from small_prefix import DATA, KEPT, PYTHON, TINY, Installer, Packed, sha256

PACKAGES = (PYTHON, TINY, DATA)
DIGESTS = ("path_type", "sha256", "sha256_in_prefix", "file_mode", "prefix_placeholder")
LOCK = [
    {"manager": "conda", "name": p.name, "version": p.version, "sha256": sha256(p.stem)}
    for p in PACKAGES
]
INSTALLERS = [small_prefix.conda, small_prefix.libmamba, small_prefix.rattler]
each = pytest.mark.parametrize("install", INSTALLERS, ids=lambda installer: installer.__name__)


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """A folder whose name has a space, under one that is a link."""
    (tmp_path / "real").mkdir()
    (tmp_path / "linked").symlink_to("real")
    folder = tmp_path / "linked" / "an env"
    folder.mkdir()
    return folder


def made(install: Installer, prefix: Path, packages: tuple[Packed, ...] = PACKAGES) -> None:
    for p in packages:
        install(prefix, p, small_prefix.SITE)


@each
def test_an_environment_is_accepted_as_it_was_installed(install: Installer, prefix: Path) -> None:
    made(install, prefix)
    assert against_lock.conda_problems(prefix, LOCK, installed.survey(prefix)) == []


@each
def test_every_file_is_known_by_the_package_that_it_belongs_to(
    install: Installer, prefix: Path
) -> None:
    made(install, prefix)
    found = installed.survey(prefix)
    owners = against_lock.owners(prefix, {})
    files = {path for path in found if not path.endswith("/") and "conda-meta/" not in path}
    assert files - owners.keys() == set()
    assert {path for path in files if owners[path] == "tiny"} == {
        path for path in files if "tiny" in path
    }
    assert {"bin/tiny", "bin/tiny-script", f"{small_prefix.SITE}/tiny/link.txt"} <= files
    assert owners["bin/python"] == owners["lib/python3.11/os.py"] == "python"
    assert owners["site-packages/odd.txt"] == "data"


@each
@pytest.mark.parametrize(
    "path",
    [
        "bin/python3.11",
        "bin/tiny-script",
        "etc/tiny.conf",
        "lib/python3.11/_sysconfigdata.py",
        "lib/python3.11/__pycache__/os.cpython-311.pyc",
        "lib/python3.11/empty.py",
        "lib/python3.11/site-packages/tiny/__init__.py",
        "site-packages/odd.txt",
    ],
)
def test_a_file_with_other_bytes_is_refused(install: Installer, path: str, prefix: Path) -> None:
    made(install, prefix)
    (prefix / path).write_text("damaged")
    (problem,) = against_lock.conda_problems(prefix, LOCK, installed.survey(prefix))
    assert problem.startswith(f"Expected {prefix / path} as in ")
    assert f"Received sha256:{sha256('damaged')}" in problem


@each
@pytest.mark.parametrize("path", ["bin/python", "lib/python3.11/site-packages/tiny/table.txt"])
def test_a_file_or_link_that_is_gone_is_refused(
    install: Installer, path: str, prefix: Path
) -> None:
    made(install, prefix)
    (prefix / path).unlink()
    (problem,) = against_lock.conda_problems(prefix, LOCK, installed.survey(prefix))
    assert problem.startswith(f"Expected {prefix / path} as in ")
    assert "Received no such file" in problem


@each
def test_a_file_in_place_of_a_link_is_refused(install: Installer, prefix: Path) -> None:
    made(install, prefix)
    (prefix / "bin/python").unlink()
    (prefix / "bin/python").write_text("another interpreter")
    (problem,) = against_lock.conda_problems(prefix, LOCK, installed.survey(prefix))
    assert problem.startswith(f"Expected {prefix / 'bin/python'} as in python 3.11.15")


@each
def test_a_copy_in_place_of_a_link_is_accepted(install: Installer, prefix: Path) -> None:
    """As on a file system without links."""
    made(install, prefix)
    (prefix / "bin/python").unlink()
    (prefix / "bin/python").write_text("the interpreter")
    assert against_lock.conda_problems(prefix, LOCK, installed.survey(prefix)) == []


@pytest.mark.parametrize(
    ("install", "kind"), [(small_prefix.conda, "softlink"), (small_prefix.libmamba, "hardlink")]
)
def test_files_that_are_links_to_the_cache_are_refused(
    install: Installer, kind: str, prefix: Path
) -> None:
    """With `always_softlink`, what is installed changes whenever the cache does."""
    made(install, prefix)
    path, kept = prefix / "etc/tiny.conf", f"{KEPT}/tiny-1.0-0/etc/tiny.conf"
    path.unlink()
    path.symlink_to(kept)
    small_prefix.edit(prefix, TINY, "etc/tiny.conf", path_type=kind)
    (problem,) = against_lock.conda_problems(prefix, LOCK, installed.survey(prefix))
    assert problem.startswith(f"Expected {path} in the environment itself. Received a link ")
    assert kept in problem
    assert "always_softlink" in problem


@each
def test_a_link_that_a_package_brings_may_lead_out(install: Installer, prefix: Path) -> None:
    made(install, prefix)
    (prefix / "bin/python").unlink()
    (prefix / "bin/python").symlink_to("/usr/bin/env")
    assert against_lock.conda_problems(prefix, LOCK, installed.survey(prefix)) == []


@each
def test_site_packages_lie_where_python_says(install: Installer, prefix: Path) -> None:
    """As those of a Python without the global lock."""
    site = "lib/python3.13t/site-packages"
    more = {"python_site_packages_path": site}
    python = Packed("python", "3.13.1", {"bin/python3.13": "x"}, more=more)
    for p in (python, TINY):
        install(prefix, p, site)
    lock = [{**row, "sha256": sha256(python.stem)} if row["name"] == "python" else row
            for row in LOCK if row["name"] != "data"]  # fmt: skip
    assert against_lock.conda_problems(prefix, lock, installed.survey(prefix)) == []
    assert against_lock.owners(prefix, {})[f"{site}/tiny/__init__.py"] == "tiny"


@pytest.mark.parametrize("install", [small_prefix.conda, small_prefix.libmamba])
def test_it_says_which_unpacked_package_is_damaged(install: Installer, prefix: Path) -> None:
    """`conda clean` leaves a package that another environment shares its files with."""
    made(install, prefix)
    (prefix / "etc/tiny.conf").write_text("damaged")
    (problem,) = against_lock.conda_problems(prefix, LOCK, installed.survey(prefix))
    assert problem.endswith(f"Remove {KEPT}/tiny-1.0-0, then try again.")


def test_py_rattler_writes_what_these_tests_take_it_to_write(prefix: Path, tmp_path: Path) -> None:
    archives = [packed(p, tmp_path) for p in PACKAGES]
    digests = [installed.digest(path) for path in archives]
    pins = [
        Pin(path.as_uri(), *digest.split(":"))
        for path, digest in zip(archives, digests, strict=True)
    ]
    real = prefix.resolve().with_name("real one")
    front_end.create(pins, real, tmp_path / "pkgs")
    lock = [{**row, "sha256": p.digest} for row, p in zip(LOCK, pins, strict=True)]
    assert against_lock.conda_problems(real, lock, installed.survey(real)) == []
    made(small_prefix.rattler, prefix)
    for p in PACKAGES:
        assert digests_in(real, p) == digests_in(prefix, p)


def packed(what: Packed, folder: Path) -> Path:
    """Write a package into a channel."""
    tree = folder / what.name
    for path, text in what.files.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("-> "):
            (tree / path).symlink_to(text.removeprefix("-> "))
        else:
            (tree / path).write_text(text)
    index = {**what.index, "subdir": "noarch" if what.noarch else project.subdir()}
    commands = [f"{name} = {what.name}:main" for name in what.commands]
    noarch = {"type": what.noarch, "entry_points": commands}
    link = {"noarch": noarch, "package_metadata_version": 1} if commands else None
    patched = {path for path, text in what.files.items() if small_prefix.PLACEHOLDER in text}
    placeholders = dict.fromkeys(patched, small_prefix.PLACEHOLDER)
    return package.write(tree, index, folder, placeholders=placeholders, link=link)


def digests_in(prefix: Path, what: Packed) -> dict[str, Any]:
    """What a record says of each path, but for digests of texts that name their own prefix."""
    record = json.loads((prefix / "conda-meta" / f"{what.stem}.json").read_text())
    entries = {
        e["_path"]: {k: e[k] for k in DIGESTS if k in e} for e in record["paths_data"]["paths"]
    }
    for path, entry in entries.items():
        if "prefix_placeholder" in entry:
            del entry["sha256_in_prefix"]
        if entry["path_type"] == "unix_python_entry_point":
            assert entry.pop("sha256") == installed.digest(prefix / path).removeprefix("sha256:")
    return entries
