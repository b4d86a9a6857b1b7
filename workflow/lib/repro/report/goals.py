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
    told = (
        f"The strongest goal that is wholly supported: **{best}**"
        if best
        else "No goal is wholly supported"
    )
    partly = best != "bitwise" and verdict["goals"]["bitwise"]["verdict"] == "met"
    yield f"{told}{'; **bitwise** only as far as it was repeated' if partly else ''}.\n"
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
    comparison, family = verdict["metrics"], _family(verdict)
    several = len({entry["seed"] for entry in verdict["per_seed"]}) > 1
    if not comparison or not (several or family or _diverged(verdict)):
        return
    yield "## The metrics\n"
    yield _scatter(verdict, family)
    yield (
        "SD is the standard deviation. The standard error is that of a share of so few test "
        "examples, and is the same for every seed.\n"
    )
    if family or _diverged(verdict):
        yield from _tested(verdict, family)
    yield ""


def _family(verdict: Verdict) -> Mapping[str, Any] | None:
    """The tests that the answer for `metrics` rests on; none where the claim asks for less."""
    comparison = verdict["metrics"]
    return comparison["metrics"] if comparison and verdict["goal"] != "documented" else None


def _scatter(verdict: Verdict, family: Mapping[str, Any] | None) -> str:
    """The table of all metrics; one that the answer does not rest on is not said to be tested."""
    comparison = verdict["metrics"]
    untested = "not tested"
    if comparison["metrics"]:
        untested = "reported only"
    elif verdict["goals"]["metrics"]["verdict"] == "met":
        untested = "the same bits"
    claimed = {test["metric"]: test for test in (family["tests"] if family else ())}
    families = (comparison["classes"], comparison["metrics"])
    every = {test["metric"]: test for of in families if of for test in of["tests"]}
    return table(
        ("metric", "mean", "seed-to-seed SD", "test-set standard error", "repeat − original",
         "margin", "found"),
        [
            (*_seen(name, comparison, every.get(name)), *_judged(claimed.get(name), untested))
            for name in comparison["spread"]
        ],
    )  # fmt: skip


def _tested(verdict: Verdict, family: Mapping[str, Any] | None) -> Iterator[str]:
    """The answer for all metrics, which is the goal's, and that for all classes."""
    answer, classes = verdict["goals"]["metrics"], verdict["metrics"]["classes"]
    if family is None:
        yield f"- All metrics: {text(answer['sentence'].removeprefix(_head(verdict)))}"
        return
    yield f"- All metrics: {answer['verdict']}, because {text(family['why'])}."
    tested = {test["metric"] for test in family["tests"]}
    if classes and not tested.issuperset(test["metric"] for test in classes["tests"]):
        yield (
            f"- The recall of all classes, on which no answer rests: {classes['answer']}, because "
            f"{text(classes['why'])}."
        )
    methods = {test["method"] for test in family["tests"] if test["method"]}
    yield from (f"- Tested {text(method)}." for method in sorted(methods))


def _head(verdict: Verdict) -> str:
    return f"{verdict['experiment']}: "


def _diverged(verdict: Verdict) -> bool:
    return any(entry["divergence"] for entry in verdict["per_seed"])


def _seen(
    name: str, comparison: Mapping[str, Any], test: Mapping[str, Any] | None
) -> tuple[str, ...]:
    spread, error = comparison["spread"][name], comparison["sampling"][name]["error"]
    difference = test["difference"] if test else None
    values = (spread["mean"], spread["deviation"], error, difference)
    return (code(name), *map(number, values))


def _judged(test: Mapping[str, Any] | None, untested: str) -> tuple[str, str]:
    if test is None:
        return "–", untested
    ends = [number(end) for end in dict.fromkeys(test["margin"] or ())]
    return " to ".join(ends) or "–", test["answer"]


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
