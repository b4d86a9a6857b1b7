"""Support: the parts of a verdict's page that tell what each goal rests on, and where it ends.

Synopsis:
    "\\n".join(goals(verdict))
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from repro.core.text import counted, listed
from repro.report.tables import code, number, table, text

Verdict = Mapping[str, Any]


def goals(verdict: Verdict) -> Iterator[str]:
    """What is found for each goal."""
    yield "## What the evidence supports\n"
    best = verdict["best"]
    yield (
        f"The strongest goal that is wholly supported: **{best}**.\n"
        if best
        else "No goal is wholly supported.\n"
    )
    yield answers(verdict)


def answers(verdict: Verdict) -> str:
    """A table of what is found for each goal, of which the claimed one's sentence stands above."""
    rows = [
        (goal, found["verdict"], text(found["sentence"].removeprefix(_head(verdict))))
        if goal != verdict["goal"]
        else (f"{goal} (claimed)", found["verdict"], "see above")
        for goal, found in verdict["goals"].items()
    ]
    return table(("goal", "found", "why"), rows)


def metrics(verdict: Verdict) -> Iterator[str]:
    """How far each metric scatters, and how far it moved, beside its margin."""
    found = verdict["metrics"]
    if not found or (len({e["seed"] for e in verdict["per_seed"]}) < 2 and not _parted(verdict)):
        return
    yield "## The metrics\n"
    same = verdict["goals"]["metrics"]["verdict"] == "met" and not found["metrics"]
    untested = "the same bits" if same else "not tested"
    tests = {
        test["metric"]: test
        for family in (found["metrics"], found["classes"])
        for test in (family["tests"] if family else ())
    }
    yield table(
        ("metric", "mean", "spread of the seeds", "error of the test part", "repeat less original",
         "margin", "found"),
        [_row(name, found, tests.get(name), untested) for name in found["spread"]],
    )  # fmt: skip
    yield (
        "The spread is the standard deviation from seed to seed; the error is that of a share of "
        "so few test examples, which is the same for every seed.\n"
    )
    if _parted(verdict):
        yield from _tested(verdict)
        methods = {test["method"] for test in tests.values() if test["method"]}
        yield from (f"- Tested {text(method)}." for method in sorted(methods))
    yield ""


def _tested(verdict: Verdict) -> Iterator[str]:
    """The answer for all metrics, which is the goal's, and that for all classes."""
    answer, found = verdict["goals"]["metrics"], verdict["metrics"]
    if family := found["metrics"]:
        yield f"- All metrics: {answer['verdict']}, because {text(family['why'])}."
    else:
        yield f"- All metrics: {text(answer['sentence'].removeprefix(_head(verdict)))}"
    if family := found["classes"]:
        yield f"- The recall of all classes: {family['answer']}, because {text(family['why'])}."


def _head(verdict: Verdict) -> str:
    return f"{verdict['experiment']}: "


def _parted(verdict: Verdict) -> bool:
    return any(entry["divergence"] for entry in verdict["per_seed"])


def _row(
    name: str, found: Mapping[str, Any], test: Mapping[str, Any] | None, untested: str
) -> tuple[str, ...]:
    spread, error = found["spread"][name], found["sampling"][name]["error"]
    head = (code(name), number(spread["mean"]), number(spread["deviation"]), number(error))
    if test is None:
        return (*head, "–", "–", untested)
    margin = test["margin"]
    ends = [] if margin is None else [number(end) for end in dict.fromkeys(margin)]
    return (*head, number(test["difference"]), " to ".join(ends) or "–", test["answer"])


def inference(verdict: Verdict) -> Iterator[str]:
    """What the same weights gave when they were evaluated again."""
    if not (found := verdict["inference"]):
        return
    odd = [f"seed {i['seed']} of the {i['run']}" for i in found if not i["same"]]
    yield (
        "- Evaluation, apart from training: the weights of each run, evaluated twice, gave "
        f"the same bits in {len(found) - len(odd)} of {counted(len(found), 'case')}"
        f"{f', and **other bits** with {listed(odd)}' if odd else ''}."
    )
    told = [entry.get("circumstances", {}) for entry in found]
    for name in dict.fromkeys(name for of in told for name in of):
        yield f"  - {_circumstance(name, [of[name] for of in told if name in of])}"


_CIRCUMSTANCES = {
    "batch size": "In batches of {0}",
    "processors": "With {0}",
}


def _circumstance(name: str, found: list[Mapping[str, Any]]) -> str:
    """The same weights under one other circumstance, over all runs and seeds."""
    head = _CIRCUMSTANCES[name].format(found[0]["to"])
    if why := next((f["why"] for f in found if f["same"] is None), None):
        return f"{head}: not tried, because {why}."
    same = sum(f["same"] for f in found)
    told = f"{head}: the same predictions, bit for bit, in {same} of {counted(len(found), 'case')}"
    if same == len(found):
        return f"{told}."
    largest = max(float(f["largest_difference"] or 0) for f in found)
    classes = [f["other_class"] for f in found if f["other_class"] is not None]
    changed = f"; {sum(classes)} predicted class(es) changed" if classes else ""
    return f"{told}; the largest difference of a number is {number(largest)}{changed}."


def limits(verdict: Verdict) -> Iterator[str]:
    """What training recognised in the model that bounds what can be promised."""
    if not verdict["limits"]:
        return
    yield "## Where the promises end for this model\n"
    for limit in verdict["limits"]:
        yield f"- **{limit['name']}** ({text(limit['where'])}): {text(limit['promise'])}"
    yield ""


def methods(verdict: Verdict) -> Iterator[str]:
    """The paragraph that a paper may take over."""
    if verdict["methods"]:
        yield "## For the Methods section of a paper\n"
        yield f"> {text(verdict['methods'])}\n"
