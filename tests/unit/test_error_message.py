"""What an exception says, below the headings of Keras, AutoGraph and TensorFlow's runtime."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from repro.core.errors import UserError
from repro.data.error_message import message, quoted_lines
from repro.data.known_mistakes import known_mistake
from repro.data.user_code import load

IN_LAYER = """Exception encountered when calling Sequential.call().

\x1b[1mexpected axis -1 to have value 5\x1b[0m

Arguments received by Sequential.call():
  • training=False"""
IN_USER_CODE = """in user code:

    File "/home/me/mine.py", line 11, in augment  *
        x = keras.layers.Dense(6)(x)
    File "/env/keras/layer.py", line 69, in __init__  **
        self.state = Variable(

    ValueError: only made once.
      And not again.
"""
IN_GRAPH = """Graph execution error:

Detected at node loss/Gather defined at (most recent call last):
  File "/home/me/mine.py", line 3, in <module>

  File "/env/keras/trainer.py", line 61, in train_step

indices[0] = 2 is not in [0, 2)
\t [[{{node loss/Gather}}]]
\t [[while/body]] [Op:__inference_epoch_943]"""
TWO_ERRORS = """Graph execution error:

2 root error(s) found.
  (0) INVALID_ARGUMENT: assertion failed: [low]
\t [[{{node first}}]]
  (1) INVALID_ARGUMENT: assertion failed: [high]"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (IN_LAYER, "expected axis -1 to have value 5"),
        (IN_USER_CODE, "only made once. And not again."),
        (IN_GRAPH, "indices[0] = 2 is not in [0, 2)"),
        (TWO_ERRORS, "assertion failed: [low]"),
        (f"Exception encountered when calling Net.call().\n\n{IN_USER_CODE}",
         "only made once. And not again."),
        ("Graph execution error:", "Graph execution error:"),
        ("in user code:\n\n", "in user code:"),
        ("Dimensions are 6 and 7 for '{{node MatMul}} = MatMul[T=F](a, b)' with shapes: 6, 7.",
         "Dimensions are 6 and 7 with shapes: 6, 7."),
        ("first\nline\n\nExample:\n\ncode", "first line"),
        ("", ""),
    ],
)  # fmt: skip
def test_what_went_wrong_is_found_below_the_heading(text: str, said: str) -> None:
    assert message(ValueError(text), own=False) == said


@given(st.text())
def test_a_message_of_the_users_own_is_kept_whole(text: str) -> None:
    whole = f"mine: {text}".strip()
    assert message(ValueError(whole), own=True) == whole


@given(
    st.sampled_from(
        ["in user code:", "Graph execution error:", "Exception encountered when calling"]
    ),
    st.text(st.sampled_from('\n\t :[]{}"File line(0),ABCde')),
)  # fmt: skip
def test_any_text_below_a_heading_gives_some_message(heading: str, text: str) -> None:
    assert message(ValueError(heading + text), own=False)


def test_lines_are_read_from_the_text() -> None:
    assert quoted_lines(ValueError(IN_USER_CODE)) == [
        ("/home/me/mine.py", 11, "augment"),
        ("/env/keras/layer.py", 69, "__init__"),
    ]
    assert quoted_lines(ValueError("none")) == []


@given(st.text(), st.text())
def test_only_what_is_known_is_called_a_known_mistake(said: str, text: str) -> None:
    assert known_mistake(f"mine {said}", f"mine {text}", "model") is None


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("skimage", "- scikit-image"),
        ("bs4", "- beautifulsoup4"),
        ("tensorflow_graphics.math", "- tensorflow-graphics"),
    ],
)
def test_a_missing_package_is_told_with_the_line_to_add_and_the_command(
    module: str, line: str, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(f"import {module}\n")
    with pytest.raises(UserError) as refused:
        load(tmp_path / "mine.py")
    name = module.partition(".")[0]
    assert str(refused.value) == (
        f"Expected the package `{name}` in the environment. Received an environment without it "
        f"(ModuleNotFoundError at mine.py, line 1). Add the line `{line}` below `- pip:` in "
        "environment.yml of the workflow, run `./run lock`, and then the same again. Where "
        f"`{name}` is a file of your own, let `code` be a folder that holds it, and import it by "
        f"`from . import {name}`."
    )
