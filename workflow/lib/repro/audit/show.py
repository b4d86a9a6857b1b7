"""Show: an ancestry as text for people, and as plain values for programs.

Synopsis:
    print(text(ancestry(file)), end="")
    print(pretty(values(ancestry(file))), end="")
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from repro.audit.ancestry import Ancestry, Node
from repro.core.canonical_json import Json, canonical
from repro.record.step import Step


def values(lineage: Ancestry) -> dict[str, Json]:
    """Plain values, for JSON.

    `nodes`: each with `id`, `kind` (`file`, `step` or `input`), `trouble` (empty where all is well)
    and its facts: of a file `sha256`; of a step `step`, `experiment`, `run`, `seed` and the whole
    `manifest`; of an input `name`, `digest` and, of a folder, `annotations`. `edges`: each with
    `child`, `parent`, `names` (of the inputs, as the child's manifest has them) and `trouble`.
    """
    nodes = [
        {"id": n.id, "kind": n.kind, "trouble": n.trouble, **n.facts}
        for n in lineage.nodes.values()
    ]
    edges = [
        {"child": e.child, "parent": e.parent, "names": list(e.names), "trouble": e.trouble}
        for e in lineage.edges
    ]
    return {"nodes": nodes, "edges": edges}


def title(node: Node) -> str:
    """A step in a few words, such as `train of digits, original, seed 0`."""
    facts = node.facts
    if "step" not in facts:
        return "?"
    seed = f"seed {facts['seed']}" if "seed" in facts else None
    names = [facts.get("experiment"), facts.get("run"), seed]
    of = ", ".join(name for name in names if name)
    return f"{facts['step']} of {of}" if of else str(facts["step"])


def text(lineage: Ancestry) -> str:
    """A tree with the file on top, in which everything is shown once."""
    first = next(iter(lineage.nodes.values()))
    return "\n".join(_tree(lineage, first, "", set())) + "\n"


def _tree(lineage: Ancestry, node: Node, uses: str, shown: set[str]) -> Iterator[str]:
    again = node.id in shown
    yield f"{uses}{_head(node, again)}{_alarm(node.trouble)}"
    if again:
        return
    shown.add(node.id)
    facts, branches = list(_facts(node, shown)), list(_branches(lineage, node, shown))
    yield from (f"{'│' if branches else ' '}    {line}" for line in facts)
    for number, lines in enumerate(branches, 1):
        first, then = ("└─ ", "   ") if number == len(branches) else ("├─ ", "│  ")
        yield from (f"{then if place else first}{line}" for place, line in enumerate(lines))


def _head(node: Node, again: bool) -> str:
    if node.kind == "file":
        return f"{node.id}  sha256 {node.facts['sha256']}"
    if node.kind == "step":
        return f"made by {title(node)}" + (", as shown above" if again else f"  ({node.id})")
    method, digest = next(iter(node.facts["digest"].items()))
    return f"{method} {f'{digest[:12]}…, as shown above' if again else digest}"


def _alarm(trouble: str) -> str:
    return f"  !! {trouble}" if trouble else ""


def _branches(lineage: Ancestry, node: Node, shown: set[str]) -> Iterator[list[str]]:
    """What a node was made from; the many files that make the programs in one line."""
    edges = lineage.parents(node.id)
    sources = [edge for edge in edges if lineage.is_source(edge)]
    for edge in edges:
        if edge not in sources:
            uses = f"{', '.join(edge.names)}: " if edge.names else ""
            lines = list(_tree(lineage, lineage.nodes[edge.parent], uses, shown))
            yield [lines[0] + _alarm(edge.trouble), *lines[1:]]
    if sources:
        yield [f"{len(sources)} source files, {sources[0].names[0]} to {sources[-1].names[0]}"]


def _facts(node: Node, shown: set[str]) -> Iterator[str]:
    if "manifest" not in node.facts:
        return
    step = Step(PurePath(node.id), node.facts["manifest"])
    yield f"outputs: {', '.join(step.subjects)}"
    if step.parameters:
        yield f"settings: {canonical(step.parameters)}"
    around = _surroundings(step.environment)
    known = "in the environment and on the machine shown above"
    yield f"made: {step.times[1]} {known if around in shown else around}"
    shown.add(around)


def _surroundings(environment: dict[str, Any]) -> str:
    """Versions and machine in a line; what is not known is left out."""
    packages, installed = environment["packages"], environment["installed"]
    versions = {"Python": environment["python"]["version"]}
    versions |= {name: packages[name] for name in ("tensorflow", "keras", "numpy")}
    shown = [f"{name} {text}" for name, text in versions.items() if isinstance(text, str)]
    place = [installed.get(key) for key in ("environment", "platform", "channel")]
    machine = [environment["system"]["name"], environment["cpu"]["model"]]
    if environment["gpu"] and not isinstance(environment["gpu"], dict):
        machine.append(f"{len(environment['gpu'])} GPU")
    return (
        f"with {', '.join(shown)} ({', '.join(part for part in place if part)}) on "
        f"{', '.join(part for part in machine if isinstance(part, str))}"
    )
