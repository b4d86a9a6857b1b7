"""Determinism begins once for the whole process: threads cannot be changed later."""

import gc
from dataclasses import asdict
from typing import Any

import pytest


@pytest.fixture(scope="session", autouse=True)
def begun() -> dict[str, Any]:
    """What `begin` found set."""
    from repro.core.parameters import Threads
    from repro.core.seeding import Seeds
    from repro.model.determinism import begin

    found = asdict(begin(Seeds(0)("global"), Threads(intra=2, inter=1)))
    # The tests were imported before: each new model has the collector look through all of them.
    gc.freeze()
    return found
