"""Determinism begins once for the whole process: threads cannot be changed later."""

from dataclasses import asdict
from typing import Any

import pytest


@pytest.fixture(scope="session", autouse=True)
def begun() -> dict[str, Any]:
    """What `begin` found set."""
    from repro.core.parameters import Threads
    from repro.core.seeding import Seeds
    from repro.model.determinism import begin

    return asdict(begin(Seeds(0)("global"), Threads(intra=2, inter=1)))
