"""What `./run` and its verbs print when they are asked for help.

Synopsis:
    help_of("archive")
"""

import io
import os
import runpy
from contextlib import redirect_stdout, suppress
from typing import Any

import project
from user_project import chosen

_WIDTH = "88"


def command_line() -> dict[str, Any]:
    """The names that the module behind `./run` defines: `VERBS`, `TARGETS`, `usage` and others."""
    return runpy.run_path(str(project.BOOTSTRAP / "__main__.py"), run_name="command line")


def help_of(verb: str) -> str:
    """Return what `./run VERB --help` prints, or `./run --help` where no verb is named.

    Raises:
        KeyError: there is no such verb.
    """
    names = command_line()
    if not verb:
        return names["usage"]()
    if verb not in names["VERBS"]:
        raise KeyError(verb)
    printed, before = io.StringIO(), os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = _WIDTH
    try:
        with redirect_stdout(printed), suppress(SystemExit):
            names["command"](verb, chosen.CLONE)(["--help"])
    finally:
        os.environ.pop("COLUMNS")
        if before is not None:
            os.environ["COLUMNS"] = before
    return printed.getvalue().rstrip()
