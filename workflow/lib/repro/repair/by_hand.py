"""By hand: what a patch does, in words, and what is to be done where none was found.

Synopsis:
    told_of_patch(patch)         # "A patch was tried, and with it they agree: it sorts ..."
    by_hand(call)                # "train.py, line 12: Take nothing from the clock that ..."
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from repro.core.text import counted, listed, times
from repro.ledger.blamed import UNSEEDED, LedgerCall
from repro.ledger.set_order import HASH, ORDER, TEXT_ORDER
from repro.ledger.watched_calls import DRAW, KERAS_SEED, LISTING, SEED
from repro.repair.patch import TriedPatch
from repro.repair.remedies import (
    FROZEN_NOISE,
    NOT_DETERMINISTIC,
    ONE_ORDER,
    OVERLAPPING,
    RESET,
    SILENT,
    Remedy,
)

_BY_HAND: Mapping[str, str] = {
    "clock": "Take nothing from the clock that decides a value.",
    "process id": "Take nothing from the process id that decides a value.",
    "system entropy": "Take a number of your own in place of the system's entropy.",
    "another program": "Give the program that is started a seed, if it takes one, and see that it "
    "gives the same each time.",
    "network": "Fetch data before, keep them in files, and read these.",
    "threads": "Let no result depend on which thread comes first.",
    "processes": "Let no result depend on which process comes first.",
    "unordered stream": "Take results in the order in which they were asked for.",
    "name of a temporary file": "Let no value and no order depend on the names of temporary files.",
    "processors": "Let no value depend on the number of processors: set a number in the script.",
    "file times": "Let no value depend on when a file was written: sort files by name.",
    "file rights": "Let no value depend on the rights of a file.",
    "environment variable": "Name the variable that you need, and let no value depend on others.",
    "home": "Read files by paths beside `__file__` or of the command line.",
    "working directory": "Read files by paths beside `__file__` or of the command line.",
    "temporary folder": "Let no value depend on the temporary folder.",
    "locale": "Format, parse and sort text without the locale.",
    "time zone": "Convert times with a time zone that you name.",
    UNSEEDED: "Give this generator a seed.",
    DRAW: "Set a seed before these numbers are drawn.",
    KERAS_SEED: "Set Keras' seed before the layers are made.",
    SEED: "Let this seed be the same in each run.",
    LISTING: "Sort what is listed.",
    HASH: "Take a checksum in place of hash().",
    ORDER: "Sort the set before it is gone through.",
    TEXT_ORDER: "Sort the set before it is gone through.",
    ONE_ORDER: "Let the dataset be shuffled anew in each epoch: by `shuffle` of tf.data, or, where "
    "it is one of Grain, by `repeat()` behind its `shuffle` and `steps_per_epoch` for `fit`.",
    FROZEN_NOISE: "Draw from a tf.random.Generator that is made once, or let the dataset repeat "
    "before the numbers are drawn, with `steps_per_epoch` for `fit`.",
    RESET: "Set the seed once, before the training.",
    NOT_DETERMINISTIC: "Call `enable_op_determinism()` without an argument, before anything else.",
    OVERLAPPING: "Split before you shuffle, or give `shuffle` `reshuffle_each_iteration=False` and "
    "shuffle the training part once more.",
}
"""By the source of a call that no remedy mends, what its author can do."""


def by_hand(call: LedgerCall, helped: Sequence[Remedy] = ()) -> str:
    """What to do about a call that no remedy mends, and where it is.

    Args:
        helped: the changes with which the runs diverge there, and not before.
    """
    what = _BY_HAND.get(call.source, "Let no value depend on what this gives.")
    first = f"a change that {listed([each.words for each in helped])}; then " if helped else ""
    return f"{first}{call.file}, line {call.line}: {what}"


def told_of_patch(patch: TriedPatch) -> str:
    """What became of the changes that were tried, in a few sentences."""
    if not patch.remedies:
        return _none(patch)
    what = listed([remedy.words for remedy in patch.remedies])
    setting = " ".join(f"{name}={value}" for name, value in patch.variables.items())
    kind = f"Setting {setting} before the start"
    if patch.diff:
        kind = f"A patch, with {setting} set before the start," if setting else "A patch"
    runs = f"{times(patch.agreed)} with everything varied, the changed script gave the same results"
    made = f"{kind} was tried out: it {what}. Run as it is and {runs}."
    if not patch.confirmed:
        more = counted(patch.needed - patch.agreed, "more run")
        made += (
            f" That is not confirmed: {more} would be needed, since not every run of the script "
            "differs, and no time was left (--budget)."
        )
    if any(remedy.better for remedy in patch.remedies):
        made += " It changes what is computed, for the better."
    if patch.left:
        made += f" By hand: {by_hand(patch.left, patch.helped)}"
    if patch.spoiled:
        made += f" But it brings a silent error: {listed(patch.spoiled)}."
    return made


def _none(patch: TriedPatch) -> str:
    tried = ""
    if patch.tried:
        mends = "mends it" if patch.left and patch.left.source in SILENT else "makes them agree"
        tried = f"No change that was tried {mends} ({counted(patch.tried, 'set')})."
    if not patch.complete:
        tried = "No time was left to find a patch (--budget)."
    to_do = f"By hand: {by_hand(patch.left, patch.helped)}" if patch.left else ""
    return " ".join(filter(None, (tried, to_do)))
