"""Graph: an ancestry as a picture.

Synopsis:
    write_bytes(path, svg(ancestry(file)))

Drawn by Graphviz, which lays out graphs better than own code would; pygraphviz brings it along.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from repro.audit.ancestry import Ancestry, Edge, Node
from repro.audit.show import title

_FILL = {"original": "#dbe9f6", "repeat": "#e3f1dc", "": "#f2f2f2"}
_TROUBLE = "#c62828"


def svg(found: Ancestry) -> bytes:
    """The picture of an ancestry as SVG in UTF-8: raw inputs on the left, the file on the right.

    An edge that others imply is left out (weights come from the data through training), and the
    many files that make the programs are one node. What is wrong is red, and says so.
    """
    return draw(found, "svg")


def draw(found: Ancestry, kind: str) -> bytes:
    """As `svg`, in any of Graphviz' formats."""
    import pygraphviz

    picture = pygraphviz.AGraph(directed=True, rankdir="LR", ranksep="0.4", nodesep="0.2")
    picture.node_attr.update(
        shape="box", style="filled,rounded", fontname="sans-serif", fontsize=11
    )
    picture.edge_attr.update(color="#777777", arrowsize=0.7, fontname="sans-serif", fontsize=10)
    sources = [edge for edge in found.edges if found.is_source(edge)]
    for node in found.nodes.values():
        if node.id not in {edge.parent for edge in sources[1:]}:
            only = len(sources) if sources and node.id == sources[0].parent else 0
            picture.add_node(node.id, **_look(node, only))
    for edge in _drawn([edge for edge in found.edges if edge not in sources[1:]]):
        red: dict[str, Any] = {"color": _TROUBLE, "fontcolor": _TROUBLE, "label": "another"}
        picture.add_edge(edge.parent, edge.child, **(red if edge.trouble else {}))
    with _quiet():
        return picture.draw(format=kind, prog="dot")


def _look(node: Node, sources: int) -> dict[str, Any]:
    facts = node.facts
    look: dict[str, Any] = {"tooltip": node.id, "fillcolor": _FILL[""]}
    if sources:
        look |= {"label": f"{sources} source files", "shape": "note", "style": "filled"}
    elif node.kind == "input":
        value = next(iter(facts["digest"].values()))
        look |= {"label": f"{facts['name']}\n{value[:12]}…", "shape": "note", "style": "filled"}
    elif node.kind == "file":
        name = node.id.rpartition("/")[2]
        look |= {"label": f"{name}\n{facts['sha256'][:12]}…", "penwidth": 2}
    else:
        run = str(facts.get("run", ""))
        look["label"] = title(node).replace(" of ", "\n", 1)
        look["fillcolor"] = _FILL["repeat" if run.startswith("repeat") else run]
    if node.trouble:
        word = "missing" if node.trouble == "missing" else "changed"
        look |= {"color": _TROUBLE, "penwidth": 2, "label": f"{look['label']}\n{word}"}
    return look


def _drawn(edges: list[Edge]) -> list[Edge]:
    """Those that no other way through the graph implies, and those with something to tell."""
    above: dict[str, set[str]] = {}

    def ancestors(node: str) -> set[str]:
        if node not in above:
            above[node] = set()
            direct = [edge.parent for edge in edges if edge.child == node]
            above[node] = set(direct).union(*(ancestors(parent) for parent in direct))
        return above[node]

    return [
        edge
        for edge in edges
        if edge.trouble
        or not any(
            edge.parent in ancestors(other.parent) for other in edges if other.child == edge.child
        )
    ]


@contextmanager
def _quiet() -> Generator[None]:
    """Keeps to itself what Graphviz' libraries remark on the fonts of the host."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
