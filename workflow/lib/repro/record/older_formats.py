"""Older formats: what manifests of earlier programs say of the environment, in the words of today.

Synopsis:
    today(manifest.recorded(value)["environment"])["cpu"]["caches"]      # {"L1 data": "32K", …}

So that the same machine reads as the same, whichever program has looked at it. What is said in
today's words already stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from repro.machine.fact import UNKNOWN, excused, inapplicable, lacking
from repro.machine.instructions import EIGEN
from repro.machine.numerics import NO_GPU, OF_A_GPU
from repro.machine.processor import microcode

_SHARED = re.compile(r"(.+), for (\d+) processor\(s\)")
_EIGEN = "instruction sets of Eigen"


def today(environment: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of an environment as the program of today would have recorded them."""
    facts = dict(environment)
    alone = facts.get("gpu") == []  # TensorFlow was asked, and lists no GPU
    if "cpu" in facts:
        facts["cpu"] = _processor(facts["cpu"])
    if "bits" in facts:
        facts["bits"] = _bits(facts["bits"], alone)
    if "cuda" in facts and alone:
        facts["cuda"] = excused(facts["cuda"], NO_GPU)
    return facts


def _processor(cpu: Mapping[str, Any]) -> dict[str, Any]:
    facts = dict(cpu)
    caches, flags, revision = (facts.get(name) for name in ("caches", "flags", "microcode"))
    if isinstance(revision, str) and isinstance(flags, list):
        facts["microcode"] = microcode(revision, cast("list[str]", flags))
    if not isinstance(caches, Mapping) or lacking(cast(Any, caches)):
        return facts
    sizes = cast("Mapping[str, str]", caches)
    matched = {name: _SHARED.fullmatch(size) for name, size in sizes.items()}
    facts["caches"] = {
        name: match[1] if (match := matched[name]) else sizes[name] for name in sizes
    }
    shared = {name: int(match[2]) for name, match in matched.items() if match}
    return {**facts, "cache sharing": shared} if shared else facts


def _bits(bits: Mapping[str, Any], alone: bool) -> dict[str, Any]:
    entries = dict(bits)
    untold = str(entries.get(_EIGEN, {}).get(UNKNOWN, "this step does not load"))
    if not untold.startswith("this step does not load"):
        entries[_EIGEN] = inapplicable(EIGEN)
    if alone:
        entries |= {name: excused(entries[name], NO_GPU) for name in OF_A_GPU if name in entries}
    return entries
