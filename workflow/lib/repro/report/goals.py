"""Goals: the parts of a verdict's page that tell what each goal rests on, and where it ends.

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
        (goal, answer["verdict"], text(answer["sentence"].removeprefix(_head(verdict))))
        if goal != verdict["goal"]
        else (f"{goal} (claimed)", answer["verdict"], "see above")
        for goal, answer in verdict["goals"].items()
    ]
    return table(("goal", "found", "why"), rows)


def metrics(verdict: Verdict) -> Iterator[str]:
    """How far each metric scatters, and how far it moved, beside its margin."""
    comparison = verdict["metrics"]
    if not comparison or (
        len({e["seed"] for e in verdict["per_seed"]}) < 2 and not _parted(verdict)
    ):
        return
    yield "## The metrics\n"
    same = verdict["goals"]["metrics"]["verdict"] == "met" and not comparison["metrics"]
    untested = "the same bits" if same else "not tested"
    tests = {
        test["metric"]: test
        for family in (comparison["metrics"], comparison["classes"])
        for test in (family["tests"] if family else ())
    }
    yield table(
        ("metric", "mean", "spread of the seeds", "error of the test part", "repeat less original",
         "margin", "found"),
        [_row(name, comparison, tests.get(name), untested) for name in comparison["spread"]],
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
    answer, comparison = verdict["goals"]["metrics"], verdict["metrics"]
    if family := comparison["metrics"]:
        yield f"- All metrics: {answer['verdict']}, because {text(family['why'])}."
    else:
        yield f"- All metrics: {text(answer['sentence'].removeprefix(_head(verdict)))}"
    if family := comparison["classes"]:
        yield f"- The recall of all classes: {family['answer']}, because {text(family['why'])}."


def _head(verdict: Verdict) -> str:
    return f"{verdict['experiment']}: "


def _parted(verdict: Verdict) -> bool:
    return any(entry["divergence"] for entry in verdict["per_seed"])


def _row(
    name: str, comparison: Mapping[str, Any], test: Mapping[str, Any] | None, untested: str
) -> tuple[str, ...]:
    spread, error = comparison["spread"][name], comparison["sampling"][name]["error"]
    head = (code(name), number(spread["mean"]), number(spread["deviation"]), number(error))
    if test is None:
        return (*head, "–", "–", untested)
    margin = test["margin"]
    ends = [] if margin is None else [number(end) for end in dict.fromkeys(margin)]
    return (*head, number(test["difference"]), " to ".join(ends) or "–", test["answer"])


def inference(verdict: Verdict) -> Iterator[str]:
    """What the same weights gave when they were evaluated again."""
    if not (entries := verdict["inference"]):
        return
    odd = [f"seed {i['seed']} of the {i['run']}" for i in entries if not i["same"]]
    yield (
        "- Evaluation, apart from training: the weights of each run, evaluated twice, gave "
        f"the same bits in {len(entries) - len(odd)} of {counted(len(entries), 'case')}"
        f"{f', and **other bits** with {listed(odd)}' if odd else ''}."
    )
    circumstances = [entry.get("circumstances", {}) for entry in entries]
    for name in dict.fromkeys(name for of in circumstances for name in of):
        yield f"  - {_circumstance(name, [of[name] for of in circumstances if name in of])}"


_CIRCUMSTANCES = {
    "batch size": "In batches of {0}",
    "processors": "With {0}",
}


def _circumstance(name: str, results: list[Mapping[str, Any]]) -> str:
    """The same weights under one other circumstance, over all runs and seeds."""
    head = _CIRCUMSTANCES[name].format(results[0]["to"])
    if why := next((result["why"] for result in results if result["same"] is None), None):
        return f"{head}: not tried, because {why}."
    same = sum(result["same"] for result in results)
    sentence = (
        f"{head}: the same predictions, bit for bit, in {same} of {counted(len(results), 'case')}"
    )
    if same == len(results):
        return f"{sentence}."
    largest = max(float(result["largest_difference"] or 0) for result in results)
    classes = [result["other_class"] for result in results if result["other_class"] is not None]
    changed = f"; {sum(classes)} predicted class(es) changed" if classes else ""
    return f"{sentence}; the largest difference of a number is {number(largest)}{changed}."


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
