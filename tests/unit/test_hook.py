"""The hook in the user's Python processes: it varies and notes, and gets in nobody's way."""

import ast
import importlib
import json
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from repro.data import module_loader
from repro.divergence import recorded
from repro.hook.factors import NAMES
from repro.hook.install import MODULES, PACKAGE, HookSettings, installed

PYTHONS = sorted(
    {
        Path(sys.executable),
        *Path("/usr/bin").glob("python3"),
        *Path.home().glob(".pyenv/versions/*/bin/python"),
    }
)
"""Every Python of this machine; a hook meets more of them than this one."""


class Hooked:
    """A folder with a hook in it, and what processes noted there."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        self.inputs = folder / "inputs"
        self.inputs.mkdir()
        for name in "abcd":
            (self.inputs / name).write_text(name)
        (self.inputs / "old").mkdir()
        (self.inputs / "old/file").touch()
        chosen = {"factors": NAMES, "run": "check", "inputs": self.inputs, **settings}
        self.settings = HookSettings(found=folder / "found", **chosen)
        self.environment = installed(folder / "hook", self.settings, os.environ)

    def run(self, source: str, python: Path | str = sys.executable, **more: str) -> str:
        """What a process prints in which this source is run."""
        done = subprocess.run(
            [str(python), "-c", source],
            env={**self.environment, **more},
            cwd=self.inputs,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def notes(self) -> list[dict[str, Any]]:
        return [json.loads(file.read_text()) for file in self.settings.found.iterdir()]


@pytest.fixture
def hooked(tmp_path: Path) -> Hooked:
    return Hooked(tmp_path)


SEEN = """
from __future__ import print_function
import json, os, sys, time
from datetime import date, datetime
print(json.dumps([sys.version_info[:2], datetime.now().year, date.today().year, time.gmtime()[0],
                  os.listdir("."), os.stat("a").st_mtime, os.path.exists("a")]))
"""


@pytest.mark.parametrize("python", PYTHONS, ids=str)
def test_any_python_runs_and_from_3_9_on_all_is_varied(hooked: Hooked, python: Path) -> None:
    plain = subprocess.run([str(python), "-c", SEEN], cwd=hooked.inputs, stdout=subprocess.PIPE)
    (major, minor), *before, listed, at, _ = json.loads(plain.stdout)
    _, *after, now_listed, now_at, there = json.loads(hooked.run(SEEN, python))
    if (major, minor) < (3, 9):
        assert (after, now_listed, now_at, hooked.notes()) == (before, listed, at, [])
        return
    assert len(set(after)) == 1
    assert after[0] > before[0]
    assert now_listed == listed[::-1]
    assert now_at != at
    assert there
    (note,) = hooked.notes()
    assert (list(note["varied"]), note["not varied"]) == (sorted(NAMES), {})


def test_nothing_else_of_the_process_changes(hooked: Hooked) -> None:
    source = """
import pickle, shutil, sys, time, os
from datetime import datetime, timezone
class Later(datetime): pass
now = datetime.now()
assert type(now) is datetime and type(Later.now()) is Later and isinstance(now, datetime)
assert pickle.loads(pickle.dumps(now)) == now
assert pickle.loads(pickle.dumps(os.listdir)) is os.listdir
assert abs(datetime.now(timezone.utc).timestamp() - time.time()) < 5
assert abs(now.timestamp() - time.time()) < 5 and time.monotonic() < time.time()
assert os.environ["PYTHONPATH"].split(os.pathsep)[0] not in sys.path
assert "repro" not in sys.modules
os.mkdir("made"); open("made/file", "w").close(); open("late", "w").close()
assert os.stat("late").st_mtime > os.stat("a").st_mtime
for folder in ("made", "old"):
    shutil.rmtree(folder)
    assert not os.path.exists(folder)
"""
    hooked.run(source)


def test_a_process_of_the_process_has_the_hook(hooked: Hooked) -> None:
    hooked.run("import subprocess, sys; subprocess.run([sys.executable, '-c', ''], check=True)")
    assert len(hooked.notes()) == 2


def test_every_other_sitecustomize_runs(hooked: Hooked, tmp_path: Path) -> None:
    others = [tmp_path / name for name in ("first", "second")]
    for folder in others:
        folder.mkdir()
        next_one = "import importlib; sys.path.remove(here); del sys.modules['sitecustomize']; "
        next_one += "importlib.import_module('sitecustomize')"
        (folder / "sitecustomize.py").write_text(
            "import os, sys\nhere = os.path.dirname(__file__)\nprint(os.path.basename(here))\n"
            + (next_one if folder.name == "first" else "")
        )
    hook = hooked.environment["PYTHONPATH"]
    for places in ((hook, *others), (others[0], hook, others[1])):
        path = os.pathsep.join(map(str, places))
        assert hooked.run("pass", PYTHONPATH=path) == "first\nsecond\n"
    assert len(hooked.notes()) == 2


def test_a_hook_that_fails_lets_the_script_run_and_says_so(hooked: Hooked) -> None:
    process = hooked.folder / "hook" / PACKAGE / "hook/process.py"
    process.write_text("raise RuntimeError('broken on purpose')")
    assert hooked.run("print('works')") == "works\n"
    (note,) = hooked.notes()
    assert "broken on purpose" in note["failed"]


def test_a_folder_that_is_gone_or_full_ends_no_script(tmp_path: Path) -> None:
    hooked = Hooked(tmp_path, events=tmp_path / "events")
    hooked.settings.found.rmdir()
    (tmp_path / "events").rmdir()
    assert hooked.run("print('works')") == "works\n"


def test_a_factor_that_was_not_asked_for_stays(tmp_path: Path) -> None:
    hooked = Hooked(tmp_path, factors=("clock", "hash seed"), inputs=None)
    listed = json.loads(hooked.run("import json, os; print(json.dumps(os.listdir('.')))"))
    assert listed == os.listdir(hooked.inputs)  # noqa: PTH208
    (note,) = hooked.notes()
    assert list(note["varied"]) == ["clock"]


def test_what_runs_there_is_python_3_9_and_whole() -> None:
    library = files("repro")
    for module in (*MODULES, "hook/sitecustomize"):
        tree = ast.parse((library / f"{module}.py").read_text(), feature_version=(3, 9))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "zip":
                assert not node.keywords, f"Python 3.9 has no `zip(strict=)`: {module}"
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("repro."):
                place = (node.module or "").partition(".")[2].replace(".", "/")
                assert place in MODULES or {f"{place}/{each.name}" for each in node.names} <= {
                    *MODULES
                }


LEDGER = """
import random
import uuid
from datetime import datetime

random.seed(1)
random.random()
uuid.uuid4()
datetime.now()
import subprocess
subprocess.run(["true"])
import os
os.listdir(".")
"""


def test_the_ledger_has_each_call_with_its_line(tmp_path: Path) -> None:
    hooked = Hooked(tmp_path, factors=(), events=tmp_path / "events")
    (hooked.inputs / "script.py").write_text(LEDGER)
    command = [sys.executable, "script.py"]
    subprocess.run(command, env=hooked.environment, cwd=hooked.inputs, check=True, timeout=60)
    (file,) = (tmp_path / "events").iterdir()
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    calls = [tuple(call[:5]) for line in lines for call in line.get("calls", ())]
    assert calls == [
        ("seed", "random.seed", "script.py", 6, 1),
        ("random numbers", "random.random", "script.py", 7, 1),
        ("system entropy", "uuid.uuid4", "script.py", 8, 1),
        ("clock", "datetime.datetime.now", "script.py", 9, 1),
        ("another program", "subprocess.run", "script.py", 11, 1),
        ("listing order", "os.listdir", "script.py", 13, 1),
    ]
    assert lines[-1] == {"end": True}


SURROUNDINGS = """
import locale
import multiprocessing
import os
import tempfile
from pathlib import Path

import helper
os.environ["HOME"]
os.getenv("LANG")
os.environ.get("MODEL_SIZE", "3")
"TZ" in os.environ
dict(os.environ)
os.cpu_count()
multiprocessing.cpu_count()
os.sched_getaffinity(0)
locale.getlocale()
Path.home()
os.path.expanduser("~/data")
tempfile.gettempdir()
tempfile.mkdtemp()
os.path.getmtime(helper.__file__)
Path.cwd()
Path("data").resolve()
"""
HELPER = """
import os, shutil
os.environ["OF_A_LIBRARY"] = os.path.expanduser("~")
"""


def test_the_ledger_has_what_lines_read_of_their_surroundings(tmp_path: Path) -> None:
    hooked = Hooked(tmp_path, factors=(), events=tmp_path / "events")
    (hooked.inputs / "script.py").write_text(SURROUNDINGS)
    site = tmp_path / "site-packages"
    site.mkdir()
    (site / "helper.py").write_text(HELPER)
    path = f"{hooked.environment['PYTHONPATH']}{os.pathsep}{site}"
    environment = {**hooked.environment, "PYTHONPATH": path, "LANG": "C.UTF-8"}
    command = [sys.executable, "script.py"]
    subprocess.run(command, env=environment, cwd=hooked.inputs, check=True, timeout=60)
    (file,) = (tmp_path / "events").iterdir()
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    calls = [tuple(call[:4]) for line in lines for call in line.get("calls", ())]
    single = [(source, call, line) for source, call, _, line in calls if line != 13]
    assert single == [
        ("home", 'os.environ["HOME"]', 9),
        ("locale", 'os.environ["LANG"]', 10),
        ("environment variable", 'os.environ["MODEL_SIZE"]', 11),
        ("time zone", 'os.environ["TZ"]', 12),
        ("processors", "os.cpu_count", 14),
        ("processors", "multiprocessing.cpu_count", 15),
        ("processors", "os.sched_getaffinity", 16),
        ("locale", "locale.getlocale", 17),
        ("home", "pathlib.Path.home", 18),
        ("home", "os.path.expanduser", 19),
        ("temporary folder", "tempfile.gettempdir", 20),
        ("name of a temporary file", "tempfile.mkdtemp", 21),
        ("file times", "os.path.getmtime", 22),
        ("working directory", "pathlib.Path.cwd", 23),
        ("working directory", "pathlib.Path.resolve", 24),
    ]
    assert ("all environment variables", "os.environ", "script.py", 13) in calls


FORKED = """
import os
import random

random.random()
child = os.fork()
random.random()
if child == 0:
    raise SystemExit
os.waitpid(child, 0)
"""


def test_a_forked_process_has_a_stream_of_its_own(tmp_path: Path) -> None:
    hooked = Hooked(tmp_path, factors=(), events=tmp_path / "events")
    hooked.run(FORKED)
    streams = [
        [json.loads(line) for line in file.read_text().splitlines()]
        for file in (tmp_path / "events").iterdir()
    ]
    assert sorted(stream[0]["process"]["forks"] for stream in streams) == [0, 1]
    assert all(stream[-1] == {"end": True} for stream in streams)


TURNS = """
import os, random, sys

ending = os.pipe()
children = [os.fork()]
if not children[0]:
    os.close(ending[1])
    os.read(ending[0], 1)
    random.random()  # the first child
    raise SystemExit
children.append(os.fork())
if not children[1]:
    random.random()  # the second child
    os.close(ending[1])
    raise SystemExit
os.close(ending[1])
for child in children:
    os.waitpid(child, 0)
os.execv(sys.executable, [sys.executable, "-c", "import random; random.random()"])
"""


def test_processes_are_in_the_order_of_their_start_whichever_wrote_first(tmp_path: Path) -> None:
    hooked = Hooked(tmp_path, factors=(), events=tmp_path / "events")
    hooked.run(TURNS)
    drawn = [
        line
        for process in recorded.read(tmp_path / "events")
        for _, call, _, line in process.last_calls
        if call == "random.random"
    ]
    first, second = (n for n, line in enumerate(TURNS.splitlines(), 1) if line.endswith(" child"))
    assert drawn == [1, first, second]  # the parent became another program


def _library(folder: Path, name: str, text: str) -> str:
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text(text)
    return str(folder)


@pytest.mark.parametrize(
    ("name", "version", "backend", "said"),
    [
        ("keras", "3.15.1", "tensorflow", []),
        ("keras", "3.9.0", "jax", ["the steps of Keras on jax; they are seen on TensorFlow"]),
        (
            "keras", "2.15.0", "tensorflow",
            ["the steps of Keras 2.15.0; they are seen from Keras 3 on"],
        ),
        ("tf_keras", "2.16.0", "", ["the steps of tf.keras 2.16.0"]),
    ],
)  # fmt: skip
def test_what_cannot_be_watched_is_said(
    hooked: Hooked, name: str, version: str, backend: str, said: list[str]
) -> None:
    text = f"__version__ = {version!r}\nclass backend:\n    backend = lambda: {backend!r}\n"
    place = _library(hooked.folder / "libraries", name, text)
    hooked.run(f"import sys; sys.path.insert(0, {place!r}); import {name}")
    (note,) = hooked.notes()
    assert note.get("left out", []) == said


def test_the_benchmark_of_its_cost_replaces_what_is_there() -> None:
    place = Path(__file__).parents[1] / "benchmarks" / "hook_cost.py"
    benchmark = module_loader.module("hook_cost", place)
    for name, replaced in ((benchmark.PACE, "SHARE"), (benchmark.WRAPPED_FIT, "with_digest")):
        assert name.replace(".", "/") in MODULES
        assert hasattr(importlib.import_module(f"repro.{name}"), replaced)
