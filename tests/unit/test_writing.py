"""Writing: a file or folder appears whole or not at all, whatever goes wrong."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.error import URLError

import pytest
from repro.core.atomic import whole_file, whole_folder, whole_outputs, write_bytes, write_text
from repro.core.errors import CouldNotRun, UserError
from samples import LIBRARY, Fresh

Whole = Callable[[Path], AbstractContextManager[Path]]


def fill(temporary: Path, folder: bool, content: str = "new") -> None:
    (temporary / "file" if folder else temporary).write_text(content)


def content(path: Path) -> str:
    return (path / "file" if path.is_dir() else path).read_text()


BOTH = pytest.mark.parametrize("whole", [whole_file, whole_folder])


@BOTH
def test_what_is_written_appears_at_the_end(whole: Whole, tmp_path: Path) -> None:
    target = tmp_path / "a" / "b"
    with whole(target) as temporary:
        fill(temporary, whole is whole_folder)
        assert not target.exists()
        assert temporary.parent == target.parent
    assert content(target) == "new"
    assert [p.name for p in target.parent.iterdir()] == ["b"]


@BOTH
def test_the_old_one_is_replaced_whole(whole: Whole, tmp_path: Path) -> None:
    target = tmp_path / "b"
    for text in ("old", "new"):
        with whole(target) as temporary:
            fill(temporary, whole is whole_folder, text)
            if whole is whole_folder:
                (temporary / text).touch()
    assert content(target) == "new"
    assert not (target / "old").exists()


@BOTH
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError, UserError])
def test_an_exception_keeps_the_old_and_leaves_nothing(
    whole: Whole, error: type[BaseException], tmp_path: Path
) -> None:
    target = tmp_path / "b"
    with whole(target) as temporary:
        fill(temporary, whole is whole_folder, "old")
    shown = UserError if error is OSError else error

    def write_half() -> None:
        with whole(target) as temporary:
            fill(temporary, whole is whole_folder, "half")
            raise error("stop")

    with pytest.raises(shown):
        write_half()
    assert content(target) == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["b"]


@BOTH
@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(2, "No such file or directory", "patchelf"),
        PermissionError(13, "Permission denied", "/elsewhere/a.npy"),
        OSError(28, "No space left on device", "/elsewhere/a.npy", None, "/elsewhere/b.npy"),
        ConnectionRefusedError(111, "Connection refused"),
        OSError(101, "Network is unreachable"),
        URLError("no network"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_goes_wrong_elsewhere_is_not_blamed_on_what_is_written(
    whole: Whole, error: OSError, tmp_path: Path
) -> None:
    def fail() -> None:
        with whole(tmp_path / "b"):
            raise error

    with pytest.raises(type(error)) as raised:
        fail()
    assert raised.value is error
    assert not list(tmp_path.iterdir())


@BOTH
def test_what_goes_wrong_in_what_is_written_is_told(whole: Whole, tmp_path: Path) -> None:
    def fail(*errors: str) -> None:
        with whole(tmp_path / "b") as temporary:
            raise OSError(*[str(temporary / "c") if e == "c" else e for e in errors])

    for errors in (
        (28, "No space left on device"),
        (13, "Denied", "c"),
        (28, "Full", "/a", None, "c"),
    ):
        with pytest.raises(CouldNotRun, match=r"Expected to write .*b\. Received from the system"):
            fail(*errors)


REPLACED = """
import os, signal, sys
from pathlib import Path
from repro.core import atomic

target, step = Path(sys.argv[1]), int(sys.argv[2])

def event(name, arguments, seen=[]):
    if name in ("os.rename", "os.rmdir", "os.remove", "shutil.rmtree"):
        if any(str(a).startswith(str(target.parent)) for a in arguments):
            seen.append(name)
            if len(seen) == step:
                os.kill(os.getpid(), signal.SIGKILL)

with atomic.whole_folder(target) as temporary:
    (temporary / "file").write_text("new")
    sys.addaudithook(event)
"""


def test_a_kill_at_any_moment_of_the_replacing_loses_not_both(tmp_path: Path, fresh: Fresh) -> None:
    for step in range(1, 20):
        target = tmp_path / str(step) / "b"
        with whole_folder(target) as temporary:
            fill(temporary, True, "old")
        done = fresh(REPLACED, str(target), str(step))
        whole = [p for p in target.parent.glob("*/file") if p.read_text() in ("old", "new")]
        assert whole, step
        if done.returncode == 0:
            break
        with pytest.raises(KeyError), whole_folder(target):
            raise KeyError  # the next try fails: what was there is there
        assert content(target) in ("old", "new")
        assert [p.name for p in target.parent.iterdir()] == ["b"]
    assert step > 2
    assert (done.returncode, content(target)) == (0, "new")


def test_a_folder_that_cannot_take_the_place_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with whole_folder(target := tmp_path / "b") as temporary:
        fill(temporary, True, "old")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device", "b")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(CouldNotRun), whole_folder(target) as temporary:
        fill(temporary, True)
    assert content(target) == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["b"]


def test_a_block_that_writes_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No such file"), whole_file(tmp_path / "a"):
        pass
    assert not list(tmp_path.iterdir())


def test_a_folder_in_the_place_of_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(UserError, match=r"Expected to write .*a\. Received from the system"):
        write_text(tmp_path / "a", "text")
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_text_is_utf8_with_the_line_ends_given(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "é\r\n\n")
    assert (tmp_path / "a").read_bytes() == "é\r\n\n".encode()


KILLED = """
import os, signal, sys
from pathlib import Path
from repro.core.atomic import whole_file, whole_folder

with globals()[sys.argv[1]](Path(sys.argv[2])) as temporary:
    file = temporary / "file" if temporary.is_dir() else temporary
    file.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@BOTH
def test_a_kill_in_the_middle_leaves_no_target(whole: Whole, tmp_path: Path, fresh: Fresh) -> None:
    target = tmp_path / "b"
    done = fresh(KILLED, whole.__name__, str(target))
    assert done.returncode == -signal.SIGKILL
    assert not target.exists()
    with whole(target) as temporary:
        fill(temporary, whole is whole_folder)
    assert content(target) == "new"


LIMITED = """
import sys
from pathlib import Path
from repro.core.errors import UserError
from repro.core.atomic import write_bytes
try:
    write_bytes(Path(sys.argv[1]), bytes(100_000))
except UserError as error:
    print(error)
"""


def test_a_refusal_of_the_system_keeps_the_old_file(tmp_path: Path) -> None:
    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    target = tmp_path / "a"
    write_bytes(target, b"old")
    done = subprocess.run(
        [sys.executable, "-B", "-c", LIMITED, str(target)],
        env={**os.environ, "PYTHONPATH": str(LIBRARY)},
        preexec_fn=limit, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert f"Expected to write {target}. Received from the system: File too large." in done.stdout
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_full_disk_keeps_the_old_file(tiny_disk: Path) -> None:
    target = tiny_disk / "a"
    write_bytes(target, b"old")
    with pytest.raises(UserError, match="No space left on device"):
        write_bytes(target, bytes(10**6))
    assert target.read_bytes() == b"old"
    assert [p.name for p in tiny_disk.iterdir()] == ["a"]


STORE = """
import sys
from pathlib import Path
import numpy as np
from repro.core.errors import UserError
from repro.core.parameters import PrepareParameters, Threads
from repro.data.user_code import load
from repro.data import prepare
prepare.collected = lambda returned: returned
folder, disk = map(Path, sys.argv[1:])
(folder / "code.py").write_text('''
import numpy as np
def dataset(data, settings, seeds):
    return {"x": np.random.default_rng(0).normal(size=(5000, 50)), "y": np.zeros(5000)}
def model(settings, seeds): ...
''')
parameters = PrepareParameters(
    threads=Threads(2, 1), data={}, data_seed=0, settings={}, split={"train": 0.5, "test": 0.5}
)
try:
    prepare.prepare(load(folder / "code.py"), {}, parameters, disk / "data")
except UserError as error:
    print(error)
"""


def test_arrays_that_do_not_fit_are_told_and_leave_nothing(
    tiny_disk: Path, tmp_path: Path, fresh: Fresh
) -> None:
    done = fresh(STORE, str(tmp_path), str(tiny_disk))
    assert done.returncode == 0, done
    assert "No space left on device" in done.stdout
    assert not list(tiny_disk.iterdir())


TRACE = """
import sys
from pathlib import Path
from repro.core.errors import UserError
from repro.record.trace import writer
try:
    with writer(Path(sys.argv[1]) / "trace.jsonl", {}) as trace:
        for _ in range(10_000):
            try:
                trace.line({"weights": "0" * 100})
            except OSError as error:
                print("blamed on the code that trains:", error)
                raise
except UserError as error:
    print(error)
"""


def test_a_trace_that_does_not_fit_is_told_as_such(tiny_disk: Path, fresh: Fresh) -> None:
    done = fresh(TRACE, str(tiny_disk))
    assert "Expected to write" in done.stdout
    assert "No space left on device" in done.stdout
    assert "blamed" not in done.stdout
    assert not list(tiny_disk.iterdir())


def test_outputs_appear_together_and_nothing_else_does(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "old").touch()
    with whole_outputs(tmp_path, ["data", "b.txt"]) as folder:
        (folder / "data").mkdir()
        (folder / "data" / "new").touch()
        (folder / "b.txt").write_text("b")
        (folder / "scratch").touch()
        assert (tmp_path / "data" / "old").exists()
        assert not (tmp_path / "b.txt").exists()
    files = {file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*")}
    assert files == {"data", "data/new", "b.txt"}


def test_an_output_that_need_not_be_made_is_replaced_or_removed(tmp_path: Path) -> None:
    names = ["a.txt", "b.txt", "files"]
    (tmp_path / "files").mkdir()
    for name in ("a.txt", "b.txt", "files/old"):
        (tmp_path / name).write_text("old")
    with whole_outputs(tmp_path, names, optional=["b.txt", "files"]) as folder:
        (folder / "a.txt").write_text("new")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a.txt", "new")]
    with whole_outputs(tmp_path, names, optional=["b.txt", "files"]) as folder:
        for name in names[:2]:
            (folder / name).write_text("newer")
        (folder / "files").mkdir()
    assert {file.name for file in tmp_path.iterdir()} == set(names)


def test_no_output_appears_where_the_work_fails(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("old")

    def fail() -> None:
        with whole_outputs(tmp_path, ["a.txt", "b.txt"]) as folder:
            (folder / "a.txt").touch()
            (folder / "b.txt").write_text("new")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("b.txt", "old")]


def test_an_output_that_was_not_made_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(UserError, match="Expected to write"),
        whole_outputs(tmp_path, ["a.txt"]),
    ):
        pass
    assert not list(tmp_path.iterdir())
