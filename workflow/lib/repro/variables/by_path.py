"""By path: a model's variables by path, their bytes and digests.

Synopsis:
    save(model, path)                  # weights.safetensors, the same bytes in every process
    load(model, path)
    states(model).digests()            # sha256 of weights, optimizer and seed states
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import numpy as np
import numpy.typing as npt

from repro.core.atomic import write_bytes
from repro.core.digest import sha256_bytes
from repro.core.errors import UserError

_SEED = "seed_generator_state"


class Variable(Protocol):
    """A Keras variable, as far as it is used here; Keras itself has no types."""

    path: str
    name: str
    dtype: str
    shape: tuple[int | None, ...]
    value: Any

    def numpy(self) -> npt.NDArray[Any]:
        """Its value."""
        ...

    def assign(self, value: Any) -> Any:
        """Sets its value."""
        ...


class Optimizer(Protocol):
    """A Keras optimizer, as far as it is used here."""

    variables: Sequence[Variable]
    learning_rate: Any


_Variable = TypeVar("_Variable", bound=Variable)


def by_path(variables: Iterable[_Variable]) -> dict[str, _Variable]:
    """Variables by their path, in the model's order; a path that occurs again gets `#2`, …."""
    named: dict[str, _Variable] = {}
    seen: dict[str, int] = {}
    for variable in variables:
        path = str(variable.path)
        seen[path] = seen.get(path, 0) + 1
        named[path if seen[path] == 1 else f"{path}#{seen[path]}"] = variable
    return named


def owners(layer: Any, around: tuple[str, ...] = ()) -> dict[int, str | None]:
    """The innermost layer that each variable belongs to.

    Paths do not tell: that of a seed generator begins with its own name, and only some models put
    theirs in front.

    Args:
        around: the names of the layers that it lies in, from the outside.

    Returns:
        By the id of a variable, the names of its layers from the outside, joined by `/`; None
        for what is the model's own.
    """
    layers = {id(variable): "/".join(around) or None for variable in layer.variables}
    for inner in layer._layers:
        layers |= owners(inner, (*around, inner.name))
    return layers


def _seed_states(model: Any) -> dict[str, Variable]:
    """The states of the model's random generators, by the names of their layers and their path."""
    seeds, of = by_path(v for v in model.variables if v.name == _SEED), owners(model)
    return {"/".join(filter(None, (of[id(v)], path))): v for path, v in seeds.items()}


def optimizers(model: Any) -> dict[str, Optimizer]:
    """The model's optimizers by attribute, the compiled one or several of the user's own."""
    import keras

    attributes = cast("dict[str, Any]", vars(model))
    kind = keras.optimizers.Optimizer
    return {name: value for name, value in sorted(attributes.items()) if isinstance(value, kind)}


def _array(variable: Variable) -> npt.NDArray[Any]:
    return np.asarray(variable.numpy(), order="C")


def _digests(named: Mapping[str, Variable]) -> dict[str, str]:
    return {path: sha256_bytes(_array(variable).tobytes()) for path, variable in named.items()}


@dataclass(frozen=True)
class States:
    """A model's variables by path: weights, optimizer, seed states."""

    weights: Mapping[str, Variable]
    optimizer: Mapping[str, Variable]
    seeds: Mapping[str, Variable]

    def digests(self) -> dict[str, dict[str, str]]:
        """The sha256 of every variable's bytes, by group and path."""
        return {
            "weights": _digests(self.weights),
            "optimizer": _digests(self.optimizer),
            "seeds": _digests(self.seeds),
        }


def states(model: Any) -> States:
    """The variables that decide how training goes on, in three groups; metrics are left out."""
    stepping = [v for optimizer in optimizers(model).values() for v in optimizer.variables]
    return States(
        weights=by_path(model.weights),
        optimizer=by_path(stepping),
        seeds=_seed_states(model),
    )


def save(model: Any, path: Path) -> None:
    """Writes the model's weights as safetensors, keys by variable path."""
    from safetensors.numpy import save as serialised

    write_bytes(path, serialised({p: _array(v) for p, v in by_path(model.weights).items()}))


def read(path: Path) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a safetensors file, by name; needs no TensorFlow."""
    import safetensors.numpy as library

    untyped: Any = library
    return untyped.load_file(path)


def load(model: Any, path: Path) -> None:
    """Reads what `save` wrote into a built model, made by the same code as the saved one.

    Raises:
        UserError: the model's variables are others than the file's, or have other shapes.
    """
    saved, variables = read(path), by_path(model.weights)
    if odd := sorted(set(saved) ^ set(variables)):
        raise UserError(
            f"Expected the model to have the variables of {path.name}. Received a difference at "
            f"{odd[0]!r}. Let `model` depend on settings and seeds alone."
        )
    for name, variable in variables.items():
        if saved[name].shape != tuple(variable.shape):
            raise UserError(
                f"Expected {name!r} of {path.name} to have the shape of the model's, "
                f"{tuple(variable.shape)}. Received {saved[name].shape}. Let `model` depend on "
                "settings and seeds alone."
            )
        variable.assign(saved[name])
