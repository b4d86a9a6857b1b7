"""Loaded: what this process imported and mapped is what the lock names, or an allowed host object.

Synopsis:
    installed = require(Path(sys.prefix))          # repro.record.installed
    require_loaded(Path(sys.prefix), installed, [program, experiment])

An environment that is as installed says nothing of what a process took from elsewhere: through
PYTHONPATH, the user's own packages, a `.pth` file, the working directory, LD_LIBRARY_PATH,
LD_PRELOAD, or a path that some code appends. So each module and each executable mapping is held
against the record of the environment. From the host come only the C library's and the compiler's
objects, for which no wheel brings a replacement, and the GPU's driver; their digests are recorded.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from repro.core.digest import sha256_file
from repro.core.errors import UserError
from repro.core.text import shortened
from repro.machine.fact import inapplicable, unknown
from repro.machine.mapped_files import mapped
from repro.record.installed import Installed, unlike

SYSTEM = ("/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib64")
"""Where an object of the host must lie, its links followed; LD_LIBRARY_PATH can name any place."""

APPLE = ("/usr/lib/", "/System/")
"""Where the libraries of macOS lie; only macOS itself can write there."""

_HOST = re.compile(
    r"(ld-linux[\w.-]*|ld|lib(c|m|mvec|dl|rt|pthread|util|resolv|nss_\w+|gcc_s|stdc\+\+|"
    # the driver, under WSL what it calls as well
    r"cuda|cudadebugger|nvidia-[\w-]+|dxcore|d3d12(core)?))[-.][\w.-]*"
)
_AUTOGRAPH = re.compile(r"__autograph_generated_file\w+\.py")
_SHOWN = 5


def require_loaded(prefix: Path, installed: Installed, code: Sequence[Path]) -> dict[str, Any]:
    """Refuses a process that runs code from outside its environment.

    Args:
        code: files and folders whose modules are meant: the program, the user's experiment.

    Returns:
        For the manifest: `packages`, the locked packages that are loaded, and `host`, the sha256
        of each object of the host by its path; where there are no digests, why, as
        `repro.machine.fact` has it.

    Raises:
        UserError: what was loaded from where.
    """
    modules = dict(_modules(list(sys.modules.items()), prefix, installed, code))
    listed = sys.platform in ("linux", "darwin")
    objects = sorted(mapped(executable=True)) if listed else []
    host = [path for path in objects if _of_the_host(path)]
    looked = {**{path: f"the library {path}" for path in objects if path not in host}, **modules}
    packages, problems = set[str](), list[str]()
    roots = (f"{prefix}{os.sep}", f"{os.path.realpath(prefix)}{os.sep}")
    for path, what in looked.items():
        owner, problem = _owner(roots, installed, path)
        packages |= {owner} - {""}
        problems += [f"{what}, {problem}"] if problem else []
    if problems:
        raise UserError(_refusal(prefix, problems))
    return {
        "packages": sorted(packages),
        "host": _digests(host)
        if listed
        else unknown(f"mapped objects are not listed on {sys.platform}"),
    }


def _digests(host: Iterable[str]) -> dict[str, str]:
    if sys.platform == "darwin":
        return inapplicable(
            "macOS keeps its libraries in one cache and not as files; they go with the version and "
            "build that `system/libc` tells"
        )
    return {path: sha256_file(Path(path)) for path in host}


def _modules(
    loaded: Iterable[tuple[str, ModuleType]],
    prefix: Path,
    installed: Installed,
    code: Sequence[Path],
) -> Iterator[tuple[str, str]]:
    """The file of each module that has one and is not of `code`, and how to call it."""
    inside, owned = f"{prefix}{os.sep}", [os.path.realpath(path) for path in code]
    roots = tuple(f"{path}{os.sep}" for path in owned)
    for name, module in loaded:
        # A namespace package has folders alone; what lies in them has modules of its own.
        file = getattr(module, "__file__", None)
        if not isinstance(file, str):
            continue
        # Links are followed only where need be: there are thousands of modules.
        known = file.startswith(inside) and file[len(inside) :] in installed.files
        real = file if known else os.path.realpath(file)
        # TensorFlow writes the code that it makes of a function there, and imports it.
        generated = _AUTOGRAPH.fullmatch(os.path.basename(real))  # noqa: PTH119
        if real not in owned and not real.startswith(roots) and not generated:
            yield real, f"the module {name} ({file})"


def _of_the_host(path: str) -> bool:
    if sys.platform == "darwin":
        return path.startswith(APPLE)
    folder, _, name = os.path.realpath(path).rpartition("/")
    return bool(_HOST.fullmatch(name)) and any(
        folder == place or folder.startswith(f"{place}/") for place in SYSTEM
    )


def _owner(roots: Sequence[str], installed: Installed, path: str) -> tuple[str, str]:
    """The package that a file below one of the roots belongs to, or what is wrong with it."""
    name = next((path[len(root) :] for root in roots if path.startswith(root)), "")
    row = installed.files.get(name)
    if not row:
        return "", "from outside it"
    if not row[5]:
        return "", "of no package of the lock"
    try:
        now = unlike(Path(path), row)
    except OSError as error:
        return "", f"not to be read any more ({error.strerror})"
    return row[5], f"no longer as installed ({now} in place of {row[0]})" if now else ""


def _refusal(prefix: Path, problems: Sequence[str]) -> str:
    listed = shortened(problems, _SHOWN, "; ")
    causes = [
        name
        for name in ("LD_PRELOAD", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME")
        if os.environ.get(name)
    ]
    listed += f" ({', '.join(causes)} is set)" if causes else ""
    return (
        f"Expected all code that runs to come from the locked environment {prefix}. Received "
        f"{listed}. Name what is needed in environment.yml and run `./run lock`, or take it out of "
        "the way."
    )
