"""Page: a check's report as one HTML page, all text escaped, in the style of all pages.

Synopsis:
    page(report(checked))      # the text of report.html
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib import resources
from typing import Any

from repro.check.answer import NOT_SAME, SAME
from repro.check.progress import duration

_BADGES = {SAME: ("✓", "good"), NOT_SAME: ("✗", "bad")}
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>check: {answer}</title>
<link rel="icon" href="data:,">
<style>
{style}
</style>
</head>
<body>
<header>
<p class="over">Reproducibility check</p>
<h1><code>{command}</code></h1>
<p><span class="badge {colour}"><span aria-hidden="true">{sign}</span> {answer}</span></p>
<p class="lead">{sentence}</p>
</header>
<main>
{body}
</main>
</body>
</html>
"""


def page(value: dict[str, Any]) -> str:
    """The page of a report, as `repro.check.report` gives it."""
    parts = [
        _list("", value["details"]),
        _steps(value["steps"]),
        _patch(value["patch"]),
        _list("Silent errors", [_silent(each) for each in value["silent_errors"]]),
        _table("Outputs", ("Output", "Kind", "Same", "How", "Largest difference", "Masked"),
               [_output(each) for each in value["outputs"]]),
        _table("Runs", ("Run", "Took", "Exit status", "Varied"), [_run(r) for r in value["runs"]]),
        _varied(value["runs"]),
        _list("What was left out", value["left_out"]),
    ]  # fmt: skip
    sign, colour = _BADGES.get(value["answer"], ("?", "open"))
    style = (resources.files("repro") / "webpage" / "style.css").read_text("utf-8")
    return _PAGE.format(
        style=style, sign=sign, colour=colour,
        answer=escape(value["answer"]), sentence=escape(value["sentence"]),
        command=escape(" ".join(value["command"])), body="\n".join(part for part in parts if part),
    )  # fmt: skip


def _steps(steps: dict[str, Any] | None) -> str:
    if steps is None:
        return ""
    if steps["void"]:
        return _list("Steps", [f"Void: {steps['void']}"])
    lines = [f"Training steps that agreed: {steps['agreed']}"]
    if found := steps["divergence"]:
        facts = {name: found[name] for name in ("step", "epoch", "model", "variable", "what")}
        said = ", ".join(
            f"{name} {value}" for name, value in facts.items() if value not in (None, "")
        )
        lines.append(f"First divergence: {said}")
        if call := found["call"]:
            lines.append(f"{call['call']} ({call['source']}): {call['file']}, line {call['line']}")
    return _list("Steps", lines)


def _patch(patch: dict[str, Any] | None) -> str:
    if patch is None:
        return ""
    if not patch["changes"]:
        lines = [f"Sets of changes that were tried, none of which helped: {patch['tried']}"]
        return _list("Patch", [*lines, *filter(None, [patch["by_hand"]])])
    state = "Confirmed" if patch["confirmed"] else "Not confirmed"
    lines = [f"{state}: {patch['agreed']} varied runs of the changed script gave the same as its "
             f"run as it is; {patch['needed']} were needed"]  # fmt: skip
    lines += [f"It {words}" for words in patch["changes"]]
    lines += [f"Set before the start: {k}={v}" for k, v in patch["variables"].items()]
    lines += [f"New with it: {name}" for name in patch["new_silent_errors"]]
    diff = f'<pre tabindex="0">{_coloured(patch["diff"])}</pre>' if patch["diff"] else ""
    return f"{_list('Patch', lines)}{diff}"


def _coloured(diff: str) -> str:
    """A patch, line by line, in the colours of what goes and what comes."""
    return "\n".join(
        f'<span class="diff-{"added" if line[0] == "+" else "gone"}">{escape(line)}</span>'
        if line[:1] in ("+", "-") and not line.startswith(("+++", "---"))
        else escape(line)
        for line in diff.splitlines()
    )


def _silent(each: dict[str, Any]) -> str:
    where = f" ({each['file']}, line {each['line']})" if each["file"] else ""
    return f"{each['sentence']}{where}"


def _output(each: dict[str, Any]) -> tuple[str, ...]:
    largest = each["largest"]
    apart = f"{largest['place']}: {largest['left']} against {largest['right']}" if largest else ""
    same = "yes" if each["same"] else "no"
    return each["name"], each["kind"], same, each["how"], apart, ", ".join(each["masked"])


def _run(run: dict[str, Any]) -> tuple[str, ...]:
    ended = run["stopped"] or str(run["status"])
    return run["name"], duration(run["seconds"]), ended, ", ".join(run["varied"]) or "nothing"


def _varied(runs: Sequence[dict[str, Any]]) -> str:
    if not runs:
        return ""
    last = runs[-1]
    rows = [(name, "yes", how) for name, how in last["varied"].items()]
    rows += [(name, "no", why) for name, why in last["not_varied"].items()]
    return _table("What was changed in the last run", ("Factor", "Varied", "How, or why not"), rows)


def _list(head: str, items: Sequence[str]) -> str:
    if not items:
        return ""
    rows = "\n".join(f"<li>{escape(item)}</li>" for item in items)
    return f"{_head(head)}<ul>\n{rows}\n</ul>"


def _table(head: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    line = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    body = "\n".join(
        f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows
    )
    scrolls = f'<div class="scroll" role="group" aria-label="{escape(head)}" tabindex="0">'
    rows_of = f"<thead><tr>{line}</tr></thead>\n<tbody>\n{body}\n</tbody>"
    return f"{_head(head)}{scrolls}<table>\n{rows_of}\n</table></div>"


def _head(text: str) -> str:
    return f"<h2>{escape(text)}</h2>\n" if text else ""
