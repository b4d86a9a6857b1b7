"""Two files: what the comparators of one kind need to know of a pair, and to note its differences.

Synopsis:
    two = TwoFiles(left, right, "model.keras", kind, findings, tensors, beside, inside)
    two.texts()
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from repro.content.kinds import Kind
from repro.content.tensor_reader import TensorReader
from repro.formats.archives import Compare
from repro.formats.findings import FileComparison, FileFindings

_MOST_TEXT = 1 << 28


@dataclass(frozen=True)
class TwoFiles:
    """Two files that are being compared, and what has been found so far.

    `tensors`: None where the user has no Python. `beside`: what compares other files of the same
    two runs, None where one is lacking; `inside`: what compares members that were unpacked.
    """

    left: Path
    right: Path
    name: str
    kind: Kind
    findings: FileFindings
    tensors: TensorReader | None
    beside: Callable[[Path | None, Path | None, str], FileComparison]
    inside: Compare

    @property
    def paths(self) -> tuple[Path, Path]:
        """Both."""
        return self.left, self.right

    def texts(self) -> tuple[str, str]:
        """What both hold, as text.

        Raises:
            ValueError: one is none, or too large.
        """
        return _text(self.left), _text(self.right)


def _text(path: Path) -> str:
    if path.stat().st_size > _MOST_TEXT:
        raise ValueError("too large to compare as text")
    content = path.read_bytes()
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            return content.decode(encoding)
    if b"\0" in content:
        raise ValueError("")
    return content.decode("utf-8-sig", "surrogateescape")
