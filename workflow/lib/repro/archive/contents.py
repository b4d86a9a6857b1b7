"""Contents: what an archive says of itself in its first file, and its files as they are read.

Synopsis:
    index = parsed(content)                        # refused if a newer version wrote it
    names = ordered(files)
    text = sums(members)                           # for sha256sum -c
    Inside(members, read).results
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from repro.archive.zip_writer import StoredMember
from repro.audit.results import Results, of
from repro.core import canonical_json
from repro.core.config import Source, sources
from repro.core.errors import UserError
from repro.core.layout import PRETRAINED
from repro.record import manifest

FORMAT = 1
"""Of the archive. A reader refuses a newer one, and reads every older one for ever: whoever changes
what an archive says or holds raises it, and keeps what reads and describes the older ones."""

INDEX, METADATA, SUMS = "archive.json", "ro-crate-metadata.json", "SHA256SUMS"
GUIDE, CONFIGURATION = "HOW-TO-CHECK.txt", "config/config.yaml"
PAGES = ("CITATION.cff", "LICENSE", "README.md")
ALWAYS = (
    CONFIGURATION,
    GUIDE,
    *PAGES,
    "bootstrap/__main__.py",
    "profiles/default/config.yaml",
    "run",
)
CONDA, PYPI = "packages/conda/", "packages/pypi/"


@dataclass(frozen=True)
class Index:
    """What an archive says of itself.

    `left_out` are raw data that were too large: their paths, from the project's folder; the
    digests are in the configuration. `packages` says whether all packages are inside.
    """

    experiment: str
    packages: bool
    left_out: tuple[str, ...] = ()
    format: int = FORMAT

    def text(self) -> str:
        """As the archive holds it."""
        return canonical_json.pretty(asdict(self))


def parsed(content: bytes) -> Index:
    """Reads the first file of an archive.

    Raises:
        UserError: it is none, or a newer version wrote it.
    """
    refuse_newer(content)
    try:
        value = canonical_json.parsed(content)
        left_out = tuple(sorted({str(path) for path in value["left_out"]}))
        index = Index(str(value["experiment"]), value["packages"] is True, left_out)
    except (ValueError, TypeError, KeyError) as error:
        raise _unreadable(str(error)) from error
    if index.text().encode() != content:
        raise _unreadable("other text than this workflow writes")
    return index


def refuse_newer(content: bytes) -> None:
    """Refuses an archive of a newer format, whatever else it may be."""
    try:
        number = json.loads(content)["format"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return  # told by whoever reads it in earnest
    if isinstance(number, int) and number > FORMAT:
        raise UserError(
            f"Expected an archive in format {FORMAT} or older. Received format {number}, of a "
            "newer version of this workflow. Read it with that version."
        )


def _unreadable(what: str) -> UserError:
    return UserError(
        f"Expected {INDEX} to say how to read the archive. Received: {what}. Get the archive again "
        "from where it was published."
    )


def ordered(names: Iterable[str]) -> list[str]:
    """The order of an archive: the index, then by name, and last what is made from all others."""
    last = {name: place for place, name in enumerate((METADATA, SUMS), start=1)}
    return sorted(names, key=lambda name: (name != INDEX, last.get(name, 0), name))


def sums(members: Mapping[str, StoredMember]) -> str:
    """What `sha256sum -c` reads: a line for each file but itself, in their order."""
    lines = (f"{members[name].sha256}  {name}\n" for name in ordered(members) if name != SUMS)
    return "".join(lines)


@dataclass(frozen=True)
class Entry:
    """The experiment as its configuration has it; `said` has more keys in some versions."""

    code: str
    data: Mapping[str, Source]
    pretrained: Mapping[str, Source]
    said: Mapping[str, Any]

    @property
    def sources(self) -> list[Source]:
        """All that it reads beside its code."""
        return [*self.data.values(), *self.pretrained.values()]


@dataclass(frozen=True)
class Inside:
    """The files of an archive, as they are about to be written or were read.

    `kept` may lack what is made from all others. `read` gives the content of a small one.
    """

    kept: Mapping[str, StoredMember]
    read: Callable[[str], bytes]
    _found: dict[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])

    @cached_property
    def index(self) -> Index:
        """What the archive says of itself."""
        return parsed(self.read(INDEX))

    @cached_property
    def experiment(self) -> Entry:
        """The one entry of its configuration, which has every default written out."""
        content = self.read(CONFIGURATION)
        value = canonical_json.parsed(content)
        if canonical_json.pretty(value).encode() != content:
            raise ValueError(f"{CONFIGURATION} is written otherwise than an archive has it")
        if odd := value.keys() - {"experiments", "stress"}:
            raise ValueError(f"{CONFIGURATION} has the key {min(odd)!r}")
        ((name, entry),) = value["experiments"].items()
        if name != self.index.experiment:
            raise ValueError(f"{CONFIGURATION} has another experiment than {INDEX}")
        kinds = [kind for kind in ("data", PRETRAINED) if kind in entry]
        named = {k: {"": entry[k]} if "path" in entry[k] else entry[k] for k in kinds}
        data, pretrained = sources(entry.get("data", {})), sources(entry.get(PRETRAINED, {}))
        return Entry(entry["code"], data, pretrained, {"data": {}, **entry, **named})

    @cached_property
    def results(self) -> Results:
        """Its results; what a manifest says is not held against the schema, only as written."""
        names = [name for name in self.kept if name.startswith("results/")]
        files = {name.removeprefix("results/"): Path(name) for name in names}
        return of(Path("results"), files, lambda n: manifest.sound(self.read(f"results/{n}"), n))

    def digests(self, path: str) -> Mapping[str, str]:
        """A file's digest under the name "", those of a folder's files under theirs."""
        place = PurePosixPath(path).as_posix()
        if place not in self._found:
            start = f"{place}/"
            inner = {n[len(start) :]: k.sha256 for n, k in self.kept.items() if n.startswith(start)}
            file = self.kept.get(place)
            self._found[place] = inner if file is None else {"": file.sha256}
        return self._found[place]
