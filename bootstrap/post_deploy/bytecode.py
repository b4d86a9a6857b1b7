"""Compiles what a step imports, once and bound to no time, when an environment is made.

Synopsis:
    with bytecode.written(prefix, wheels=True) as paths: ...     # others write meanwhile
"""

import os
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from importlib.util import cache_from_source
from pathlib import Path

HERE = Path(__file__).parent
IMPORTED = HERE / "imported.txt"
# Else a module that was not compiled would be, by whoever imports it outside of a job.
NO_BYTECODE = {"repro_no_bytecode.pth": "import sys; sys.dont_write_bytecode = True\n"}
# compileall, without the search for garbage, of which compiling makes none.
COMPILE = "import compileall, gc, sys; gc.disable(); sys.exit(not compileall.main())"
WORKERS = os.cpu_count() or 1


@contextmanager
def written(prefix: Path, *, wheels: bool) -> Generator[set[str]]:
    """Compile what a step imports, let nothing else ever be compiled, and give the new paths.

    ``wheels`` are all in site-packages; else it is Python's own library, by one process, since
    wheels may still be unpacked.
    """
    library = prefix / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    for name, text in NO_BYTECODE.items():
        (library / "site-packages" / name).write_text(text)
    files = compiled(library, IMPORTED.read_text("utf-8").splitlines())
    files = [f for f in files if f.is_relative_to(library / "site-packages") == wheels]
    paths = [cache_from_source(file) for file in files]
    paths += [str(library / "site-packages" / name) for name in NO_BYTECODE]
    workers = min(WORKERS if wheels else 1, len(files))  # of no file compileall makes all it finds
    running = [_compiler(prefix, f"{wheels}-{n}", files[n::workers]) for n in range(workers)]
    try:
        yield {os.path.relpath(path, prefix) for path in paths}
    finally:
        for process in running:
            process.wait()  # whatever its status: what does not compile cannot be imported


def _compiler(prefix: Path, name: str, files: Sequence[Path]) -> "subprocess.Popen[bytes]":
    names = HERE.parent / f"compiled-{name}.txt"
    names.write_text("\n".join(map(str, files)))
    command = [str(prefix / "bin" / "python"), "-IB", "-c", COMPILE, "-qq", "-f"]
    return subprocess.Popen([*command, "--invalidation-mode", "unchecked-hash", "-i", str(names)])


def compiled(library: Path, imported: Sequence[str]) -> list[Path]:
    """Return the modules to compile: those that imported.txt names, and all that the user added.

    A line is a folder with all below it, ``FOLDER/*`` for its own modules alone, or ``-NAME`` for a
    package of which nothing is imported.
    """
    site, files = library / "site-packages", list[Path]()
    for line in (line for line in imported if line and line[0] not in "-#"):
        folder = library / line.removesuffix("*")
        files += folder.glob("*.py") if line.endswith("*") else folder.rglob("*.py")
    known = {
        line.removeprefix("-").removeprefix("site-packages/").partition("/")[0] for line in imported
    }
    for package in site.iterdir():
        if package.name not in known:
            files += package.rglob("*.py")
    return sorted({file for file in files if not _tests(file)})


def _tests(file: Path) -> bool:
    """Whether a module tests others, which no step imports."""
    return file.name.endswith("_test.py") or file.parent.name == "tests"
