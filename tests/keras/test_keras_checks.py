"""What Keras lets pass without a word: refused where it is surely wrong, and nowhere else."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from repro.data.keras_checks import check_fit

L = keras.layers
N = 12
IMAGES = np.zeros((N, 8, 8, 1), "float32")
ROWS = np.zeros((N, 4), "float32")
CLASSES = np.arange(N) % 3
SPARSE = keras.losses.SparseCategoricalCrossentropy


def sequential(shape: Any, units: int = 3, loss: Any = "sparse_categorical_crossentropy") -> Any:
    pooled = [L.Reshape((-1, 1)), L.GlobalAveragePooling1D(), L.Dense(units)]
    model = keras.Sequential([*([keras.Input(shape)] if shape else []), *pooled])
    model.compile("sgd", loss)
    return model


def functional(inputs: Any, loss: Any = "mse", kind: Any = keras.Model) -> Any:
    flat = [L.Reshape((-1, 1))(each) for each in keras.tree.flatten(inputs)]
    last = L.GlobalAveragePooling1D()(L.Concatenate(axis=1)(flat) if flat[1:] else flat[0])
    model = kind(inputs, L.Dense(3)(last))
    model.compile("sgd", loss)
    return model


class OwnCall(keras.Sequential):
    def call(self, x: Any, training: Any = None, mask: Any = None) -> Any:
        return super().call(keras.ops.pad(x, [[0, 0], [0, 3]]))


class OwnTrainStep(keras.Model):
    def train_step(self, data: Any) -> Any:
        return {}


class Plain(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.last = L.Dense(3)

    def call(self, x: Any) -> Any:
        return self.last(x)


def compiled(model: Any, loss: Any = "sparse_categorical_crossentropy") -> Any:
    model.compile("sgd", loss)
    return model


def two(names: tuple[str, str] = ("a", "b"), shape: tuple[int | None, ...] = (4,)) -> list[Any]:
    return [keras.Input((4,), name=names[0]), keras.Input(shape, name=names[1])]


def own_loss(y: Any, predicted: Any) -> Any:
    return keras.ops.mean(predicted, axis=-1)


def named_outputs(loss: Any) -> Any:
    x = keras.Input((4,))
    return compiled(
        keras.Model(x, {"k": L.Dense(3, name="k")(x), "n": L.Dense(1, name="n")(x)}), loss
    )


WRONG: dict[str, tuple[Callable[[], Any], Any, Any, str]] = {
    "an axis of an image": (
        lambda: sequential((8, 9, 1)), IMAGES, CLASSES,
        r"expected shape=\(None, 8, 9, 1\), found shape=\(None, 8, 8, 1\)",
    ),
    "channels": (
        lambda: functional(keras.Input((8, 8, 3)), "mse"), IMAGES, np.zeros((N, 3)),
        r"found shape=\(None, 8, 8, 1\)",
    ),
    "the second of two": (
        lambda: functional(two(shape=(1,))), {"a": ROWS, "b": ROWS}, np.zeros((N, 3)),
        r"with name 'b'.*expected shape=\(None, 1\), found shape=\(None, 4\)",
    ),
    "one of a mapping": (
        lambda: functional(dict(zip("qp", two(shape=(1,)), strict=True))),
        {"p": ROWS, "q": ROWS}, np.zeros((N, 3)), "with name 'b'",
    ),
    "a class too many": (
        lambda: sequential((4,)), ROWS, CLASSES + 1,
        r"label value of 3 which is outside the valid range of \[0, 3\)",
    ),
    "a negative class": (lambda: sequential((4,), loss=SPARSE()), ROWS, CLASSES - 1, "value of -1"),
    "a class too many in a map of classes": (
        lambda: compiled(keras.Sequential([keras.Input((8, 8, 1)), L.Conv2D(3, 1)])),
        IMAGES, np.full((N, 8, 8), 3), "value of 3",
    ),
    "another class than the ignored one": (
        lambda: sequential((4,), loss=SPARSE(ignore_class=-1)), ROWS, CLASSES - 2, "value of -2",
    ),
    "three columns for one unit": (
        lambda: sequential((4,), 1, keras.losses.Huber()), ROWS, np.zeros((N, 3)),
        r"target.shape=\(None, 3\), output.shape=\(None, 1\)",
    ),
    "a label of 2 where there are two": (
        lambda: sequential((4,), 1, "binary_crossentropy"), ROWS, CLASSES, "the label 2, outside",
    ),
    "one of two outputs": (
        lambda: named_outputs({"k": "sparse_categorical_crossentropy", "n": "mse"}), ROWS,
        {"k": CLASSES + 1, "n": np.zeros(N)}, "value of 3",
    ),
}  # fmt: skip

RIGHT: dict[str, tuple[Callable[[], Any], Any, Any]] = {
    "as declared": (lambda: sequential((8, 8, 1)), IMAGES, CLASSES),
    "an open axis": (lambda: sequential((None, 8, 1)), IMAGES, CLASSES),
    "an axis of one that Keras adds": (lambda: sequential((8, 8, 1)), IMAGES[..., 0], CLASSES),
    "an axis of one that Keras takes": (lambda: sequential((4,)), ROWS[..., None], CLASSES),
    "no Input": (lambda: sequential(None), ROWS, CLASSES),
    "no declared shapes": (lambda: compiled(Plain()), ROWS, CLASSES),
    "a call of its own": (
        lambda: compiled(OwnCall([keras.Input((7,)), L.Dense(3)])), ROWS, CLASSES,
    ),
    "a mapping for inputs in another order": (
        lambda: functional(two(("b", "a"), (1,))), {"a": ROWS[:, :1], "b": ROWS}, np.zeros((N, 3)),
    ),
    "more arrays than inputs": (
        lambda: functional([keras.Input((4,), name="a")]), {"a": ROWS, "z": IMAGES},
        np.zeros((N, 3)),
    ),
    "labels with an axis of one": (lambda: sequential((4,)), ROWS, CLASSES[:, None]),
    "labels without an axis of one": (lambda: sequential((4,), 1, "mse"), ROWS, np.zeros(N)),
    "labels as floats": (lambda: sequential((4,)), ROWS, CLASSES.astype("float32")),
    "smoothed labels": (lambda: sequential((4,), 1, "binary_crossentropy"), ROWS, np.full(N, 0.9)),
    "the ignored class": (
        lambda: sequential((4,), loss=SPARSE(ignore_class=255)), ROWS, np.full(N, 255),
    ),
    "one label for several heads": (lambda: sequential((4,), 3, "mse"), ROWS, np.zeros((N, 1))),
    "a loss of its own": (lambda: sequential((4,), 1, own_loss), ROWS, np.full((N, 3), 9)),
    "a step of its own": (
        lambda: functional(keras.Input((4,)), kind=OwnTrainStep, loss="binary_crossentropy"),
        ROWS, np.full((N, 3), 9),
    ),
    "two outputs": (
        lambda: named_outputs({"k": "sparse_categorical_crossentropy", "n": "mse"}), ROWS,
        {"k": CLASSES, "n": np.full(N, 9.0)},
    ),
    "nothing at all": (lambda: sequential((4,)), None, None),
    "no labels": (lambda: functional(keras.Input((4,))), ROWS, None),
}  # fmt: skip


def data(x: Any, y: Any) -> tuple[Any, ...]:
    return tuple(each for each in (x, y) if each is not None)


@pytest.mark.parametrize("name", WRONG)
def test_what_is_surely_wrong_is_refused(name: str) -> None:
    make, x, y, words = WRONG[name]
    with pytest.raises(ValueError, match=words):
        check_fit(make(), data(x, y))


@pytest.mark.parametrize("name", RIGHT)
def test_what_may_be_meant_is_not(name: str) -> None:
    make, x, y = RIGHT[name]
    model = make()
    if name == "no Input":
        model(ROWS)
    check_fit(model, data(x, y))


SILENT = (
    "an axis of an image", "the second of two", "three columns for one unit",
    "a label of 2 where there are two",
)  # fmt: skip
"""Not those of a class that there is not: Keras refuses them on a processor, and on no GPU."""


@pytest.mark.parametrize("name", SILENT)
def test_keras_itself_trains_without_a_word(name: str) -> None:
    make, x, y, _ = WRONG[name]
    make().fit(x, y, verbose=0)
