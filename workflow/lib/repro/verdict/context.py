"""Context: what the manifests say around a comparison.

Synopsis:
    Context("this machine (…)", 1, factors, inference)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Context:
    """What the manifests say around a comparison.

    `scope` is where it holds. `setups` is how many setups took part, and `programs` how many
    versions of the program and the experiment. `factors` says of each factor whether it was
    `varied`, and `how`, or `why` not. `inference` tells, for each seed, of the weights that were
    evaluated twice. `missing` is what no manifest binds, and `unknown` what could be known and is
    not. `limits` are those that training recognised in the model. `trained` is the predicate of
    the original's first training.
    """

    scope: str
    setups: int
    factors: Sequence[Mapping[str, Any]]
    inference: Sequence[Mapping[str, Any]]
    programs: int = 1
    missing: Sequence[str] = ()
    unknown: Sequence[str] = ()
    limits: Sequence[Mapping[str, str]] = ()
    trained: Mapping[str, Any] = field(default_factory=dict[str, Any])
