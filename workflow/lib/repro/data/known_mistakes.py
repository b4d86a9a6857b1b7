"""Known mistakes: what Keras and TensorFlow say of them, and how to say it to a user.

Synopsis:
    mistake = known_mistake(message, text, "augment")     # None where it is no known one
    mistake.expected, mistake.received, mistake.remedy

A new one is a row here. tests/keras/test_user_errors.py makes each of them for real.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Mistake:
    """What was expected, received, and to be done; `{0}` stands for a group of `pattern`.

    `{what}` is the user's function; `{package}` is what to install where `{0}` is to be imported.

    `pattern` is looked for in the message, `beside` in the exception's kind and whole text;
    `function` is the user's function to look at where no line of the user's is known.
    """

    pattern: str
    expected: str
    received: str
    remedy: str
    beside: str = ""
    function: str = "model"


_ROWS = (
    Mistake(
        r"(?:indices\[[\d,]*\] = |label value of )(-?\d+) (?:is not in|which is outside the valid "
        r"range of) \[0, (\d+)\)",
        beside=r"(?i)sparse_?softmax|sparse_?categorical|label value",
        function="dataset",
        expected="labels of at least 0 and below {1}, the number of classes that the model gives",
        received="the label {0}",
        remedy="Number the classes from 0 in `dataset`, or let the model's last layer have as many "
        "units as there are classes.",
    ),
    Mistake(
        r"indices\[[\d,]*\] = (-?\d+) is not in \[0, (\d+)\)",
        expected="indices of at least 0 and below {1}, as an Embedding or `gather` takes them",
        received="the index {0}",
        remedy="Let `input_dim` be larger than every index in the data.",
    ),
    Mistake(
        r"Cast string to \w+ is not supported",
        beside=r"compile_loss|compute_loss|metrics",
        function="dataset",
        expected="numbers as labels",
        received="text in `y`",
        remedy="Give each class a number in `dataset`: "
        "`names, y = np.unique(y, return_inverse=True)`.",
    ),
    Mistake(
        r"Cast string to \w+ is not supported",
        expected="numbers where the model computes",
        received="text",
        remedy="Turn text into numbers in `dataset`, or by a TextVectorization or StringLookup "
        "layer at the model's beginning.",
    ),
    Mistake(
        r"(\w+) received the label (\S+), outside of \[0, 1\]",
        expected="labels from 0 to 1, as {0} takes them",
        received="the label {1}",
        remedy="Number two classes 0 and 1 in `dataset`; for more classes take a loss such as "
        "sparse_categorical_crossentropy.",
        function="dataset",
    ),
    Mistake(
        r"of layer ['\"](.+?)['\"] is incompatible with the layer: (.*)",
        expected="an input that fits the layer `{0}`",
        received="another one: {1}",
        remedy="Give `keras.Input` and the layers the shape of `x` that `dataset` returns.",
    ),
    Mistake(
        r"target` and `output` must have the same (?:rank|shape).*?target.shape=(\(.*?\)), "
        r"output.shape=(\(.*?\))",
        expected="labels of the shape that the model gives",
        received="labels {0} and predictions {1}",
        remedy="For numbers of classes take the loss sparse_categorical_crossentropy; else let "
        "`y` have one column for each unit of the last layer.",
    ),
    Mistake(
        "",  # what NumPy says of such a tensor depends on the function
        beside=r"Cannot convert a symbolic|(?s:in user code:.*File \"[^\"]*numpy/)",
        expected="TensorFlow's operations in `{what}`, which runs as a graph",
        received="a tensor without values in a function of NumPy",
        remedy="Take the function of the same name from `tf` or `keras.ops`, and draw with "
        "tf.random.stateless_uniform or stateless_normal and the `seed` that `augment` receives.",
    ),
    Mistake(
        r"only supports singleton tf\.Variables|tf\.Variable.{0,40}created (?:only once|outside)",
        expected="every layer and variable to be there before training",
        received="one that `{what}` makes at each call",
        remedy="Make it once, at the top of the file, and only call it in `{what}`.",
    ),
    Mistake(
        r"Binding inputs to tf\.function failed due to `.*?`.*for signature: (\(.*?\))",
        expected="`augment` to take (x, y, seed)",
        received="a function that takes {0}",
        remedy="Define `def augment(x, y, seed)`.",
        function="augment",
    ),
    Mistake(
        r"augment returned (.*)",
        expected="`augment` to return the batch (x, y)",
        received="{0}",
        remedy="End it with `return x, y`.",
        function="augment",
    ),
    Mistake(
        r"No loss to compute",
        expected="a model with a loss",
        received="one without",
        remedy="Pass `loss=` to `model.compile`, or call `self.add_loss` in a layer.",
    ),
    Mistake(
        r"\A'(\w+)'\Z",
        beside=r"\AKeyError \((?:os\.py|<frozen os>)\)",
        expected="the environment variable {0}",
        received="a step without it",
        remedy="Name it at `environment_variables` in the configuration, or put what it says into "
        "`settings`: steps see only what is named.",
    ),
    Mistake(
        r"No such file or directory: '(?!/)(.+?)'",
        expected="files at the paths that your functions receive, or beside `__file__`",
        received="the relative path {0}, where there is nothing",
        remedy="Name the file in the configuration: a step runs in an empty folder of its own.",
    ),
    Mistake(
        r"No module named '(\w+)[.\w]*'",
        expected="the package `{0}` in the environment",
        received="an environment without it",
        remedy="Add the line `- {package}` below `- pip:` in environment.yml of the workflow, run "
        "`./run lock`, and then the same again. Where `{0}` is a file of your own, let `code` be a "
        "folder that holds it, and import it by `from . import {0}`.",
    ),
)

_PACKAGES = {
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "PIL": "pillow",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}
"""Packages that have another name than the module that they bring."""


def _package(module: str) -> str:
    return _PACKAGES.get(module, module.replace("_", "-"))


def known_mistake(message: str, text: str, what: str) -> Mistake | None:
    """The row that an exception is of, its groups put in; None for what is not known.

    Args:
        message: what the exception says, without headings.
        text: all that it says, after its kind and, in brackets, the file that raised it.
        what: the user's function in which it arose.
    """
    for row in _ROWS:
        found = re.search(row.pattern, message)
        if found and re.search(row.beside, text):
            sentences = {name: getattr(row, name) for name in ("expected", "received", "remedy")}
            groups = found.groups()
            package = _package(str(groups[0])) if groups else ""
            filled = {
                n: text.format(*groups, what=what, package=package) for n, text in sentences.items()
            }
            return replace(row, **filled)
    return None
