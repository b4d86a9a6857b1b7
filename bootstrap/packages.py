"""Packages: the files that an environment and the host's tools are installed from, for an archive.

Synopsis:
    packages.gathered(results)      -> {"packages/pypi/numpy-….whl": path, …}

Which ones is what the manifests say, by digest. Nobody keeps wheels after an installation, so they
are fetched again, against the same digests, and kept in .tools/packages for the next archive, which
hashes each again while it is written.
"""

import hashlib
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote

import channel
import install
import project
import tools
from repro.audit.results import Results
from repro.core.errors import CouldNotRun, UserError
from repro.core.writing import whole_folder
from repro.keep.index import CONDA, PYPI
from repro.record.manifest import recorded

ARCHIVES = (".whl", ".gz", ".zip")
KEPT = project.TOOLS / "packages"
_OPTIONS = ["--require-hashes", "--no-deps", "--no-input", "-qq", "--disable-pip-version-check"]


def gathered(results: Results) -> dict[str, Path]:
    """Return every package that took part in making results, and those of the host's tools.

    Args:
        results: of one experiment.

    Returns:
        Files by their names in an archive.

    Raises:
        UserError: one cannot be had, or has another digest.

    Example:
        >>> gathered(read(Path("results")).only("digits"))
        {'packages/conda/linux-64/python-3.11.2-debian_6_deb12u9.conda': …}
    """
    print(
        "Gathering the packages; what is not kept here is fetched ...", file=sys.stderr, flush=True
    )
    found: dict[str, Path] = {}
    with project.locked(KEPT):  # the target `archive` makes several archives at once
        every = [*_conda(results), *_wheels(results), *_tools()]
    for name, path in every:
        if name in found and _digest(found[name]) != _digest(path):
            raise UserError(
                f"Expected one file {name}. Received two with other content, from the lock and "
                "from bootstrap/. Leave them to the lock: `--without-packages`."
            )
        found[name] = path
    return found


def _conda(results: Results) -> Iterator[tuple[str, Path]]:
    used = results.packages
    installed = [recorded(s.value)["environment"]["installed"] for s in results.steps.values()]
    for files in sorted({(i["channel"], i["environment"], i["platform"]) for i in installed}):
        source, environment, platform = files
        folder = channel.LOCAL / "envs" if source == "local" else channel.ENVS
        pins = install.read_pins(folder / f"{environment}.{platform}.pin.txt")
        wanted = [pin for pin in pins if pin.digest in used]
        for pin, path in zip(wanted, install.fetched(wanted, project.TOOLS / "pkgs"), strict=True):
            subdir = pin.url.rpartition("/")[0].rpartition("/")[2]
            yield f"{CONDA}{subdir}/{pin.file_name}", path


def _wheels(results: Results) -> Iterator[tuple[str, Path]]:
    used = {d: u.removeprefix("pkg:pypi/") for d, u in results.packages.items() if ":pypi/" in u}
    missing = {d: package for d, package in used.items() if not _kept(d)}
    if missing:
        _fetch(missing, _python(results))
    for digest, package in sorted(used.items()):
        if not (found := _kept(digest)):
            raise UserError(f"Expected the wheel of {package} with sha256 {digest}. Received none.")
        yield f"{PYPI}{found[0].name}", found[0]


def _kept(digest: str) -> list[Path]:
    return list((KEPT / digest).glob("*.whl"))


def _python(results: Results) -> str:
    """The version of the environment's Python, such as 3.11."""
    versions = {
        recorded(s.value)["environment"]["python"]["version"] for s in results.steps.values()
    }
    return ".".join(min(versions).split(".")[:2])


def _fetch(missing: Mapping[str, str], python: str) -> None:
    """Fetch wheels, and keep each below its digest: what is there need not be hashed again."""
    lines = [f"{unquote(p).replace('@', '==')} --hash=sha256:{d}" for d, p in missing.items()]
    with whole_folder(KEPT / "fetched") as folder:
        wanted = folder / "wanted.txt"
        wanted.write_text("\n".join([*sorted(lines), ""]), encoding="utf-8")
        _pip("--python-version", python, "--only-binary", ":all:", wanted=wanted, to=folder)
        for wheel in folder.glob("*.whl"):
            place = KEPT / _digest(wheel) / wheel.name
            place.parent.mkdir(parents=True, exist_ok=True)
            wheel.replace(place)


def _tools() -> Iterator[tuple[str, Path]]:
    """The wheels for this machine's Python, and the one tool that is published as source."""
    parts = [tools.WHEELS.read_bytes(), tools.SOURCE.read_bytes(), sys.version.encode()]
    folder = KEPT / f"tools-{hashlib.sha256(bytes(1).join(parts)).hexdigest()[:16]}"
    if not folder.is_dir():
        with whole_folder(folder) as temporary:
            _pip("--only-binary", ":all:", wanted=tools.WHEELS, to=temporary)
            source = ["--no-binary", ":all:", "--no-build-isolation"]
            _pip(*source, wanted=tools.SOURCE, to=temporary)
    for path in sorted(path for path in folder.iterdir() if path.suffix in ARCHIVES):
        yield f"{PYPI}{path.name}", path


def _pip(*options: str, wanted: Path, to: Path) -> None:
    to.mkdir(parents=True, exist_ok=True)
    pip: Sequence[str] = [sys.executable, "-Es", "-m", "pip", "download", *_OPTIONS, *options]
    where = ["--dest", str(to), "--requirement", str(wanted)]
    if subprocess.run([*pip, *where], check=False).returncode:
        raise CouldNotRun(
            f"Expected the packages of {wanted.name} from the index that pip "
            "is configured with. Received the error above. Make it reachable, or leave them to the "
            "lock: `--without-packages`."
        )


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
