"""Asks the user, who may not be there.

Synopsis:
    if asking.agreed("Go on?"): ...
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
