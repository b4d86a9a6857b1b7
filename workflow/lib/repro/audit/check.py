"""Check: every file under results/ against its manifest, and every manifest against the present.

Synopsis:
    report = check(Path("results"), home, configuration, "config/config.yaml")
    print(report.text())

Everything is hashed again: neither time nor size of a file is believed.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from repro.audit import against_present
from repro.audit.against_present import Discrepancy, joined
from repro.audit.results import Results, against, read, where
from repro.core.atomic import write_bytes
from repro.core.config import resolve
from repro.core.digest import sha256_file
from repro.core.errors import UserError
from repro.core.layout import STEPS, claimant, whole_folder
from repro.record.statement import digest

_UNKNOWN = "a later step used it, and its manifest does not know it"
UNREAD = "cannot be read: "
"""How a digest begins that is none."""


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be.

    `kind`: `missing`, `changed`, `added` (beside the sources or inputs that were used),
    `unclaimed` (no manifest knows the file), `contested` (more than one does) or `damaged` (a
    manifest that cannot be believed). `path` is the file, or the key of the configuration.
    `outdated` are the results that were made by what was there before.
    """

    kind: str
    path: str
    what: str = ""
    outdated: tuple[str, ...] = ()

    def __str__(self) -> str:
        """One line, whatever characters the path has."""
        path = self.path if self.path.isprintable() else ascii(self.path)
        what = f"  ({self.what})" if self.what else ""
        outdated = f"  outdated by it: {', '.join(self.outdated)}" if self.outdated else ""
        return f"{self.kind:<10}{path}{what}{outdated}"


@dataclass(frozen=True)
class Report:
    """All findings, and the digest of every file that could be read.

    `outdated` is the number of files that are; `whole` says whether every file is as its manifest
    says, be it outdated or not.
    """

    folder: Path
    findings: tuple[Finding, ...]
    digests: Mapping[str, str]
    outdated: int
    whole: bool

    def text(self) -> str:
        """A line for each finding, then a sentence."""
        lines = [str(finding) for finding in self.findings]
        number = len(self.digests)
        if not lines:
            return (
                f"All {number} files under {self.folder.name}/ are as their manifests say, made by "
                "the code, configuration, lock and inputs that are there now.\n"
            )
        counts = Counter(finding.kind for finding in self.findings)
        found = ", ".join(f"{count} {kind}" for kind, count in counts.items())
        older = f"; {self.outdated} of the results are outdated" if self.outdated else ""
        return "\n".join(
            [*lines, f"Of {number} files under {self.folder.name}/: {found}{older}.\n"]
        )


def check(
    folder: Path, home: Path, configuration: Any, file: str, but: Path | None = None,
    experiment: str | None = None,
) -> Report:  # fmt: skip
    """Looks for everything that is not as it should be.

    Args:
        folder: the results; paths in the configuration start beside it.
        home: the folder of the Snakefile.
        configuration: what YAML gave.
        file: how to call the file of the configuration.
        but: a file that may lie among the results though nothing claims it.
        experiment: the only one to look at; else all.

    Returns:
        Findings, none where all is well.

    Raises:
        UserError: there are no results, or the configuration is not valid.
    """
    experiments = resolve(configuration)
    results = read(folder)
    if experiment is not None:
        results, experiments = results.only(experiment), {experiment: experiments[experiment]}
    if not results.files:
        raise UserError(
            f"Expected results in {folder.name}/. Received none. Make them first: ./run all."
        )
    files = {n: p for n, p in results.files.items() if but is None or p.resolve() != but.resolve()}
    digests = hashed(files)
    differences = joined(
        [
            *replaced(results, digests),
            *against_present.sources(results, home),
            *against_present.lock(results, against_present.digests_in(home)),
            *against_present.inputs(
                results, experiments, against_present.digests_in(folder.absolute().parent)
            ),
            *against_present.configuration(results, experiments, file),
        ]
    )
    found, old = [*broken(results, digests)], set[str]()
    whole = all(finding.kind == "unclaimed" for finding in found)
    for one in differences:
        outdated = _made_by(results, one.users)
        old |= outdated
        found.append(Finding(one.kind, one.path, one.what, _together(outdated, results)))
    good = {name: value for name, value in digests.items() if not value.startswith(UNREAD)}
    return Report(folder, tuple(dict.fromkeys(found)), good, len(old), whole)


def hashed(files: Mapping[str, Path]) -> dict[str, str]:
    """The sha256 of each file, or why it has none; some files at once."""
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        return dict(zip(files, pool.map(_hashed, files.values()), strict=True))


def _hashed(path: Path) -> str:
    if not path.is_file():  # a pipe would never end
        return f"{UNREAD}not a file, or a link to nothing"
    try:
        return sha256_file(path)
    except OSError as error:
        return f"{UNREAD}{error.strerror}"


def broken(results: Results, digests: Mapping[str, str]) -> Iterator[Finding]:
    """What differs between the files that are there and what the manifests claim of them."""
    claimed = dict[str, str]()
    for name, sha256, by in results.claims():
        if name in claimed:
            yield Finding("contested", results.shown(name), f"by {claimed[name]} and {by}")
        elif name not in digests:
            yield Finding("missing", results.shown(name), f"claimed by {by}")
        elif digests[name] != sha256:
            found = digests[name]
            what = found if found.startswith(UNREAD) else against(found, sha256)
            yield Finding("changed", results.shown(name), what)
        claimed[name] = by
    hidden = Counter[str]()
    for name in digests:
        if name in claimed or name in results.steps or name in results.damaged:
            continue
        # What a damaged manifest may have claimed is not called unclaimed: nobody can tell.
        by = next((m for m in results.damaged if _may_claim(m, name)), None)
        hidden[by or ""] += 1
        if by is None:
            yield Finding("unclaimed", results.shown(name), _why_odd(digests[name]))
    for name, why in results.damaged.items():
        count = f" {hidden[name]} files beside it could not be checked." if hidden[name] else ""
        yield Finding("damaged", results.shown(name), f"{why}{count}")


def _why_odd(found: str) -> str:
    return found if found.startswith(UNREAD) else ""


def _may_claim(path: str, name: str) -> bool:
    folder, below = PurePosixPath(path).parent, whole_folder(path)
    if below is not None and PurePosixPath(name).is_relative_to(folder / below):
        return True
    return PurePosixPath(name).parent == folder and not path.endswith(STEPS["prepare"].manifest)


def replaced(results: Results, digests: Mapping[str, str]) -> Iterator[Discrepancy]:
    """Results that are whole, but not the ones that a later step used."""
    for step in results.steps.values():
        for name, resource in step.inputs.items():
            place = where(step, name)
            if place is None or claimant(place) in results.damaged:
                continue
            now, then = results.present(place, digests), digest(resource)
            users = frozenset([step.key])
            if claimant(place) not in digests:
                yield Discrepancy(
                    "missing", results.shown(claimant(place)), "a later step names it", users
                )
            elif now != then:
                what = f"{against(now, then)}, which a later step used" if now else _UNKNOWN
                yield Discrepancy("changed", results.shown(place), what, users)


def _made_by(results: Results, users: Iterable[str]) -> set[str]:
    """All files that those steps made, and what was made from them."""
    reached = results.following({path for path in users if path in results.steps})
    made = {name for path in reached for name in results.steps[path].outputs}
    return made | reached | {name for name in users if name in results.files}


def _together(names: set[str], results: Results) -> tuple[str, ...]:
    """The names, or folders of which every file is among them."""
    known = {*results.steps, *results.damaged, *(name for name, _, _ in results.claims())}
    others = {parent for name in known - names for parent in PurePosixPath(name).parents}
    shown: set[str] = set()
    for name in names:
        whole = [parent for parent in PurePosixPath(name).parents if parent not in others]
        shown.add(results.shown(f"{whole[-1]}/".removeprefix("./") if whole else name))
    return tuple(sorted(shown))


def write_checksums(path: Path, report: Report) -> None:
    """Writes what `sha256sum -c` reads in the folder beside the results.

    Args:
        path: the file to appear.
        report: what `check` found.

    Raises:
        UserError: a file is missing, changed or damaged: sums of what is wrong help nobody.
    """
    if not report.whole:
        raise UserError(
            f"Expected results that are as their manifests say, to write {path.name}. Received "
            "the findings above. Mend them first; nothing was written."
        )
    lines = [_line(f"{report.folder.name}/{name}", sha) for name, sha in report.digests.items()]
    write_bytes(path, b"".join(os.fsencode(line) for line in lines))


def _line(name: str, sha256: str) -> str:
    """As GNU writes it: names with a backslash or a line's end in them are escaped, and marked."""
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    mark = "\\" if escaped != name else ""
    return f"{mark}{sha256}  {escaped}\n"
