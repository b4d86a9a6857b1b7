"""Outcome: two runs held side by side, output by output.

Synopsis:
    compared = side_by_side(first, second, reading)
    compared.same, compared.comparisons
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch

from repro.check.one_run import RunResult
from repro.contain.place import FOLDER, HOME, OUTSIDE
from repro.content.files import compared
from repro.content.folders import compared_folders
from repro.content.tensor_reader import TensorReader
from repro.formats.findings import FileComparison

STDOUT, STDERR = "standard output", "standard error"
_SHOWN = {FOLDER: "", HOME: "~/", OUTSIDE: "/"}
_OF_TRACKERS = ("wandb/*", "mlruns/*", ".neptune/*", ".comet*")
_READ_BY_TENSORFLOW = ("*tfevents*", "saved_model.pb")
"""Files whose bytes are others in each run, so that they are always read."""
MESSAGES = "messages, which do not count"


@dataclass(frozen=True)
class Reading:
    """How outputs are compared: the reader of tensors, how closely, and which are passed over."""

    tensors: TensorReader | None
    rtol: float = 0.0
    ignore: tuple[str, ...] = ()
    told: Callable[[str], None] | None = None

    def wanted(self, name: str) -> bool:
        """Whether an output of that name takes part."""
        return not any(fnmatch(name, glob) for glob in (*_OF_TRACKERS, *self.ignore))

    def expect(self, run: RunResult) -> None:
        """Another run's outputs will be compared with these: while it runs, the reader starts."""
        root = run.outputs.root
        if self.tensors and any(next(root.rglob(glob), None) for glob in _READ_BY_TENSORFLOW):
            self.tensors.import_ahead("tensorflow")


@dataclass(frozen=True)
class Outcome:
    """What comparing two runs found. `failed`: only one of them failed."""

    comparisons: tuple[FileComparison, ...]
    failed: bool = False

    @property
    def differing(self) -> tuple[FileComparison, ...]:
        """The outputs that differ and count."""
        return tuple(each for each in self.comparisons if not each.same)

    @property
    def same(self) -> bool:
        """Whether both runs gave the same."""
        return not self.failed and not self.differing


def side_by_side(left: RunResult, right: RunResult, reading: Reading) -> Outcome:
    """Compares everything that two runs wrote and printed."""
    folders = [pair for pair in zip(left.folders, right.folders, strict=True) if all(pair)]
    pairs = sorted(set(folders), key=lambda pair: len(pair[0]), reverse=True)
    found: list[FileComparison] = []
    for where, shown in _SHOWN.items():
        roots = (left.outputs.root / where, right.outputs.root / where)

        def wanted(name: str, shown: str = shown) -> bool:
            return reading.wanted(f"{shown}{name}")

        each = compared_folders(*roots, reading.tensors, reading.rtol, pairs, wanted)
        found += [replace(comparison, name=f"{shown}{comparison.name}") for comparison in each]
    found += _removed(left, right, reading)
    found.append(compared(left.stdout, right.stdout, STDOUT, reading.tensors, reading.rtol, pairs))
    errors = compared(left.stderr, right.stderr, STDERR, reading.tensors, reading.rtol, pairs)
    found.append(_only_metrics(errors))
    counting = (each for each in found if reading.wanted(each.name))
    named = tuple(replace(each, name=_in_one_line(each.name)) for each in counting)
    return Outcome(named, failed=left.well != right.well)


def _in_one_line(name: str) -> str:
    """A file's name as it can be shown; what cannot is written as Python's strings have it."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def _only_metrics(errors: FileComparison) -> FileComparison:
    """Standard error counts where a metric differs: messages tell of threads and processes."""
    if errors.same or any(each.metric for each in errors.differences):
        return errors
    return replace(errors, same=True, how=f"{errors.how}; {MESSAGES}")


def _removed(left: RunResult, right: RunResult, reading: Reading) -> Sequence[FileComparison]:
    found: list[FileComparison] = []
    sides = {*left.outputs.removed}, {*right.outputs.removed}
    for name in sorted(sides[0] | sides[1]):
        if not reading.wanted(name):
            continue
        same = name in sides[0] and name in sides[1]
        alone = "the first run alone" if name in sides[0] else "the second run alone"
        how = f"removed by {'both runs' if same else alone}"
        found.append(FileComparison(name, "removed file", same, how, count=int(not same)))
    return found
