"""Templates: the pages' frames, which Jinja2 fills in; what is put in is text unless it is markup.

Synopsis:
    filled("report.html", title="digits", …)
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


def filled(template: str, **values: Any) -> str:
    """A whole page.

    Args:
        template: the name of a file beside this module.
        values: what it names; one that it names and does not get is an error.
    """
    from markupsafe import Markup

    style = Markup(_file("style.css"))
    return _environment().get_template(template).render(style=style, **values)


@cache
def _environment() -> Environment:
    import jinja2

    from repro.report.badge import sentence
    from repro.webpage.markup import inline, rendered

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, loader=jinja2.FunctionLoader(_file),
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters |= {"inline": inline, "rendered": rendered, "sentence": sentence}
    return environment


def _file(name: str) -> str:
    return (resources.files("repro") / "webpage" / name).read_text("utf-8")
