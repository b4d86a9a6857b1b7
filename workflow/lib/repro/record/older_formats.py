"""Older: what manifests of earlier programs say of the environment, in the words of today.

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
    found = dict(environment)
    alone = found.get("gpu") == []  # TensorFlow was asked, and lists no GPU
    if "cpu" in found:
        found["cpu"] = _processor(found["cpu"])
    if "bits" in found:
        found["bits"] = _bits(found["bits"], alone)
    if "cuda" in found and alone:
        found["cuda"] = excused(found["cuda"], NO_GPU)
    return found


def _processor(cpu: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(cpu)
    caches, flags, told = (found.get(name) for name in ("caches", "flags", "microcode"))
    if isinstance(told, str) and isinstance(flags, list):
        found["microcode"] = microcode(told, cast("list[str]", flags))
    if not isinstance(caches, Mapping) or lacking(cast(Any, caches)):
        return found
    sizes = cast("Mapping[str, str]", caches)
    matched = {name: _SHARED.fullmatch(size) for name, size in sizes.items()}
    found["caches"] = {name: own[1] if (own := matched[name]) else sizes[name] for name in sizes}
    shared = {name: int(own[2]) for name, own in matched.items() if own}
    return {**found, "cache sharing": shared} if shared else found


def _bits(bits: Mapping[str, Any], alone: bool) -> dict[str, Any]:
    found = dict(bits)
    untold = str(found.get(_EIGEN, {}).get(UNKNOWN, "this step does not load"))
    if not untold.startswith("this step does not load"):
        found[_EIGEN] = inapplicable(EIGEN)
    if alone:
        found |= {name: excused(found[name], NO_GPU) for name in OF_A_GPU if name in found}
    return found
