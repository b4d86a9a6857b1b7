"""What users get wrong in `dataset`, `model` and `augment`: each told with its line."""

from pathlib import Path

import experiments as e
import pytest
from repro.core.errors import UserError
from repro.data.prepare import part, prepare
from repro.data.user_code import load
from repro.model.training import train

TEXT = """\
import keras
import numpy as np
import tensorflow as tf


def dataset(data, settings, seeds):
    x = np.random.default_rng(0).normal(size=(120, 6)).astype("float32")
    return {"x": x, "y": LABELS}


AUGMENT


def model(settings, seeds):
    MODEL
"""
LABELS = '(x.sum(axis=1) > 0).astype("int32")'
LOSS = "keras.losses.SparseCategoricalCrossentropy(from_logits=True)"
LAYERS = "keras.layers.Dense(2)"
POOLED = "keras.layers.Reshape((-1, 1)), keras.layers.GlobalAveragePooling1D()"


def network(layers: str = LAYERS, shape: str = "(6,)", loss: str = f"loss={LOSS}") -> str:
    return (
        f"network = keras.Sequential([keras.Input({shape}), {layers}])\n"
        f"    network.compile('adam', {loss})\n    return network"
    )


def own(call: str, arguments: str = "", value: str = "") -> str:
    return (
        f"class Net(keras.Model):\n"
        f"        def __init__(self{arguments}):\n"
        f"            super().__init__()\n"
        f"            self.last = keras.layers.Dense(2)\n"
        f"        def call(self, x):\n"
        f"            {call}\n"
        f"            return self.last(x)\n"
        f"    network = Net({value})\n"
        f"    network.compile('adam', {LOSS})\n    return network"
    )


def augment(*lines: str, takes: str = "x, y, seed") -> str:
    return "\n    ".join([f"def augment({takes}):", *lines])


WRONG = {
    "another width": (
        {"MODEL": network(shape="(5,)")},
        "Expected an input that fits the layer `dense",
        "received input with shape (None, 6)",
        "def model",
        "Give `keras.Input` and the layers the shape of `x`",
    ),
    "another width, of which Keras says nothing": (
        {"MODEL": network(f"{POOLED}, {LAYERS}", shape="(7,)")},
        "Expected an input that fits the layer `sequential",
        "expected shape=(None, 7), found shape=(None, 6)",
        "def model",
        "Give `keras.Input` and the layers the shape of `x`",
    ),
    "three labels for one unit": (
        {"LABELS": "x[:, :3]", "MODEL": network("keras.layers.Dense(1)", loss="'mse'")},
        "Expected labels of the shape that the model gives.",
        "Received labels (None, 3) and predictions (None, 1)",
        "def model",
        "let `y` have one column for each unit",
    ),
    "two classes as -1 and 1": (
        {
            "LABELS": "np.where(x.sum(axis=1) > 0, 1, -1)",
            "MODEL": network("keras.layers.Dense(1)", loss="'binary_crossentropy'"),
        },
        "Expected labels from 0 to 1, as binary_crossentropy takes them.",
        "Received the label -1",
        "def dataset",
        "Number two classes 0 and 1 in `dataset`",
    ),
    "labels from 1": (
        {"LABELS": f"{LABELS} + 1"},
        "Expected labels of at least 0 and below 2",
        "Received the label 2",
        "def dataset",
        "Number the classes from 0",
    ),
    "labels outside the classes": (
        {"LABELS": f"{LABELS} * 7"},
        "Expected labels of at least 0 and below 2",
        "Received the label 7",
        "def dataset",
        "as many units as there are classes",
    ),
    "text as labels": (
        {"LABELS": f'np.where({LABELS}, "cat", "dog")'},
        "Expected numbers as labels.",
        "Received text in `y`",
        "def dataset",
        "np.unique(y, return_inverse=True)",
    ),
    "one label in place of a row": (
        {"MODEL": network(loss="'categorical_crossentropy'")},
        "Expected labels of the shape that the model gives.",
        "Received labels (None,) and predictions (None, 2)",
        "def model",
        "take the loss sparse_categorical_crossentropy",
    ),
    "an index outside an embedding": (
        {
            "MODEL": network(
                "keras.layers.Rescaling(0.0, 5.0), keras.layers.Embedding(5, 3), "
                f"keras.layers.Flatten(), {LAYERS}"
            )
        },
        "Expected indices of at least 0 and below 5",
        "Received the index 5",
        "def model",
        "Let `input_dim` be larger",
    ),
    "NumPy draws in augment": (
        {"AUGMENT": augment("return x + np.random.normal(size=x.shape), y")},
        "Expected TensorFlow's operations in `augment`",
        "a tensor without values in a function of NumPy",
        "return x + np.random",
        "the `seed` that `augment` receives",
    ),
    "NumPy reads a tensor in augment": (
        {"AUGMENT": augment("x = x - np.mean(x)", "return x, y")},
        "Expected TensorFlow's operations in `augment`",
        "a tensor without values in a function of NumPy",
        "x = x - np.mean(x)",
        "from `tf` or `keras.ops`",
    ),
    "a layer made in augment": (
        {"AUGMENT": augment("x = keras.layers.Dense(6)(x)", "return x, y")},
        "Expected every layer and variable to be there before training.",
        "Received one that `augment` makes at each call",
        "x = keras.layers.Dense(6)(x)",
        "at the top of the file",
    ),
    "augment returns one thing": (
        {"AUGMENT": augment("return x")},
        "Expected `augment` to return the batch (x, y).",
        "Received one thing",
        "def augment",
        "End it with `return x, y`.",
    ),
    "augment returns too much": (
        {"AUGMENT": augment("return x, y, seed")},
        "Expected `augment` to return the batch (x, y).",
        "Received 3 values",
        "def augment",
        "End it with `return x, y`.",
    ),
    "augment takes no seed": (
        {"AUGMENT": augment("return x, y", takes="x, y")},
        "Expected `augment` to take (x, y, seed).",
        "Received a function that takes (x, y)",
        "def augment",
        "Define `def augment(x, y, seed)`.",
    ),
    "no loss": (
        {"MODEL": network(loss="metrics=['mse']")},
        "Expected a model with a loss.",
        "Received one without",
        "def model",
        "Pass `loss=` to `model.compile`",
    ),
    "a file at a relative path": (
        {"MODEL": f"open('words.txt')\n    {network()}"},
        "Expected files at the paths that your functions receive, or beside `__file__`.",
        "Received the relative path words.txt, where there is nothing (FileNotFoundError",
        "open('words.txt')",
        "Name the file in the configuration",
    ),
    "no such package": (
        {"MODEL": f"import no_such_package.inner\n    {network()}"},
        "Expected the package `no_such_package` in the environment.",
        "ModuleNotFoundError",
        "import no_such_package",
        "run `./run lock`",
    ),
    "shapes that do not fit in a call": (
        {"MODEL": own("x = tf.matmul(x, tf.ones((7, 3)))")},
        "Expected `model` of the experiment's code to run.",
        "Dimensions must be equal, but are 6 and 7",
        "x = tf.matmul",
        "Mend the code.",
    ),
    "a check that fails in the graph": (
        {"MODEL": own("tf.debugging.assert_less(x, -9.0, message='too large')")},
        "Expected `model` of the experiment's code to run.",
        "assertion failed: [too large]",
        "tf.debugging",
        "Mend the code.",
    ),
    "a message of several lines": (
        {"MODEL": r"raise ValueError('The table is odd:\n  row 1\n\n  row 2')"},
        "The table is odd:\n  row 1\n\n  row 2\nExpected `model` of the experiment's code to run. ",
        "Received ValueError (The table is odd: …; the whole message is above)",
        "raise ValueError",
        "Mend the code.",
    ),
}


def written(folder: Path, changes: dict[str, str], first_line: int = 1) -> Path:
    parts = {"LABELS": LABELS, "AUGMENT": "", "MODEL": network(), **changes}
    text = "\n" * (first_line - 1) + TEXT
    for name, value in parts.items():
        text = text.replace(name, value)
    file = folder / "mine.py"
    file.write_text(text)
    return file


def trained(file: Path, folder: Path, **changed: object) -> None:
    code = load(file)
    prepare(code, {}, e.PREPARE, folder / "data")
    (folder / "out").mkdir()
    train(code, folder / "data", e.to_train(**{"epochs": 1, **changed}), folder / "out")


@pytest.mark.parametrize("loop", ["auto", "fit"])
@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_told_with_its_line_and_what_to_do(
    name: str, loop: str, tmp_path: Path
) -> None:
    changes, expected, received, line, remedy = WRONG[name]
    # AutoGraph takes the same code, at the same lines of two files in one process, for one.
    file = written(tmp_path, changes, first_line=["auto", "fit"].index(loop) + 1)
    with pytest.raises(UserError) as error:
        trained(file, tmp_path, loop=loop)
    said = str(error.value)
    number = next(n for n, text in enumerate(file.read_text().split("\n"), 1) if line in text)
    assert said.startswith(expected), said
    assert received in said
    assert f"mine.py, line {number}" in said, said
    assert said.endswith(remedy) or remedy in said.rpartition(f"line {number}")[2]


def test_without_a_mistake_nothing_is_told(tmp_path: Path) -> None:
    trained(written(tmp_path, {"AUGMENT": augment("return [x, y]")}), tmp_path)


@pytest.mark.parametrize("size", [32, 42])
def test_a_batch_that_a_fixed_input_does_not_take_is_refused(size: int, tmp_path: Path) -> None:
    layers = f"keras.layers.Reshape((6, 1)), keras.layers.LSTM(2, stateful=True), {LAYERS}"
    model = network(layers).replace("keras.Input((6,))", "keras.Input(batch_shape=(32, 6))")
    with pytest.raises(UserError) as error:
        trained(written(tmp_path, {"MODEL": model}), tmp_path, batch_size=size)
    examples = len(part(tmp_path / "data", "train")["id"])
    said = str(error.value)
    assert said.startswith("Expected batches of 32 examples")
    assert f"Received {examples} examples in `train` and a `batch_size` of {size}" in said
    assert f"some batch has {examples % size}." in said
