"""Asks the user, who may not be there.

Synopsis:
    if asking.agreed("Go on?"): ...
    if asking.possible(): word = asking.answer("Which?")
"""

import sys


def agreed(question: str) -> bool:
    """Say whether somebody at a terminal says yes."""
    if sys.stdin is None or not sys.stdin.isatty():  # None where a program closed it
        return False
    try:
        return input(f"{question} [y/N] ").strip().lower() == "y"
    except EOFError:  # the end of the input, typed
        print()
        return False


def possible() -> bool:
    """Say whether somebody can read a question on standard error, and type an answer."""
    streams = (sys.stdin, sys.stderr)
    return all(stream is not None and stream.isatty() for stream in streams)


def answer(question: str) -> str:
    """Return what somebody types; nothing where the input ends."""
    print(question, end=" ", file=sys.stderr, flush=True)
    typed = sys.stdin.readline()
    if not typed:
        print(file=sys.stderr)
    return typed.strip().lower()
