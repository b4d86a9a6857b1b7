"""Tensor reader: compares tensors in a process of the user's Python, which has their libraries.

Synopsis:
    with TensorReader(["python"]) as tensors:
        compared(left, right, "model.keras", tensors)
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import repro.reader
from repro.reader.program import MARK

_START = (
    "import sys; sys.path[:] = [{place!r}] + [p for p in sys.path if p]; "
    "from repro.reader.program import main; main()"
)
_QUIET = {
    "CUDA_VISIBLE_DEVICES": "-1",  # what only reads needs no GPU, and must not take its memory
    "HDF5_USE_FILE_LOCKING": "FALSE",
    "PYTHONDONTWRITEBYTECODE": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
_SECONDS, _SECONDS_PER_GIB = 300.0, 120.0


class NotRead(Exception):
    """The user's Python could not compare two files; the text says why."""


class TensorReader:
    """A process of the user's Python, started when it is first needed, ended by `close`.

    One process serves all files. One that ends while it reads is a reason to compare that file by
    bytes; the next file gets a new one.

    Args:
        python: the command that starts it, as `("python",)`.
        environment: its environment variables; None for this process'.
        folder: where it is started; None for the current folder.
        seconds: how long one comparison may take; None for five minutes, and more for large files.
    """

    def __init__(
        self,
        python: Sequence[str],
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        seconds: float | None = None,
    ) -> None:
        self._python = list(python)
        self._environment = environment
        self._folder = folder
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._answers: queue.Queue[bytes | None] = queue.Queue()
        self._said: IO[bytes] | None = None
        self._lacks: dict[str, str] = {}

    def __enter__(self) -> TensorReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def compare(
        self, form: str, left: Path, right: Path, rtol: float = 0.0, classes: bool = False
    ) -> dict[str, Any]:
        """What comparing two files of a `form` (`repro.reader.program.FORMS`) found.

        Args:
            classes: whether their arrays may be predictions.

        Raises:
            NotRead: there is no such Python, it lacks the library, the files are not of that form,
                or the process ended or took too long.
        """
        if form in self._lacks:
            raise NotRead(self._lacks[form])
        size = sum(path.stat().st_size for path in (left, right) if path.is_file())
        seconds = self._seconds or _SECONDS + _SECONDS_PER_GIB * size / 2**30
        request = {
            "form": form, "left": str(left.absolute()), "right": str(right.absolute()),
            "rtol": rtol, "classes": classes,
        }  # fmt: skip
        answer = self._answered(request, seconds)
        if "why" not in answer:
            return answer
        if answer.get("lacks"):
            self._lacks[form] = answer["why"]
        raise NotRead(answer["why"])

    def import_ahead(self, *modules: str) -> None:
        """Starts the process, and has it import these; nobody waits, whatever comes of it."""
        with suppress(NotRead, OSError):
            pipe = self._started().stdin
            assert pipe is not None
            pipe.write(json.dumps({"import": modules}).encode() + b"\n")
            pipe.flush()

    def close(self) -> None:
        """Ends the process; nothing happens where none runs."""
        process, self._process = self._process, None
        if process is not None:
            # The whole group: the command may be a wrapper around Python.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for pipe in (process.stdin, process.stdout, self._said):
                with suppress(OSError):
                    if pipe:
                        pipe.close()

    def _answered(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        process = self._started()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            line = self._answers.get(timeout=seconds)
        except OSError:
            line = None
        except queue.Empty:
            self.close()
            raise NotRead(f"its reader took longer than {seconds:.0f} s") from None
        if line is None:
            raise NotRead(self._ended())
        return json.loads(line[len(MARK.encode()) :])

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None:
            return self._process
        place = str(Path(repro.reader.__path__[0]).parents[1])
        environment = {**(os.environ if self._environment is None else self._environment), **_QUIET}
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `close`)
        try:
            self._process = subprocess.Popen(
                [*self._python, "-c", _START.format(place=place)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said,
                env=environment, cwd=self._folder, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            self._said.close()
            raise NotRead(f"{self._python[0]} does not start: {error.strerror}") from error
        self._answers = queue.Queue()
        listener = threading.Thread(
            target=_listen, args=(self._process.stdout, self._answers), daemon=True
        )
        listener.start()
        return self._process

    def _ended(self) -> str:
        process, said = self._process, self._said
        assert process is not None
        assert said is not None
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
        status = process.returncode
        said.seek(0, os.SEEK_END)
        said.seek(max(0, said.tell() - 2000))
        lines = said.read().decode("utf-8", "replace").strip().splitlines()
        self.close()
        if status is not None and status < 0:
            return f"its reader was ended by {signal.Signals(-status).name}"
        return f"its reader ended with status {status}" + (f" ({lines[-1][:160]})" if lines else "")


def _listen(pipe: IO[bytes], answers: queue.Queue[bytes | None]) -> None:
    with suppress(OSError, ValueError):
        for line in pipe:
            if line.startswith(MARK.encode()):
                answers.put(line)
    answers.put(None)
