"""The check of a new environment knows the records of conda, libmamba and py-rattler alike."""

from collections.abc import Callable
from pathlib import Path

import post_deploy
import pytest
import small_prefix
from repro.record import installed
from small_prefix import DATA, KEPT, PYTHON, TINY, Installer, Packed, sha256

PACKAGES = (PYTHON, TINY, DATA)
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
    for package in packages:
        install(prefix, package, small_prefix.SITE)


@each
def test_an_environment_is_accepted_as_it_was_installed(install: Installer, prefix: Path) -> None:
    made(install, prefix)
    assert post_deploy.conda_problems(prefix, LOCK) == []


@each
def test_every_file_is_known_by_the_package_that_it_belongs_to(
    install: Installer, prefix: Path
) -> None:
    made(install, prefix)
    found = installed.survey(prefix)
    owners = post_deploy.owners(prefix, found)
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
    (problem,) = post_deploy.conda_problems(prefix, LOCK)
    assert problem.startswith(f"Expected {prefix / path} as in ")
    assert f"Received sha256:{sha256('damaged')}" in problem


@each
@pytest.mark.parametrize("path", ["bin/python", "lib/python3.11/site-packages/tiny/table.txt"])
def test_a_file_or_link_that_is_gone_is_refused(
    install: Installer, path: str, prefix: Path
) -> None:
    made(install, prefix)
    (prefix / path).unlink()
    (problem,) = post_deploy.conda_problems(prefix, LOCK)
    assert problem.startswith(f"Expected {prefix / path} as in ")
    assert "Received no such file" in problem


@each
def test_a_file_in_place_of_a_link_is_refused(install: Installer, prefix: Path) -> None:
    made(install, prefix)
    (prefix / "bin/python").unlink()
    (prefix / "bin/python").write_text("another interpreter")
    (problem,) = post_deploy.conda_problems(prefix, LOCK)
    assert problem.startswith(f"Expected {prefix / 'bin/python'} as in python 3.11.15")


@each
def test_a_copy_in_place_of_a_link_is_accepted(install: Installer, prefix: Path) -> None:
    """As on a file system without links."""
    made(install, prefix)
    (prefix / "bin/python").unlink()
    (prefix / "bin/python").write_text("the interpreter")
    assert post_deploy.conda_problems(prefix, LOCK) == []


def linked_by_conda(entry: small_prefix.Entry) -> None:
    entry["path_type"] = "softlink"


def linked_by_libmamba(entry: small_prefix.Entry) -> None:
    assert entry["path_type"] == "hardlink"


@pytest.mark.parametrize(
    ("install", "linked"),
    [(small_prefix.conda, linked_by_conda), (small_prefix.libmamba, linked_by_libmamba)],
)
def test_files_that_are_links_to_the_cache_are_refused(
    install: Installer,
    linked: Callable[[small_prefix.Entry], None],
    prefix: Path,
    tmp_path: Path,
) -> None:
    """With `always_softlink`, what is installed changes whenever the cache does."""
    made(install, prefix)
    path = prefix / "etc/tiny.conf"
    path.replace(tmp_path / "tiny.conf")
    path.symlink_to(tmp_path / "tiny.conf")
    small_prefix.edit(prefix, TINY, "etc/tiny.conf", linked)
    (problem,) = post_deploy.conda_problems(prefix, LOCK)
    assert problem.startswith(f"Expected {path} in the environment itself. Received a link to ")
    assert "always_softlink" in problem


@each
def test_site_packages_lie_where_python_says(install: Installer, prefix: Path) -> None:
    """As those of a Python without the global lock."""
    site = "lib/python3.13t/site-packages"
    more = {"python_site_packages_path": site}
    python = Packed("python", "3.13.1", {"bin/python3.13": "x"}, more=more)
    for package in (python, TINY):
        install(prefix, package, site)
    lock = [{**row, "sha256": sha256(python.stem)} if row["name"] == "python" else row
            for row in LOCK if row["name"] != "data"]  # fmt: skip
    assert post_deploy.conda_problems(prefix, lock) == []
    assert post_deploy.owners(prefix, {})[f"{site}/tiny/__init__.py"] == "tiny"


@pytest.mark.parametrize("install", [small_prefix.conda, small_prefix.libmamba])
def test_it_says_which_unpacked_package_is_damaged(install: Installer, prefix: Path) -> None:
    """`conda clean` leaves a package that another environment shares its files with."""
    made(install, prefix)
    (prefix / "etc/tiny.conf").write_text("damaged")
    (problem,) = post_deploy.conda_problems(prefix, LOCK)
    assert problem.endswith(f"Remove {KEPT}/tiny-1.0-0, then try again.")
