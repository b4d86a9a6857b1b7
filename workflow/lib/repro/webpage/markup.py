"""Markup: the sentences and tables of the pages in Markdown, as HTML.

Synopsis:
    rendered(done(verdict))          # Markdown, line by line -> safe HTML

Only what our pages use is known: no link, no picture, no HTML of their own. So whatever name or
sentence stands in a verdict, nothing of it becomes more than text.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markupsafe import Markup

_KNOWN = ("table", "list", "heading", "blockquote", "backticks", "emphasis", "escape", "fence")
SCROLLS = '<div class="scroll" role="group" aria-label="Table" tabindex="0">'
"""What stands around a table, which may be wider than a phone."""


def rendered(lines: Iterable[str]) -> Markup:
    """Markdown, line by line, as HTML that is safe to put into a page."""
    from markupsafe import Markup

    return Markup(_markdown().render("\n".join(lines)))


def inline(sentence: str) -> Markup:
    """One sentence, of which only code and emphasis are markup."""
    from markupsafe import Markup

    return Markup(_markdown().renderInline(sentence))


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("zero").enable(list(_KNOWN))
    markdown.add_render_rule("table_open", _table_open)
    markdown.add_render_rule("table_close", _table_close)
    return markdown


def _table_open(_renderer: Any, *_others: Any) -> str:
    return f"{SCROLLS}<table>\n"


def _table_close(_renderer: Any, *_others: Any) -> str:
    return "</table></div>\n"
