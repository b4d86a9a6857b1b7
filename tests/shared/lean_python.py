"""A Python in which Keras finds none of the packages that it imports where they are installed.

Synopsis:
    subprocess.run(command, env=lean(os.environ))

Keras starts in two thirds of the time without them. For scripts that use none of them.
"""

import os
from collections.abc import Mapping
from pathlib import Path

LEFT_OUT = Path(__file__).parent / "lean"
"""Modules that stand in for the packages and cannot be imported."""


def lean(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process that shall not find these packages."""
    path = [str(LEFT_OUT), *filter(None, [environment.get("PYTHONPATH")])]
    return {**environment, "PYTHONPATH": os.pathsep.join(path)}
