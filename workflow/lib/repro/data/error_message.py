"""Error message: what an exception says, without the headings that libraries put above it.

Synopsis:
    message(error, own=False)         # "expected axis -1 of input shape to have value 5, but …"
    quoted_lines(error)               # the files and lines that its text names

Keras, AutoGraph and TensorFlow's runtime begin with a heading of their own ("Exception encountered
when calling …", "in user code:", "Graph execution error:"); what went wrong comes further down.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from textwrap import dedent

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_FRAME = re.compile(r'File "([^"]+)", line (\d+), in (\w+|<\w+>)')
_RAISED = re.compile(r"\n *\n {4}[\w.]+: (.*)\Z", re.DOTALL)
_ROOT = re.compile(r"\(\d+\) (?:[A-Z_]+: )?")
_JARGON = re.compile(r" for '\{\{node .*?' with")


def _in_layer(text: str) -> str:
    """After "Exception encountered when calling LAYER.call()."."""
    return text.partition("\n")[2].partition("\n\nArguments received by")[0]


def _in_user_code(text: str) -> str:
    """After AutoGraph's own traceback; its lines are indented by four."""
    frames, heading, last = text.rpartition('    File "')
    raised = _RAISED.search(last if heading else frames)
    return dedent(f"    {raised[1]}") if raised else ""


def _in_graph(text: str) -> str:
    """Between the operations' stacks and the names of the nodes."""
    found: list[str] = []
    for line in text.splitlines()[1:]:
        words = line.strip()
        if words.startswith("[[{{node") and found:
            break
        passed = ("Detected at node", 'File "', "<stack traces", "[[")
        if words and not words.startswith(passed) and "root error" not in words:
            found.append(_ROOT.sub("", words))
    return "\n".join(found)


_HEADINGS: Mapping[str, Callable[[str], str]] = {
    "Exception encountered when calling": _in_layer,
    "in user code:": _in_user_code,
    "Graph execution error:": _in_graph,
}


def full_text(error: BaseException) -> str:
    """All that an exception says, without the colours of a terminal."""
    return _COLOUR.sub("", str(error)).strip()


def message(error: BaseException, own: bool) -> str:
    """What went wrong; empty where the exception does not say.

    Args:
        own: whether the user's code raised it: then nothing is left out. Of a library's message
            the first paragraph is taken, as one line.
    """
    text = full_text(error)
    while heading := next((each for each in _HEADINGS if text.startswith(each)), None):
        below = _HEADINGS[heading](text).strip()
        if not below:
            return text
        text = below
    text = _JARGON.sub(" with", text)
    return text if own else " ".join(text.split("\n\n")[0].split())


def quoted_lines(error: BaseException) -> list[tuple[str, int, str]]:
    """The frames that an exception's text tells of, outermost first: file, line and function.

    AutoGraph and TensorFlow's runtime keep them there, and not in the traceback.
    """
    return [(file, int(line), name) for file, line, name in _FRAME.findall(full_text(error))]
