"""First divergent op: the first operation that gave two runs other bits from the same inputs.

Synopsis:
    culprit(left, right)       # two values of detail.json -> Culprit or None
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Culprit:
    """Where one step of two runs diverges.

    `name` is the tensor's, or the path of a variable that already differed when the step began
    (`op` is then `Variable`). `file` and `line` are those of the user's code that made the
    operation or, failing that, its layer.
    """

    name: str
    op: str
    layer: str | None
    phase: str
    file: str | None
    line: int | None

    @property
    def reads_state(self) -> bool:
        """Whether it reads a variable, such as the state of a generator."""
        return self.op.startswith(("ReadVariable", "Rng", "Stateful"))


def culprit(left: Mapping[str, Any], right: Mapping[str, Any]) -> Culprit | None:
    """The first tensor whose digest differs while those of all its inputs agree.

    Of two detail.json of the same step. Where the two steps consist of other operations, the first
    one that only one of them has. None where no tensor differs, or none was recorded.
    """
    if not left["tensors"] or not right["tensors"]:
        return None
    others = {tensor["name"]: tensor["digest"] for tensor in right["tensors"]}
    tensors: Sequence[Mapping[str, Any]] = left["tensors"]
    differs = [others.get(tensor["name"]) != tensor["digest"] for tensor in tensors]
    for tensor, differing in zip(tensors, differs, strict=True):
        if differing and not any(differs[number] for number in tensor["inputs"]):
            return _placed(tensor, left["layers"])
    names = {tensor["name"] for tensor in tensors}
    added = (tensor for tensor in right["tensors"] if tensor["name"] not in names)
    return next((_placed(tensor, right["layers"]) for tensor in added), None)


def _placed(tensor: Mapping[str, Any], layers: Mapping[str, Any]) -> Culprit:
    """With the line at which the layer was made, where none of the user's made the operation."""
    place: Mapping[str, Any] = tensor
    around = (tensor["layer"] or "").split("/")
    if tensor["file"] is None:
        place = next((layers[name] for name in reversed(around) if name in layers), tensor)
    fields = {name: tensor[name] for name in ("name", "op", "layer", "phase")}
    return Culprit(**fields, file=place["file"], line=place["line"])
