"""Drift: reads manifests, compares each with the present, says what it means.

Synopsis:
    told([(Path("results/…/train.manifest.json"), Path("environment.json"))])     # text, status
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from repro.core.digest import sha256_file
from repro.core.errors import UserError
from repro.drift.effects import BITS, EFFECTS, IRRELEVANT, METRICS
from repro.drift.environment_differences import GOALS, Difference, claims, drift
from repro.drift.facts import facts
from repro.machine.fact import lacking
from repro.record.step import read_step

_HEADS = {
    METRICS: "Metrics may change:",
    BITS: "Bits may change:",
    IRRELEVANT: "Irrelevant:",
}


def _present(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
        return {**value["environment"], "locked": value["packages"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"Expected what a step finds around it now, at {path}. Received a file that cannot be "
            f"read as such ({error}). Run `./run drift` again."
        ) from error


def _beside(recorded: Mapping[str, Any], present: Mapping[str, Any]) -> dict[str, Any]:
    """The present, with the system's libraries that only the result's process has loaded."""
    before, now = (
        environment.get("loaded", {}).get("host", {}) for environment in (recorded, present)
    )
    if lacking(before) or lacking(now):
        return dict(present)
    have = {path.rpartition("/")[2] for path in now}
    missing = [path for path in before if path.rpartition("/")[2] not in have]
    read = {path: sha256_file(Path(path)) for path in missing if Path(path).is_file()}
    return {**present, "loaded": {**present["loaded"], "host": {**now, **read}}}


def _listed(differences: Sequence[Difference]) -> str:
    lines: list[str] = []
    for effect in EFFECTS:
        of_effect = [difference for difference in differences if difference.effect == effect]
        if not of_effect:
            continue
        lines.append(f"  {_HEADS[effect]}")
        for why in dict.fromkeys(difference.why for difference in of_effect):
            lines += [f"    {d.what}: was {d.was}; is {d.now}." for d in of_effect if d.why == why]
            lines.append(f"      Why: {why}.")
    return "\n".join(lines) or "  Nothing differs."


def told(pairs: Sequence[tuple[Path, Path]]) -> tuple[str, int]:
    """Compares the present with what made each result: the text, and the exit status.

    `pairs` has of each result the manifest, and what the step `environment` wrote just now. Results
    with the same differences share a paragraph. The status is 0 where every goal can still be
    claimed, else 1.

    Raises:
        UserError: a manifest is missing or damaged.
    """
    if not pairs:
        return "No result was found, so nothing can have drifted from one.\n", 0
    paragraphs: dict[str, list[str]] = {}
    whole = True
    for path, present in pairs:
        here = _present(present)
        recorded = facts(read_step(path))
        differences = drift(recorded, _beside(recorded, here))
        claimed = claims(differences)
        whole = whole and claimed.goals == GOALS
        text = f"{_listed(differences)}\n  {claimed.sentence}\n"
        paragraphs.setdefault(text, []).append(str(path))
    texts = [f"{', '.join(paths)}:\n{text}" for text, paths in paragraphs.items()]
    return "\n".join(texts), 0 if whole else 1
