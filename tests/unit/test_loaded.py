"""What a process loaded: every way for code from elsewhere to come in is found, and named.

Each leak is made for real, in a process of its own in the locked environment.
"""

import ast
import ctypes.util
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from samples import LIBRARY

PATHS = f"""
import sys
from pathlib import Path
sys.path.append({str(LIBRARY)!r})
"""
CHECK = f"""
{PATHS}
import json
from repro.core.errors import UserError
from repro.record.installed import RECORD, Installed
from repro.record.loaded import require_loaded
prefix = Path(sys.prefix)
facts = json.loads((prefix / RECORD).read_bytes())
files = facts.pop("files")
exec(sys.argv[1])
try:
    found = require_loaded(prefix, Installed(facts, files), [Path({str(LIBRARY)!r})])
    print(found)
except UserError as error:
    sys.exit(f"refused: {{error}}")
"""
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="mapped objects are listed on Linux")
Leak = Callable[[Path], tuple[str, dict[str, str]]]


def module(folder: Path, name: str = "leak") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.py"
    file.write_text("VALUE = 1\n")
    return file


def library(folder: Path) -> Path:
    """A library of the environment, as it may lie anywhere."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = "_bisect"
    __import__(stem)
    builtin = getattr(sys.modules[stem], "__file__", None)
    source = builtin or next(Path(sys.prefix).rglob("*.so"))
    return Path(shutil.copy(source, folder / "libleak.so"))


def python_path(place: Path) -> tuple[str, dict[str, str]]:
    module(place)
    return "import leak", {"PYTHONPATH": str(place)}


def sitecustomize(place: Path) -> tuple[str, dict[str, str]]:
    module(place, "sitecustomize")
    return "", {"PYTHONPATH": str(place)}


def user_site(place: Path) -> tuple[str, dict[str, str]]:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    module(place / "lib" / version / "site-packages")
    return "import leak", {"PYTHONUSERBASE": str(place)}


def usercustomize(place: Path) -> tuple[str, dict[str, str]]:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    module(place / "lib" / version / "site-packages", "usercustomize")
    return "", {"PYTHONUSERBASE": str(place)}


def pth_file(place: Path) -> tuple[str, dict[str, str]]:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = place / "lib" / version / "site-packages"
    module(place / "elsewhere")
    site.mkdir(parents=True)
    (site / "leak.pth").write_text(f"{place / 'elsewhere'}\n")
    return "import leak", {"PYTHONUSERBASE": str(place)}


def working_directory(place: Path) -> tuple[str, dict[str, str]]:
    module(place)
    return "import leak", {}


def appended_path(place: Path) -> tuple[str, dict[str, str]]:
    module(place / "more")
    return f"import sys; sys.path.append({str(place / 'more')!r}); import leak", {}


def loaded_by_its_path(place: Path) -> tuple[str, dict[str, str]]:
    file = str(module(place / "more"))
    return (
        "import importlib.util, sys\n"
        f"spec = importlib.util.spec_from_file_location('leak', {file!r})\n"
        "sys.modules['leak'] = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(sys.modules['leak'])"
    ), {}


def zip_on_the_path(place: Path) -> tuple[str, dict[str, str]]:
    with zipfile.ZipFile(place / "leak.zip", "w") as archive:
        archive.writestr("leak.py", "VALUE = 1\n")
    return f"import sys; sys.path.append({str(place / 'leak.zip')!r}); import leak", {}


def link_to_a_module(place: Path) -> tuple[str, dict[str, str]]:
    (place / "link").symlink_to(module(place / "more").parent)
    return f"import sys; sys.path.append({str(place / 'link')!r}); import leak", {}


def preloaded(place: Path) -> tuple[str, dict[str, str]]:
    return "", {"LD_PRELOAD": str(library(place))}


def library_path(place: Path) -> tuple[str, dict[str, str]]:
    name = ctypes.util.find_library("util") or "libutil.so.1"
    for folder in ("/usr/lib", "/lib", "/usr/lib64", "/lib64"):
        for file in Path(folder).rglob(name):
            shutil.copy(file, place / name)
            code = f"import ctypes; ctypes.CDLL({name!r})"
            return code, {"LD_LIBRARY_PATH": str(place)}
    raise FileNotFoundError(name)


def opened_library(place: Path) -> tuple[str, dict[str, str]]:
    return f"import ctypes; ctypes.CDLL({str(library(place))!r})", {}


def deleted_library(place: Path) -> tuple[str, dict[str, str]]:
    file = str(library(place))
    return f"import ctypes, os; ctypes.CDLL({file!r}); os.unlink({file!r})", {}


def library_in_memory(place: Path) -> tuple[str, dict[str, str]]:
    file = str(library(place))
    return (
        "import ctypes, os\n"
        "memory = os.memfd_create('leak')\n"
        f"os.write(memory, open({file!r}, 'rb').read())\n"
        "ctypes.CDLL(f'/proc/self/fd/{memory}')"
    ), {}


MODULES: list[Leak] = [
    python_path, sitecustomize, user_site, usercustomize, pth_file, working_directory,
    appended_path, loaded_by_its_path, zip_on_the_path, link_to_a_module,
]  # fmt: skip
OBJECTS: list[Leak] = [
    preloaded, library_path, opened_library, deleted_library, library_in_memory,
]  # fmt: skip


def started(
    place: Path, code: str, change: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Runs the code, then checks what is loaded by the record, on which a change is made before."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "LD_"))}
    return subprocess.run(
        [sys.executable, "-B", "-c", f"{code}\n{CHECK}", change],
        cwd=place, env={**kept, **variables}, text=True, capture_output=True, check=False,
    )  # fmt: skip


def refused(leak: Leak, place: Path) -> str:
    place = place / "place"  # LD_PRELOAD is split at spaces
    place.mkdir()
    code, variables = leak(place)
    done = started(place, code, **variables)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "refused: Expected all code that runs to come from the locked" in done.stderr
    return done.stderr


def test_a_clean_process_is_not_refused(tmp_path: Path) -> None:
    done = started(tmp_path, "import numpy, yaml, safetensors, sqlite3, ssl, ctypes, pwd")
    assert done.returncode == 0, done.stderr
    assert "'numpy'" in done.stdout


@pytest.mark.parametrize("leak", MODULES)
def test_a_module_from_elsewhere_is_refused_by_its_name(leak: Leak, tmp_path: Path) -> None:
    told = refused(leak, tmp_path)
    assert "the module" in told
    assert "from outside it" in told
    assert "PYTHONPATH is set" in told or leak not in (python_path, sitecustomize)


@LINUX
@pytest.mark.parametrize("leak", OBJECTS)
def test_a_library_from_elsewhere_is_refused_by_its_path(leak: Leak, tmp_path: Path) -> None:
    told = refused(leak, tmp_path)
    assert "the library" in told
    assert "from outside it" in told
    assert "LD_PRELOAD is set" in told or leak is not preloaded


def altered(place: Path, row: str) -> subprocess.CompletedProcess[str]:
    """Checked against a record that says something else of a module that was imported."""
    change = "name = str(Path(yaml.__file__).relative_to(prefix)); row = files[name]; "
    return started(place, "import yaml", f"{change}files[name] = {row}")


def test_what_belongs_to_no_package_is_refused(tmp_path: Path) -> None:
    done = altered(tmp_path, "[*row[:5], '']")
    assert done.returncode == 1
    assert re.search(r"the module yaml \(.*\), of no package of the lock", done.stderr)


def test_what_was_changed_since_is_refused(tmp_path: Path) -> None:
    done = altered(tmp_path, "['sha256:0', row[1], 0, 0, 0, row[5]]")
    assert done.returncode == 1
    assert re.search(r"the module yaml \(.*\), no longer as installed \(sha256", done.stderr)


def test_the_same_bytes_at_another_time_are_hashed_and_pass(tmp_path: Path) -> None:
    assert altered(tmp_path, "[row[0], row[1], 0, 0, 0, row[5]]").returncode == 0


def test_what_is_loaded_is_told_for_the_manifest(tmp_path: Path) -> None:
    done = started(tmp_path, "import numpy")
    told = ast.literal_eval(done.stdout)
    assert {"numpy", "python"} <= set(told["packages"])
    if sys.platform == "linux":
        assert any("libm" in path for path in told["host"])
        assert all(len(digest) == 64 for digest in told["host"].values())
