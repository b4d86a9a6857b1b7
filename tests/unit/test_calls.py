"""Calls of the user's code to what may vary are noted, and change nothing."""

import json
import os
import py_compile
import textwrap
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import pytest
from repro.core.errors import UserError
from repro.data.user_code import load
from repro.watch.call_recorder import watched

HEAD = """
import asyncio, collections, datetime, glob, itertools, locale, multiprocessing, os, random, secrets
import socket, subprocess, tempfile, threading, time, uuid
import concurrent.futures
from datetime import datetime as moment
from pathlib import Path
from time import time as now
import numpy as np
import helping
"""


@pytest.fixture(autouse=True)
def helping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A library that the experiment uses, and a folder to work in."""
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "helping.py").write_text(
        "import time, os, numpy\n\n"
        "def calls(function=None):\n"
        "    time.time(), os.listdir('.'), numpy.random.default_rng()\n"
        "    return function and function()\n"
    )
    monkeypatch.syspath_prepend(tmp_path / "library")
    monkeypatch.chdir(tmp_path)
    yield
    for name in ("helping", "experiment", "experiment.part"):
        __import__("sys").modules.pop(name, None)


def experiment(tmp_path: Path, body: str, model: str = "pass") -> Path:
    """A file whose `dataset` has this body, from its first line on."""
    file = tmp_path / "experiment.py"
    text = textwrap.indent(textwrap.dedent(body).strip(), "    ")
    file.write_text(f"{HEAD}\n\ndef model(settings, seeds):\n    {model}\n\n"
                    f"def dataset(data, settings, seeds):\n{text}\n", "utf-8")  # fmt: skip
    return file


def noted(file: Path, *inputs: Path, function: str = "dataset") -> list[dict[str, Any]]:
    with watched(file, inputs) as calls:
        load(file).module.__dict__[function](*[None] * (3 if function == "dataset" else 2))
    return calls.report()["calls"]


VARYING = {
    "generator without a seed": """
        np.random.default_rng()
        np.random.default_rng(None)
        np.random.default_rng(seed=None)
        np.random.RandomState()
        np.random.SeedSequence()
        np.random.Generator(np.random.PCG64())
        np.random.seed()
        random.Random()
        random.seed()
        random.seed(None)""",
    "system entropy": """
        os.urandom(4)
        uuid.uuid4()
        uuid.uuid1()
        secrets.token_bytes(4)
        secrets.choice([1, 2])
        secrets.randbelow(5)
        random.SystemRandom().random()""",
    "clock": """
        time.time()
        now()
        time.time_ns()
        time.perf_counter()
        time.monotonic()
        time.strftime("%Y")
        datetime.datetime.now()
        moment.now()
        moment.utcnow()
        datetime.date.today()
        moment(2020, 1, 1).timestamp()
        moment(2020, 1, 1).astimezone()""",
    "file times": """
        os.stat(".").st_mtime
        Path(".").stat().st_mtime_ns
        os.path.getmtime(".")""",
    "listing order": """
        os.listdir(".")
        list(os.scandir("."))
        [name for name in os.listdir(".")]
        next(os.walk("."))
        glob.glob("*")
        list(Path(".").iterdir())
        list(Path(".").glob("*"))
        sorted(os.listdir(".")[:3])
        sorted(os.listdir("."), key=len)
        max(os.listdir("."), key=lambda name: len(name))
        sorted(map(str, enumerate(os.listdir("."))))""",
    "process id": "os.getpid()",
    "processors": """
        os.cpu_count()
        os.sysconf("SC_NPROCESSORS_ONLN")
        os.sysconf(os.sysconf_names["SC_NPROCESSORS_CONF"])
        multiprocessing.cpu_count()""",
    "environment variable": """
        os.getenv("HOME")
        os.environ.get("HOME")
        os.environ["PATH"]
        "HOME" in os.environ""",
    "home": """
        os.path.expanduser("~")
        Path.home()
        Path("~").expanduser()""",
    "temporary folder": """
        tempfile.gettempdir()
        tempfile.mkdtemp(dir=".")
        tempfile.TemporaryDirectory(dir=".").cleanup()""",
    "working directory": """
        os.getcwd()
        Path.cwd()
        os.path.abspath("a")
        Path(os.path.abspath("a"))""",
    "locale": "locale.getlocale()",
    "hash": """
        hash("a")
        hash(("a", 1))
        id(data)
        [name for name in {"a", "b"}]
        list({"a", "b"})
        ",".join({"a", "b"})
        dict.fromkeys({"a", "b"})
        {"a", "b"}.pop()
        [*{"a", "b"}]
        print(*{"a", "b"})
        str({"a", "b"})
        collections.deque({"a", "b"})
        collections.Counter({"a", "b"})
        collections.Counter().update({"a", "b"})
        list(itertools.chain.from_iterable([{"a", "b"}]))
        {name: 1 for name in frozenset({"a", "b"})}""",
    "ties": """
        collections.Counter("ab").most_common()
        collections.Counter("aabc").most_common(2)
        sorted(collections.Counter("aabc").most_common(2))""",
    "file rights": """
        os.stat(".").st_mode
        os.access(".", 4)""",
    "place of a file": """
        Path("/a/b").parent
        Path("/a/b").parts[-2]
        os.path.dirname("/a/b")
        str(Path("/a/b"))""",
    "threads": """
        threading.Thread(target=print).start()
        concurrent.futures.ThreadPoolExecutor(1).shutdown()""",
    "unordered stream": """
        concurrent.futures.as_completed([])
        asyncio.as_completed([])""",
    "another program": """
        subprocess.run(["true"])
        subprocess.check_output(["true"])
        subprocess.check_call(["true"])
        subprocess.getoutput("true")
        os.system("true")""",
    "processes": """
        subprocess.Popen(["true"]).wait()
        concurrent.futures.ProcessPoolExecutor(1).shutdown()""",
    "network": """
        socket.gethostname()
        socket.socket().close()""",
    "file outside the inputs": """
        open("/etc/hostname").close()
        Path("/etc/hostname").open().close()
        Path("/etc/hostname").read_text()
        np.fromfile("/etc/hostname", "u1")""",
}
LINES = [(source, line.strip()) for source, lines in VARYING.items() for line in lines.split("\n")]


@pytest.mark.parametrize(("source", "line"), [pair for pair in LINES if pair[1]])
def test_a_source_of_variation_is_noted(source: str, line: str, tmp_path: Path) -> None:
    file = experiment(tmp_path, line)
    found = noted(file)
    assert [call["source"] for call in found] == [source], found
    assert found[0]["function"] == "dataset"
    assert found[0]["file"] == "experiment.py"
    assert file.read_text("utf-8").splitlines()[found[0]["line"] - 1].strip() == line
    assert found[0]["count"] == 1


@pytest.mark.parametrize(
    "line",
    [
        "np.random.default_rng(3)",
        "np.random.RandomState(3)",
        "np.random.seed(seed=3)",
        "random.Random(3).choice([1, 2])",
        "random.seed(3)",
        "random.choice([1, 2])",
        'sorted(os.listdir("."))',
        'sorted(str(p) for p in Path(".").iterdir())',
        'sorted(list(Path(".").glob("*")), key=str)',
        'len(os.listdir("."))',
        '{name for name in os.listdir(".")}',
        'sorted({"a", "b"})',
        'sorted(name for name in {"a", "b"})',
        "[number for number in {1, 2}]",
        "list({1, 2})",
        "hash(3)",
        'os.sysconf("SC_PAGE_SIZE")',
        "collections.Counter([1, 2]).most_common()",
        'collections.Counter("aab").most_common()',
        'collections.Counter("aabc").most_common(1)',
        'sorted(collections.Counter("ab").most_common())',
        'collections.Counter().update(["a", "b"])',
        'Path("a/b").parent',
        '"a" in {"a", "b"}',
        'os.environ["A"] = "1"',
        'os.environ.setdefault("A", "2")',
        'os.path.abspath("/a")',
        'open("new.txt", "w").close()',
        "open(__file__).close()",
        "open(os.devnull, mode='w').close()",
        "helping.calls()",
        "time.sleep(0)",
        "moment(2020, 1, 1).isoformat()",
    ],
)
def test_what_cannot_vary_is_not_noted(line: str, tmp_path: Path) -> None:
    assert noted(experiment(tmp_path, line)) == []


def test_files_among_the_inputs_are_not_noted(tmp_path: Path) -> None:
    folder, other = tmp_path / "data", tmp_path / "other"
    for each in (folder, other):
        each.mkdir()
        (each / "a.txt").write_text("a")
    (tmp_path / "link").symlink_to(folder)
    file = experiment(tmp_path, """
        open("data/a.txt").close()
        open("link/a.txt").close()
        open("other/a.txt").close()
    """)  # fmt: skip
    assert [call["line"] for call in noted(file, folder)] == [lines(file).index("other") + 1]


def lines(file: Path) -> Any:
    class Lines(list[str]):
        def index(self, text: str) -> int:  # type: ignore[override]
            return next(n for n, line in enumerate(self) if text in line)

    return Lines(file.read_text("utf-8").splitlines())


def test_nothing_is_changed(tmp_path: Path) -> None:
    body = """
    class Base:
        def __init__(self, *values, **named):
            self.values = values, named

    class Own(Base):
        __hidden = 3

        def __init__(self):
            super().__init__(*[1, 2], name=f"{len('abc')!r:>3}")
            self.hidden = self.__hidden

        @property
        def twice(self):
            return [value * 2 for value in self.values[0]]

    def generated():
        for name in sorted({"a", "b"}):
            yield (lambda text: text.upper())(name)

    class Day(datetime.date):
        pass

    np.random.seed(3), random.seed(3)
    drawn = np.random.default_rng(3).normal(), np.random.normal(), random.random()
    kinds = isinstance(moment.now(), datetime.datetime), type(now()) is float
    own = Own()
    first, *rest = [hash("a") == hash("a"), *drawn]
    own.parts, own.workers = own.twice, 4
    match own.twice:
        case own.parts:
            rest.append("matched")
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        rest += pool.map(str, [1, 2])
    return (own.values, own.hidden, own.twice, list(generated()), drawn, kinds, first, rest,
            isinstance(Day.today(), Day), (walrus := len("ab")), walrus, locals().keys() >= {"own"},
            random.Random is type(random.Random(0)), [f(2) for f in (int, str)])
    """
    file = experiment(tmp_path, body)
    alone = load(file).module.dataset(None, None, None)
    with watched(file) as calls:
        seen = load(file).module.dataset(None, None, None)
    assert alone == seen
    assert {call["source"] for call in calls.report()["calls"]} == {"clock", "hash", "threads"}


def test_it_is_told_on_whose_behalf(tmp_path: Path) -> None:
    file = tmp_path / "experiment.py"
    file.write_text(
        textwrap.dedent("""
        import threading, time, helping
        time.time()
        def called():
            time.time()
        def model(settings, seeds):
            called()
            dataset(1, 2, 3)
        def dataset(data, settings, seeds):
            helping.calls(called)
            thread = threading.Thread(target=called)
            thread.start()
            thread.join()
            [called() for _ in range(3)]
        class Callback:
            def on_epoch_end(self):
                called()
        def callbacks(settings, seeds):
            called()
            return Callback()
        """)
    )
    with watched(file, otherwise="elsewhere") as calls:
        module = load(file).module
        module.dataset(1, 2, 3)
        module.model(1, 2)
        module.callbacks(1, 2).on_epoch_end()
    counts = {
        (call["function"], call["line"]): call["count"]
        for call in calls.report()["calls"]
        if call["source"] == "clock"
    }
    assert counts == {
        ("import", 3): 1, ("dataset", 5): 5, ("model", 5): 6, ("callbacks", 5): 1,
        ("elsewhere", 5): 1,
    }  # fmt: skip


def test_a_folder_is_watched_whole_also_where_it_was_compiled_before(tmp_path: Path) -> None:
    folder = tmp_path / "code.d"
    (folder / "part").mkdir(parents=True)
    (folder / "__init__.py").write_text(
        "from .part import dataset\n\ndef model(settings, seeds):\n    pass\n"
    )
    part = folder / "part" / "__init__.py"
    part.write_text("import time\n\ndef dataset(data, settings, seeds):\n    time.time()\n")
    py_compile.compile(str(part))
    assert next(folder.rglob("*.pyc"))
    (found,) = noted(folder)
    assert (found["file"], found["line"], found["function"]) == ("part/__init__.py", 4, "dataset")
    __import__("sys").modules.pop("experiment.part")


def test_it_is_undone(tmp_path: Path) -> None:
    file = experiment(tmp_path, "time.time()")
    before = SourceFileLoader.exec_module
    with watched(file) as calls:
        module = load(file).module
    assert SourceFileLoader.exec_module is before
    module.dataset(None, None, None)
    assert calls.report() == {"calls": [], "layers": {}, "sets": []}


def test_it_is_undone_after_an_error(tmp_path: Path) -> None:
    file = tmp_path / "experiment.py"
    file.write_text("\ndef dataset(:\n")
    before = SourceFileLoader.exec_module
    wrong = r"SyntaxError \(.*\) at experiment\.py, line 2\."
    with pytest.raises(UserError, match=wrong), watched(file):
        load(file)
    assert SourceFileLoader.exec_module is before


def test_an_error_keeps_its_line(tmp_path: Path) -> None:
    file = experiment(tmp_path, "x = 1\n\nint(\n  'a')")
    with watched(file):
        code = load(file)
        with pytest.raises(UserError) as alone, code.blamed("dataset"):
            code.module.dataset(None, None, None)
    line = lines(file).index("int(") + 1
    assert f"at experiment.py, line {line}." in str(alone.value)


def test_it_is_written_sorted(tmp_path: Path) -> None:
    file = experiment(tmp_path, "time.time()\nos.urandom(1)")
    with watched(file) as calls:
        load(file).module.dataset(None, None, None)
    out = tmp_path / "detail.json"
    calls.write(out, [{"name": "a"}])
    written = json.loads(out.read_text("utf-8"))
    assert written == {**calls.report(), "tensors": [{"name": "a"}]}
    assert [call["call"] for call in written["calls"]] == ["os.urandom", "time.time"]
    assert os.fspath(tmp_path) not in out.read_text("utf-8")
