"""A terminal that is wide and high without end, and programs that run on one."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import project

_PIECES = re.compile(r"\x1b\[(\d*)([A-Za-z])|(.)", re.DOTALL)
_HALF = re.compile(r"\x1b(\[\d*)?$")
_PRELUDE = """\
import os, signal, subprocess, sys
from pathlib import Path
sys.path[:0] = [{library!r}, {bootstrap!r}]
from display import progress, screen

def go(on="."):
    print(f"<{{on}}>", flush=True, file=sys.stderr)
    assert sys.stdin.readline()
"""


@dataclass
class Terminal:
    """What is seen of what was written: the cursor goes up, and the rest may be cleared."""

    rows: list[list[str]] = field(default_factory=lambda: [[]])
    row: int = 0
    column: int = 0
    rest: str = ""  # of an order that is not whole yet

    @property
    def lines(self) -> list[str]:
        """What can be seen, without blanks at the end."""
        lines = ["".join(row).rstrip() for row in self.rows]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def feed(self, text: str) -> None:
        text = self.rest + text
        half = _HALF.search(text)
        self.rest = half[0] if half else ""
        for piece in _PIECES.finditer(text.removesuffix(self.rest)):
            count, order, letter = piece.groups()
            if order:
                self._obey(order, int(count or 1))
            elif letter == "\r":
                self.column = 0
            elif letter == "\n":
                self.row, self.column = self.row + 1, 0
                if self.row == len(self.rows):
                    self.rows.append([])
            else:
                row = self.rows[self.row]
                row += " " * (self.column + 1 - len(row))
                row[self.column] = letter
                self.column += 1

    def _obey(self, order: str, count: int) -> None:
        if order == "A":
            self.row = max(0, self.row - count)
        elif order == "J":
            del self.rows[self.row][self.column :], self.rows[self.row + 1 :]
        else:
            assert order == "m", order


class OnTerminal:
    """A program on a terminal of its own, with `progress`, `screen` and `go`.

    `go(on)` in it writes `<on>` and waits until the test says so.
    """

    def __init__(self, body: str, **environment: str) -> None:
        self.seen, self.written = Terminal(), ""
        self._terminal, other = os.openpty()
        bootstrap, library = str(project.ROOT / "bootstrap"), str(project.LIBRARY)
        source = _PRELUDE.format(library=library, bootstrap=bootstrap) + body
        self.process = subprocess.Popen(
            [sys.executable, "-c", source], stdin=subprocess.PIPE, stdout=other, stderr=other,
            env={**os.environ, "TERM": "xterm", "PYTHONUTF8": "1", **environment},
        )  # fmt: skip
        os.close(other)

    def until(self, text: str) -> None:
        """Read until that was written since the last such call."""
        begin = len(self.written)
        while text not in self.written[begin:]:
            assert self._read(), self.written

    def go_on(self) -> None:
        assert self.process.stdin
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def ended(self) -> int:
        """Read what is left, and return the exit status."""
        while self._read():
            pass
        return self.process.wait()

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        self.hang_up()

    def hang_up(self) -> None:
        """Close the terminal's window, so to speak."""
        if self._terminal >= 0:
            os.close(self._terminal)
            self._terminal = -1

    def _read(self) -> str:
        data = b""
        try:
            while not data or data[-1] >= 0x80:  # not amid a letter
                data += os.read(self._terminal, 1)
        except OSError:  # Linux says so where nobody can write there any more
            pass
        text = data.decode()
        self.written += text
        self.seen.feed(text)
        return text


def temporary(folder: Path) -> list[Path]:
    """What notes are kept in there."""
    return sorted(folder.glob("repro-progress-*"))
