"""Models: what the benchmarks train, and on what; an experiment file as well.

Synopsis:
    MODELS["CNN"].shape, MODELS["CNN"].batch_size
    write_data(folder, MODELS["CNN"])
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Architecture:
    """Layers, the shape of one example, examples in a batch and in all."""

    layers: Callable[[], list[Any]]
    shape: tuple[int, int, int]
    batch_size: int
    examples: int


def mlp() -> list[Any]:
    """64 → 64 → 64 → 10."""
    from keras import layers

    return [
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(64, activation="relu"),
        layers.Dense(10),
    ]


def cnn() -> list[Any]:
    """Two convolutions of 16 filters, pooling, ten classes."""
    from keras import layers

    return [
        layers.Conv2D(16, 3, padding="same", activation="relu"),
        layers.Conv2D(16, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(10),
    ]


def larger_cnn() -> list[Any]:
    """Convolutions of 32, 32 and 64 filters, twice pooled, 100 units, ten classes."""
    from keras import layers

    return [
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(100, activation="relu"),
        layers.Dense(10),
    ]


def wide_mlp() -> list[Any]:
    """3,072 → 1,024 → 1,024 → 10: many weights, each used once for an example."""
    from keras import layers

    return [
        layers.Flatten(),
        layers.Dense(1024, activation="relu"),
        layers.Dense(1024, activation="relu"),
        layers.Dense(10),
    ]


MODELS: Mapping[str, Architecture] = {
    "MLP": Architecture(mlp, (8, 8, 1), 32, 5000),
    "CNN": Architecture(cnn, (8, 8, 1), 32, 5000),
    "larger CNN": Architecture(larger_cnn, (32, 32, 3), 64, 1280),
    "wide MLP": Architecture(wide_mlp, (32, 32, 3), 64, 1280),
}


def random_examples(architecture: Architecture, examples: int | None = None) -> dict[str, Any]:
    """Random images and labels; as many as the architecture says, or as told."""
    import numpy as np

    count = examples or architecture.examples
    draw = np.random.default_rng(0)
    return {
        "id": np.array([f"{number:07}" for number in range(count)]),
        "x": draw.random((count, *architecture.shape), np.float32),
        "y": draw.integers(0, 10, count, np.int32),
    }


def write_data(folder: Path, architecture: Architecture, examples: int | None = None) -> None:
    """Random examples, as `repro.data.prepare` lays them out."""
    import numpy as np

    (folder / "train").mkdir(parents=True)
    for name, array in random_examples(architecture, examples).items():
        np.save(folder / "train" / f"{name}.npy", array)


def dataset(_data: Any, settings: Mapping[str, Any], _seeds: Any) -> dict[str, Any]:
    """The same examples, for an experiment."""
    return random_examples(MODELS[settings["model"]])


def model(settings: Mapping[str, Any], _seeds: Any = None) -> Any:
    """The compiled model."""
    import keras

    architecture = MODELS[settings["model"]]
    network = keras.Sequential([keras.Input(architecture.shape), *architecture.layers()])
    network.compile(
        optimizer="adam",
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return network
