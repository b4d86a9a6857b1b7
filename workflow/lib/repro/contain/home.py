"""Home: what another HOME has of the user's own, so that a script still finds its data.

Synopsis:
    carry_over(Path.home(), fresh / "home", environment)     # the variables to set besides
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

CACHES = (
    ".keras/datasets", ".keras/models", ".cache/huggingface", ".cache/kagglehub",
    "tensorflow_datasets", ".cache/torch", ".cache/matplotlib", "scikit_learn_data", "nltk_data",
    ".kaggle",
)  # fmt: skip
"""Folders of data, from HOME: links to the user's own lie there in another HOME."""
SETTINGS = (".keras/keras.json", ".config/matplotlib/matplotlibrc")
"""Files of settings: copies lie there, which a library may write to."""

_VARIABLES = {"PYTHONUSERBASE": ".local", "HF_HOME": ".cache/huggingface", "CONDA_PKGS_DIRS": None,
              "MPLCONFIGDIR": None}  # fmt: skip
CARRIED = "known caches of data, Python's user packages and keras.json are carried over"


def carry_over(home: Path, other: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Furnishes another HOME; returns the variables that stand for what lies in the user's own."""
    for name in CACHES:
        if (home / name).exists():
            (other / name).parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):
                (other / name).symlink_to(home / name)
    for name in SETTINGS:
        if (home / name).is_file():
            (other / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(home / name, other / name)
    return {
        name: str(home / place)
        for name, place in _VARIABLES.items()
        if place and name not in environment and (home / place).is_dir()
    }
