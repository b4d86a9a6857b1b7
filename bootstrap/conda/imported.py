"""Makes imported.txt: which folders of an environment hold what a step imports, and are compiled.

Synopsis:
    cd bootstrap; ../.tools/venv/bin/python -m conda.imported PREFIX

PREFIX is that of the environment `keras`, made from the lock as it is. Of its 9,600 modules those
are compiled that steps and experiments import, and what lies beside them: half of all.
"""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import project
from post_deploy import bytecode

MOSTLY = 0.5  # of a folder with all below it
LARGE = 50  # modules: a smaller package of which nothing is imported is compiled all the same
HEADER = """\
# What a step imports, by folder: these are compiled when an environment is made. Made by
# `python -m conda.imported`; do not edit. FOLDER/* is its own modules; of -NAME, nothing.
"""
_LOADED = """\
import sys, tensorflow, keras
import jinja2, matplotlib.pyplot, pandas, PIL.Image
import sklearn.metrics, sklearn.model_selection, sklearn.pipeline, sklearn.preprocessing
for module in list(sys.modules.values()):
    if str(getattr(module, "__file__", None)).endswith(".py"):
        print(module.__file__)
"""


def main(argv: Sequence[str]) -> int:
    """Import in an environment what experiments do, and write the list."""
    prefix = Path(argv[0]).resolve()
    (library,) = prefix.glob("lib/python3*")
    python = [str(prefix / "bin" / "python"), "-IB", "-c", _LOADED]
    output = subprocess.run(python, stdout=subprocess.PIPE, text=True, check=True).stdout
    loaded = {Path(line).resolve() for line in output.splitlines()}
    lines = sorted(folders(library, loaded))
    project.write(bytecode.IMPORTED, HEADER + "".join(f"{line}\n" for line in lines))
    return 0


def folders(library: Path, loaded: set[Path]) -> Iterator[str]:
    """Yield the lines of the list, for lib/python3.11 of an environment and its loaded modules."""
    for folder in (library, *(path for path in sorted(library.iterdir()) if _is_package(path))):
        yield from _below(library, folder, loaded, alone=folder == library)
    for package in sorted(filter(_is_package, (library / "site-packages").iterdir())):
        unused = not any(file.is_relative_to(package) for file in loaded)
        if unused and len(list(package.rglob("*.py"))) >= LARGE:
            yield f"-site-packages/{package.name}"


def _below(library: Path, folder: Path, loaded: set[Path], *, alone: bool) -> Iterator[str]:
    path = folder.relative_to(library).as_posix()
    modules = list(folder.glob("*.py") if alone else folder.rglob("*.py"))
    imported = [file for file in modules if file in loaded]
    if imported and not alone and len(imported) >= MOSTLY * len(modules):
        yield path
        return
    if any(file.parent == folder for file in imported):
        yield f"{path}/*".removeprefix("./")
    if imported and not alone:
        for below in sorted(filter(_is_package, folder.iterdir())):
            yield from _below(library, below, loaded, alone=False)


def _is_package(path: Path) -> bool:
    return path.is_dir() and path.name != "__pycache__"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
