"""Patch: what was found that makes a script's runs agree, and how far that was tried.

Synopsis:
    patch.diff, patch.confirmed, patch.by_hand
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from repro.ledger.blamed import LedgerCall
from repro.repair.edits import Edit, edited, original_line, unified
from repro.repair.remedies import Remedy, Sources


@dataclass(frozen=True)
class TriedPatch:
    """What the trials of a script's changes came to.

    `remedies`: none where nothing made the runs agree. `diff`: of the user's files; empty where
    only `variables` are set. `agreed`: so many varied runs of the changed script gave the same as
    its run as it is; `needed`: so many would have shown the difference of the script as it is.
    `tried`: how many sets of changes. `complete`: whether there was time for all. `spoiled`: the
    names of the silent errors that come with it. `left`: the call that is to be mended by hand;
    `helped`: with what the runs diverge there, and not before.
    """

    remedies: tuple[Remedy, ...]
    diff: str = ""
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    agreed: int = 0
    needed: int = 0
    tried: int = 0
    complete: bool = True
    spoiled: tuple[str, ...] = ()
    left: LedgerCall | None = None
    helped: tuple[Remedy, ...] = ()

    @property
    def confirmed(self) -> bool:
        """Whether enough runs agreed."""
        return bool(self.remedies) and self.agreed >= self.needed


def edits_of(remedies: Sequence[Remedy]) -> dict[str, list[Edit]]:
    """The edits by file, each once."""
    found: dict[str, list[Edit]] = {}
    for edit in dict.fromkeys(edit for remedy in remedies for edit in remedy.edits):
        found.setdefault(edit.file, []).append(edit)
    return found


def variables_of(remedies: Sequence[Remedy]) -> dict[str, str]:
    """The variables that are set outside."""
    return {name: value for remedy in remedies for name, value in remedy.variables}


def changed_files(remedies: Sequence[Remedy], sources: Sources) -> dict[str, bytes]:
    """The new content of each file that the remedies change.

    Raises:
        ValueError: two remedies change the same place.
    """
    return {
        name: edited(source.content, edits)
        for name, edits in edits_of(remedies).items()
        if (source := sources.of(name))
    }


def diff_of(remedies: Sequence[Remedy], sources: Sources) -> str:
    """The unified diff of all files that the remedies change."""
    parts = [
        unified(name, source.content, content)
        for name, content in sorted(changed_files(remedies, sources).items())
        if (source := sources.of(name))
    ]
    return "".join(parts)


def before_change(call: LedgerCall, remedies: Sequence[Remedy], sources: Sources) -> LedgerCall:
    """A call that the changed script made, at its line in the user's own file."""
    edits, source = edits_of(remedies).get(call.file), sources.of(call.file)
    if not edits or not source:
        return call
    return replace(call, line=original_line(source.content, edits, call.line))
