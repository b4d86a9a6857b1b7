"""Layout: what lies where below results/, by the step that makes it; forwards and backwards.

Synopsis:
    names = {"experiment": "digits", "run": "original", "seed": 0}
    manifest("train", names)              # digits/original/seed-0/train.manifest.json
    made("evaluate", names)               # its files: digits/original/seed-0/metrics.json, …
    place("digits/original/data/test/x.npy").step         # prepare
    input_at("train", "data", names)      # digits/original/data

Paths are text, from the folder `results` on. Names are `experiment`, `run`, `seed` and `seeds`, as
far as a step has them. The rules spell the same paths out; a test holds them together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

SUFFIX = ".manifest.json"
INDEX = "index.html"
"""The overview of all experiments: made from their verdicts alone, and of no manifest."""
FITTED = "fitted"
"""The folder within prepared data that holds what was fitted on the training part."""


@dataclass(frozen=True)
class Row:
    """What a step writes: in which folder, the stem of its manifest, and what that one binds.

    `makes` are files and folders, of which every file is bound. `uses` are inputs that steps before
    it made, by their names. `volatile` are those whose bytes are others in every run, so that
    nobody compares them; `optional` those that need not be there, so that no rule declares them.
    """

    folder: str
    stem: str
    makes: tuple[str, ...]
    uses: tuple[str, ...] = ()
    volatile: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()

    @property
    def declared(self) -> tuple[str, ...]:
        """What it always makes."""
        return tuple(name for name in self.makes if name not in self.optional)

    @property
    def manifest(self) -> str:
        """The name of its manifest, in its folder."""
        return self.stem + SUFFIX

    @property
    def compared(self) -> tuple[str, ...]:
        """What it makes with the same bytes in every run."""
        return tuple(name for name in self.makes if name not in self.volatile)


FILES = "files"
"""The folder of what the user's code writes by itself while it trains."""
VALUES = "values"
"""The folder of the weights after chosen steps, in trials alone."""

_SEED = "seed-"
_OF_EXPERIMENT, _OF_RUN = "{experiment}", "{experiment}/{run}"
_OF_SEED = f"{_OF_RUN}/{_SEED}{{seed}}"
_DATA = ("data", "data.manifest")
STEPS: Mapping[str, Row] = {
    "code": Row("", "code", ("code.pyz", "judge.pyz", "report.pyz")),
    "prepare": Row(_OF_RUN, "data", ("data",)),
    "train": Row(
        _OF_SEED, "train",
        ("weights.safetensors", "model.keras", "trace.jsonl", "history.csv", FILES), _DATA,
        # A zip, with the time of its writing, where Keras can write the model down; what the user's
        # code wrote, if it did.
        volatile=("model.keras", FILES), optional=("model.keras", FILES),
    ),
    "evaluate": Row(
        _OF_SEED, "evaluate", ("metrics.json", "predictions.npz"),
        (*_DATA, "weights", "train.manifest"),
    ),
    "probe": Row(_OF_EXPERIMENT, "probe", ("probe.json",), _DATA),
    "cost": Row(_OF_EXPERIMENT, "cost", ("cost.json",), _DATA),
    "look": Row(_OF_EXPERIMENT, "look-{seeds}", ("look-{seeds}.json",)),
    "compare": Row(_OF_EXPERIMENT, "verdict", ("verdict.json", "verdict.md")),
    # It says how long each step took.
    "report": Row(
        _OF_EXPERIMENT, "report", ("report.html",), volatile=("report.html",)
    ),
}  # fmt: skip
_INPUTS: Mapping[str, tuple[str, str]] = {
    "code": ("code", "code.pyz"),
    "judge": ("code", "judge.pyz"),
    "report": ("code", "report.pyz"),
    "data": ("prepare", "data"),
    "data.manifest": ("prepare", STEPS["prepare"].manifest),
    "train.manifest": ("train", STEPS["train"].manifest),
    "weights": ("train", "weights.safetensors"),
}
"""Which step made an input of that name, and what of it; all others come from outside."""
_FOLDERS = frozenset(["data", FILES])
"""What of all that steps make is a folder; at most one of a step."""

Names = Mapping[str, object]


@dataclass(frozen=True)
class Place:
    """What a path says: the step that writes there, and the experiment, run and seed of it."""

    step: str
    names: Mapping[str, str]


class _Named(dict[str, object]):
    """So that what lacks a name lies nowhere, and its path says why."""

    def __missing__(self, key: str) -> str:
        return f"({key} missing)"


def path(step: str, name: str, names: Names) -> str:
    """Where a file of a step lies.

    Args:
        step: one of `STEPS`.
        name: of the file, in the step's folder.
        names: of experiment, run and seed; more may be given than the step has.

    Returns:
        The path below results/.

    Example:
        >>> path("train", "trace.jsonl", {"experiment": "digits", "run": "repeat", "seed": 3})
        'digits/repeat/seed-3/trace.jsonl'
    """
    folder = STEPS[step].folder
    return (f"{folder}/{name}" if folder else name).format_map(_Named(names))


def manifest(step: str, names: Names) -> str:
    """Where the manifest of a step lies; see `path`."""
    return path(step, STEPS[step].manifest, names)


def made(step: str, names: Names) -> tuple[str, ...]:
    """The files and folders that a step makes, its manifest not among them; see `path`."""
    return tuple(path(step, name, names) for name in STEPS[step].makes)


def seed_folder(seed: int) -> str:
    """What the folder of a seed is called, in that of its run."""
    return f"{_SEED}{seed}"


def seed_of(folder: str) -> int | None:
    """The seed whose folder has that name; None where it is no seed's."""
    number = folder.removeprefix(_SEED)
    return int(number) if folder.startswith(_SEED) and number.isdecimal() else None


def whole_folder(manifest: str) -> str | None:
    """The folder beside a manifest of which it binds every file; None where it binds none.

    Args:
        manifest: its path, or its name alone.
    """
    own = manifest.rpartition("/")[2]
    row = next((row for row in STEPS.values() if row.manifest == own), None)
    return next((name for name in row.makes if name in _FOLDERS), None) if row else None


def _pattern(folder: str, name: str, end: str = "") -> re.Pattern[str]:
    text = re.escape(f"{folder}/{name}" if folder else name)
    for wildcard, of in (("experiment", "[^/]+"), ("run", "[^/]+"), ("seed", "[^/.]+"),
                         ("seeds", "[^/.]+")):  # fmt: skip
        text = text.replace(re.escape(f"{{{wildcard}}}"), f"(?P<{wildcard}>{of})")
    return re.compile(text + end)


_MANIFESTS = [(step, _pattern(row.folder, row.manifest)) for step, row in STEPS.items()]
_FILES = [
    (step, _pattern(row.folder, name, "(?:/.+)?" if name in _FOLDERS else ""))
    for step, row in STEPS.items()
    for name in row.makes
]


def place(path: str) -> Place | None:
    """Which step writes at a path, be it a manifest, a file or a folder; None where none does.

    Example:
        >>> place("digits/original/data/test/x.npy")
        Place(step='prepare', names={'experiment': 'digits', 'run': 'original'})
    """
    for step, pattern in (*_MANIFESTS, *_FILES):
        if found := pattern.fullmatch(path):
            return Place(step, found.groupdict())
    return None


def claimant(path: str) -> str:
    """The manifest that binds what lies at a path, or that lies there itself."""
    found = place(path)
    return manifest(found.step, found.names) if found else path


def input_at(step: str, name: str, names: Names) -> str | None:
    """Where an input of a step lies.

    Args:
        step: that uses it.
        name: of the input, as its manifest says.
        names: of experiment, run and seed, as far as the step has them.

    Returns:
        The path below results/; None for what came from outside.
    """
    if step == "code" or (step == "prepare" and name == "data"):
        return None
    if step in ("look", "compare", "report") and name.endswith(SUFFIX):
        return f"{_OF_EXPERIMENT}/{name}".format_map(_Named(names))
    if name not in _INPUTS:
        return None
    return path(*_INPUTS[name], {"run": "original", **names})


PRETRAINED = "pretrained"
"""The kind of input that weights are which somebody else trained; the other is `data`."""


def source_input(source: str, kind: str = "data") -> str:
    """The name of raw data, or what else, as an input: `data` for a single one without a name."""
    return f"{kind}:{source}" if source else kind


def source_of(name: str, kind: str = "data") -> str | None:
    """The source of raw data, or what else, that an input is; None where it is something else.

    Example:
        >>> source_of("data:labels"), source_of("data"), source_of("code")
        ('labels', '', None)
    """
    found, _, source = name.partition(":")
    return source if found == kind else None
