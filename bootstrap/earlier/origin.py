"""Origin: configuration, code, raw data and weights that an experiment's results were made of.

Synopsis:
    origin.remember(results, config)                 # while they are still there
    origin.of(results, config, "digits").files       # later, also when they were edited

Manifests hold digests of them, and an edit is what makes results outdated. So configuration, code
and what is small of the rest are kept in runs/.made-of, a copy for each experiment, until there are
results that were made of something else.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from repro.audit import against_present
from repro.audit.results import Results
from repro.core import layout
from repro.core.atomic import whole_folder
from repro.core.canonical_json import parsed, pretty
from repro.core.config import Experiment, filled, resolve
from repro.core.digest import files_below
from repro.core.errors import UserError

KEPT = Path("runs", ".made-of")
CONFIGURATION = Path("config", "config.yaml")
SMALL = 2**24
"""Bytes. Raw data that somebody may edit by hand; what is larger is replaced as a whole."""


@dataclass(frozen=True)
class Origin:
    """What of it is there: the configuration, if any fits, and files by their paths.

    `missing` says in words what is not.
    """

    configuration: Mapping[str, Any] | None
    files: Mapping[str, Path]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class _Place:
    """A folder with a configuration of one experiment and what that names."""

    root: Path
    configuration: Mapping[str, Any]
    experiment: Experiment

    def asks_for(self, name: str, results: Results) -> bool:
        """Whether the configuration asks for these results as they were made."""
        return not any(against_present.configuration(results, {name: self.experiment}, ""))

    def whole(self, name: str, results: Results, paths: Sequence[str]) -> bool:
        """Whether the code or raw data at some paths are there as the results used them."""
        digests = against_present.digests_in(self.root)
        changes = against_present.inputs(
            results, {name: self.experiment}, lambda path: digests(path) if path in paths else {}
        )
        changed = {change.path for change in changes}
        return not any(
            PurePosixPath(change).is_relative_to(path) for change in changed for path in paths
        ) and all(map(_inside, paths))

    def files(self, path: str) -> dict[str, Path]:
        """The file at a path, or all of the folder there."""
        place = self.root / path
        if place.is_dir():
            return {f"{path}/{inner}": file for inner, file in files_below(place)}
        return {path: place}


def experiments(results: Results) -> list[str]:
    """The experiments of which there are results."""
    return sorted({step.experiment for step in results.steps.values() if step.experiment})


def remember(results: Results, config: Any) -> None:
    """Keep configuration and code of each experiment whose results were made of what is there."""
    for name in experiments(results):
        own, here = _finished(results, name), _here(config, name)
        if here is None or not here.asks_for(name, own):
            continue
        kept, paths = _kept(name), [here.experiment.code, *_small(here)]
        if kept and kept.configuration == here.configuration and kept.whole(name, own, paths):
            continue
        if here.whole(name, own, paths):
            with whole_folder(KEPT / name) as temporary:
                for file in (file for path in paths for file in here.files(path)):
                    copy(here.root / file, temporary / file)
                write(here.configuration, temporary)


def of(results: Results, config: Any, name: str) -> Origin:
    """What an experiment's results were made of, from what is there now or was kept."""
    own = _finished(results, name)
    places = [place for place in (_here(config, name), _kept(name)) if place]
    asking = next((place for place in places if place.asks_for(name, own)), None)
    told = asking or next(iter(places), None)
    if told is None:
        return Origin(None, {}, ("its configuration and its code",))
    files, missing = dict[str, Path](), [] if asking else ["its configuration"]
    asked = told.experiment
    kinds = {
        asked.code: "its code",
        **{source.path: "weights from elsewhere" for source in asked.pretrained.values()},
        **{source.path: "raw data" for source in asked.data.values()},
    }
    for path, kind in kinds.items():
        having = next((place for place in places if place.whole(name, own, [path])), None)
        if having:
            files |= having.files(path)
        else:
            missing.append(f"{kind} ({path})")
    return Origin(asking and asking.configuration, files, tuple(missing))


def _finished(results: Results, name: str) -> Results:
    """The results of one experiment; what an earlier, longer repeat has left is no part of them."""
    verdict = layout.manifest("compare", {"experiment": name})
    own = results.only(name)
    return own.evidence(verdict) if verdict in own.steps else own


def _here(config: Any, name: str) -> _Place | None:
    try:
        configuration = filled(config, name)
        return _Place(Path(), configuration, resolve(configuration)[name])
    except UserError:  # not valid any more, or without that experiment
        return None


def _kept(name: str) -> _Place | None:
    try:
        configuration = parsed((KEPT / name / CONFIGURATION).read_bytes())
        return _Place(KEPT / name, configuration, resolve(configuration)[name])
    except (OSError, ValueError, LookupError, UserError):
        return None


def _small(place: _Place) -> list[str]:
    """The paths of raw data, and of weights from elsewhere, that are worth a copy."""
    paths = [source.path for source in place.experiment.sources]
    sizes = {
        path: [f.stat().st_size for f in place.files(path).values() if f.is_file()]
        for path in paths
    }
    return [path for path in paths if _inside(path) and sizes[path] and sum(sizes[path]) <= SMALL]


def copy(file: Path, target: Path) -> None:
    """Copy a file, and make its folder."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(file, target)


def write(configuration: Mapping[str, Any], folder: Path) -> None:
    """Write a configuration to its place in a folder that is about to appear."""
    (folder / CONFIGURATION).parent.mkdir(parents=True, exist_ok=True)
    (folder / CONFIGURATION).write_text(pretty(configuration), "utf-8")


def _inside(path: str) -> bool:
    """Whether a path leads to the same place below any folder that stands for the project's."""
    return not PurePosixPath(path).is_absolute() and ".." not in PurePosixPath(path).parts
