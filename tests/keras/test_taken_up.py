"""The benchmark of kills takes up the last epoch that Orbax kept, in the way that is asked."""

import sys
from pathlib import Path
from typing import Any

import keras
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from taken_up import MODEL, WEIGHTS, CheckpointPolicy, taking_up


class Stand:
    """Stands for Orbax and for models: tells what is called."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self.made, self.loaded = (arguments, named), list[str]()

    def load_weights(self, folder: str) -> None:
        self.loaded.append(folder)


@pytest.fixture(autouse=True)
def no_orbax(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.callbacks, "OrbaxCheckpoint", Stand)
    monkeypatch.setattr(keras.saving, "load_model", Stand)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    for name in ("2", "9", "10", "11.orbax-checkpoint-tmp"):
        (tmp_path / name).mkdir()
    return tmp_path


def test_weights_are_loaded_into_the_model_that_was_made_anew(kept: Path) -> None:
    made = Stand()
    model, (saving,), first = taking_up(CheckpointPolicy(WEIGHTS, kept, None), made)
    assert (model, made.loaded, first) == (made, [str(kept)], 11)
    assert saving.made == ((str(kept),), {"save_on_background": False})


def test_a_model_is_loaded_with_the_class_that_its_code_has(kept: Path) -> None:
    made = Stand()
    model, _, first = taking_up(CheckpointPolicy(MODEL, kept, None), made)
    assert model.made == ((str(kept),), {"custom_objects": {"Stand": Stand}})
    assert (made.loaded, first) == ([], 11)


@pytest.mark.parametrize("way", [MODEL, WEIGHTS])
def test_a_training_begins_where_nothing_is_kept(way: str, tmp_path: Path) -> None:
    made = Stand()
    model, _, first = taking_up(CheckpointPolicy(way, tmp_path / "none", None), made)
    assert (model, made.loaded, first) == (made, [], 0)
