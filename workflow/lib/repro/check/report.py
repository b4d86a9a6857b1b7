"""Report: what a check found as JSON (schema `check`), as annotations, and as lines for a terminal.

Synopsis:
    value = report(checked)
    print("\\n".join(github_lines(value)))        # for GitHub's log
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from repro.check.answer import LATE, NOT_SAME, SAME, CheckFindings
from repro.check.checking import Checked
from repro.check.one_run import RunResult
from repro.check.watched_steps import StepFindings
from repro.core.factor_table import FACTORS
from repro.divergence.first_divergence import StepDivergence
from repro.formats.findings import ContentDifference, FileComparison
from repro.repair.by_hand import by_hand
from repro.repair.patch import TriedPatch


def report(checked: Checked) -> dict[str, Any]:
    """All facts of a check, as `report.json` holds them."""
    findings, outcome = checked.findings, checked.findings.decisive
    found = findings.finding
    return {
        "answer": checked.answer.word,
        "sentence": checked.answer.sentence,
        "details": list(checked.answer.details),
        "command": list(checked.command.words),
        "runs": [_run(run, checked) for run in findings.runs],
        "outputs": [_output(each) for each in (outcome.comparisons if outcome else ())],
        "steps": _steps(findings.steps),
        "silent_errors": [asdict(each) for each in findings.steps.silent] if findings.steps else [],
        "nondeterministic": found.nondeterministic if found else None,
        "factor": _factor(found.factors if found and found.complete else ()),
        "searched": None if not found else {
            "runs": found.runs, "complete": found.complete, "factors": list(found.factors),
        },
        "cause": _cause(findings),
        "patch": _patch(findings.patch) if findings.patch else None,
        "left_out": [*checked.left_out, *_unwatched(findings)],
    }  # fmt: skip


def _steps(found: StepFindings | None) -> dict[str, Any] | None:
    if found is None or not (found.seen or found.void):
        return None
    first = found.compared.divergence
    return {
        "void": found.void,
        "agreed": found.compared.agreed,
        "not_compared": found.compared.left_out,
        "undecided": found.compared.undecided,
        "divergence": _divergence(first) if first else None,
    }


def _unwatched(findings: CheckFindings) -> list[str]:
    refused = [f"Runs that were to follow the answer: {findings.refused}"]
    told = refused if findings.refused else []
    if findings.steps is None:
        return told or [LATE if findings.late else "No training was watched step by step."]
    return [*told, *findings.steps.unseen]


def _divergence(first: StepDivergence) -> dict[str, Any]:
    call = first.call
    return {
        "step": first.step,
        "after": first.after,
        "epoch": first.epoch,
        "fit": first.fit,
        "model": first.model,
        "variable": first.variable,
        "others": list(first.others),
        "what": first.what,
        "call": asdict(call) if call else None,
    }


def _cause(findings: CheckFindings) -> dict[str, Any] | None:
    """The call to blame; `confirmed`: the runs agree once it is changed."""
    first = findings.steps.compared.divergence if findings.steps else None
    if first is None or first.call is None:
        return None
    return {**asdict(first.call), "confirmed": bool(findings.patch and findings.patch.confirmed)}


def _patch(found: TriedPatch) -> dict[str, Any]:
    return {
        "confirmed": found.confirmed,
        "changes": [remedy.words for remedy in found.remedies],
        "diff": found.diff,
        "variables": dict(found.variables),
        "agreed": found.agreed,
        "needed": found.needed,
        "tried": found.tried,
        "complete": found.complete,
        "new_silent_errors": list(found.spoiled),
        "by_hand": by_hand(found.left, found.helped) if found.left else None,
    }


def _factor(names: tuple[str, ...]) -> dict[str, str] | None:
    if len(names) != 1:
        return None
    return {"name": names[0], "words": FACTORS[names[0]].words}


def _run(run: RunResult, checked: Checked) -> dict[str, Any]:
    not_varied = {**checked.not_varied, **run.not_varied} if run.varied else {}
    return {
        "name": run.name,
        "seconds": round(run.seconds, 3),
        "status": run.status,
        "stopped": run.stopped or None,
        "varied": dict(run.varied),
        "not_varied": not_varied,
        "containment": checked.containment,
    }


def _output(each: FileComparison) -> dict[str, Any]:
    return {
        "name": each.name,
        "kind": each.kind,
        "same": each.same,
        "how": each.how,
        "largest": _largest(each.largest),
        "differences": each.count,
        "masked": list(each.masked),
        "tolerated": each.tolerated,
    }


def _largest(difference: ContentDifference | None) -> dict[str, Any] | None:
    if difference is None:
        return None
    distance = difference.distance
    return {
        "place": difference.place,
        "left": difference.left,
        "right": difference.right,
        "absolute": distance.absolute if distance else None,
        "relative": distance.relative if distance else None,
    }


def github_lines(value: dict[str, Any]) -> list[str]:
    """GitHub's workflow commands, one for the answer and one for each place that is known."""
    kind = {SAME: "notice", NOT_SAME: "error"}.get(value["answer"], "warning")
    steps: dict[str, Any] = value["steps"] or {}
    divergence: dict[str, Any] = steps.get("divergence") or {}
    call: dict[str, Any] = divergence.get("call") or {}
    lines = [_annotation(kind, "check", value["sentence"], call)]
    lines += [
        _annotation("warning", each["name"], each["sentence"], each)
        for each in value["silent_errors"]
    ]
    return lines


def _annotation(kind: str, title: str, sentence: str, place: dict[str, Any]) -> str:
    where = {"file": place.get("file"), "line": place.get("line"), "title": title}
    fields = ",".join(f"{k}={_escaped(str(v), ',:')}" for k, v in where.items() if v)
    return f"::{kind} {fields}::{_escaped(sentence)}"


def _escaped(text: str, more: str = "") -> str:
    """As GitHub asks for it (workflow commands)."""
    for sign in f"%\r\n{more}":
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text
