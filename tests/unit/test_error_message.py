"""What an exception says, below the headings of Keras, AutoGraph and TensorFlow's runtime."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from repro.data.error_message import message, quoted_lines
from repro.data.known_mistakes import known_mistake

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


def test_a_missing_package_is_told_with_what_to_do() -> None:
    mistake = known_mistake("No module named 'pandas.core'", "", "model")
    assert mistake is not None
    assert mistake.expected == "the package `pandas` in the environment"
    assert "`from . import pandas`" in mistake.remedy
