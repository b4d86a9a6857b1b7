"""Ancestry: what a file came from, step by step, back to raw data, code, settings and lock.

Synopsis:
    lineage = ancestry(Path("results/digits/verdict.json"))
    lineage.nodes["results/code.manifest.json"].facts

Followed through the digests that the manifests name. What is missing, or is no longer what was
used, is reported where it stands, and the rest is followed all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from repro.audit.results import CODE, LOCK, Results, against, read, where
from repro.core.digest import sha256_file, sha256_tree
from repro.core.errors import UserError
from repro.core.layout import claimant
from repro.record.statement import digest


@dataclass(frozen=True)
class Node:
    """A file, a step (one manifest) or an input from outside; `trouble` says what is wrong.

    `facts`: of a file `sha256`; of a step `step`, `experiment`, `run`, `seed` and the whole
    `manifest`; of an input `name`, `digest` and, of a folder, `annotations` with its files.
    """

    id: str
    kind: str
    facts: Mapping[str, Any]
    trouble: str = ""


@dataclass(frozen=True)
class Edge:
    """`child` was made from what `parent` is, or made; `names` are those in its manifest."""

    child: str
    parent: str
    names: tuple[str, ...]
    trouble: str = ""


@dataclass(frozen=True)
class Ancestry:
    """Nodes by their id, that of the file that was asked for first; and what was made from what."""

    nodes: dict[str, Node] = field(default_factory=dict[str, Node])
    edges: list[Edge] = field(default_factory=list[Edge])

    def parents(self, node: str) -> list[Edge]:
        """What a node was made from."""
        return [edge for edge in self.edges if edge.child == node]

    def is_source(self, edge: Edge) -> bool:
        """Whether it leads to one of the many files that make the programs."""
        steps, parent = self.nodes[edge.child].facts, self.nodes[edge.parent]
        return steps.get("step") == "code" and parent.kind == "input" and edge.names != (LOCK,)


@dataclass(frozen=True)
class _Search:
    """One walk through the manifests; hashes what lies there once."""

    results: Results
    lineage: Ancestry = field(default_factory=Ancestry)
    hashed: dict[str, str | None] = field(default_factory=dict[str, "str | None"])

    def sha256(self, place: str) -> str | None:
        if place not in self.hashed:
            path = self.results.folder / place
            there = path.is_file() or path.is_dir()
            self.hashed[place] = sha256_tree(path) if there else None
        return self.hashed[place]

    def step(self, path: str) -> str:
        """Puts there the step of a manifest, and all that it came from; returns the node's id."""
        node = self.results.shown(path)
        if node in self.lineage.nodes:
            return node
        step = self.results.steps.get(path)
        if step is None:
            why = self.results.damaged.get(path, "missing")
            self.lineage.nodes[node] = Node(node, "step", {}, why)
            return node
        facts = {"step": step.name, **step.names, "manifest": step.value}
        self.lineage.nodes[node] = Node(node, "step", facts)
        joined: dict[str, tuple[list[str], list[str]]] = {}
        for name, resource in step.inputs.items():
            place = where(step, name)
            parent = self.outside(resource) if place is None else self.step(claimant(place))
            names, troubles = joined.setdefault(parent, ([], []))
            names.append(name)
            if place is not None and (now := self.sha256(place)) != digest(resource):
                what = against(now, digest(resource)) if now else "missing"
                shown = self.results.shown(place)
                troubles.append(f"{shown} is no longer what was used ({what})")
        for parent, (names, troubles) in joined.items():
            self.lineage.edges.append(Edge(node, parent, tuple(names), "; ".join(troubles)))
        return node

    def outside(self, resource: Mapping[str, Any]) -> str:
        """Puts there what came from outside; the same content under the same name once."""
        node = f"{resource['name']}@{digest(resource)}"
        self.lineage.nodes.setdefault(node, Node(node, "input", resource))
        return node


def ancestry(file: Path) -> Ancestry:
    """What a file, an output of any step or a manifest, came from.

    The first node is the file, or the step where it is a manifest; the ids of files and steps are
    their paths from the folder on that holds the results.

    Raises:
        UserError: there is no such file, no manifest claims it, or it is a damaged manifest.
    """
    if not file.is_file():
        raise UserError(
            f"Expected an output or a manifest at {file}. Received no file there. Name one of "
            "those below results/."
        )
    folders = file.absolute().parents
    folder = next((folder for folder in folders if (folder / CODE).exists()), folders[0])
    search, name = _Search(read(folder)), file.absolute().relative_to(folder).as_posix()
    results, lineage = search.results, search.lineage
    if name in results.damaged:
        raise UserError(results.damaged[name])
    if name in results.steps:
        search.step(name)
        return lineage
    makers = {path: sha256 for claimed, sha256, path in results.claims() if claimed == name}
    if not makers:
        raise UserError(
            f"Expected a file that a manifest claims. Received {file}, which none does that can be "
            "read. Name another, or see `./run check-files`."
        )
    node, sha256 = results.shown(name), sha256_file(file)
    trouble = "" if sha256 in makers.values() else f"was {next(iter(makers.values()))} when made"
    lineage.nodes[node] = Node(node, "file", {"sha256": sha256}, trouble)
    lineage.edges.extend(Edge(node, search.step(path), ()) for path in makers)
    return lineage
