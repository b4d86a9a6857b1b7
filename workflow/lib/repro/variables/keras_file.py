"""Keras file: the whole model in Keras' own format, where Keras can write it down.

Synopsis:
    obstacle(model)                 # None, or why it cannot be written
    save_whole(model, path)         # the same; the file is there where it is None

A convenience beside the weights: nothing is read from it here. A model of the user's own class
whose arguments Keras cannot write has none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from repro.core.atomic import whole_file
from repro.core.errors import UserError


def obstacle(model: Any) -> str | None:
    """Why Keras cannot write the model down, a few words; None where it seems that it can."""
    import keras

    try:
        keras.saving.serialize_keras_object(model)
    except Exception as error:  # of the user's `get_config` too
        return _words(error)
    return None


def save_whole(model: Any, path: Path) -> str | None:
    """Writes the model; where it cannot be written, returns why, and nothing is left at `path`.

    Raises:
        CouldNotRun: the system refused to write.
    """
    try:
        with whole_file(path) as temporary:
            model.save(temporary)
    except (OSError, UserError):
        raise
    except Exception as error:
        return _words(error)
    return None


def _words(error: Exception) -> str:
    first, *_ = " ".join(str(error).split()).split(". ")
    return f"{type(error).__name__}: {first.rstrip('.')}" if first else type(error).__name__
