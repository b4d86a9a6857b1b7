"""All that decides how a training goes on: variables, and generators of random numbers.

Synopsis:
    variables = Variables(model)
    arrays = variables.arrays()        # of every variable by name
    variables.put_back(arrays)
    states = generators()              # Python's, NumPy's, TensorFlow's and Keras' own
    put_generators_back(states)
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any, TypedDict, cast

import numpy as np
import numpy.typing as npt

from repro.variables.by_path import Variable, by_path, optimizers

Array = npt.NDArray[Any]
_FOUND = "found/"


class Different(Exception):
    """What was kept does not belong to this model; its text is the reason, a few words long."""


def _own(model: Any) -> dict[str, Variable]:
    """Every variable that the model knows of, its metrics and optimizers among them, by name."""
    several: list[Variable] = [
        *model.variables,
        *model.metrics_variables,
        *(v for optimizer in optimizers(model).values() for v in optimizer.variables),
    ]
    return by_path({id(variable): variable for variable in several}.values())


def is_variable(handle: Any) -> bool:
    """Whether a resource that a graph uses is a variable, and no table or queue."""
    return bool(handle.dtype.name == "resource" and _layout(handle))


def _layout(handle: Any) -> Any:
    data = getattr(handle, "_handle_data", None)
    return data.shape_and_type if data is not None and data.is_set else None


def _read(handle: Any) -> Array:
    import tensorflow as tf

    kind = tf.dtypes.as_dtype(_layout(handle)[0].dtype)
    return tf.raw_ops.ReadVariableOp(resource=handle, dtype=kind).numpy()


class Variables:
    """The variables of a training, of a built, compiled keras.Model."""

    def __init__(self, model: Any) -> None:
        self._model, self._named = model, _own(model)
        self._early: dict[str, Variable] = {}
        self._found: list[Any] = []

    def find(self, handles: Iterable[Any], but: Iterable[Any]) -> None:
        """Takes in variables that came to be while the step was traced, or that only it knows of.

        The former are those of optimizers that Keras does not build beforehand, the latter those of
        a tf.random.Generator, say. `handles` are the resources that the graph uses, in its order;
        the variables `but` need not be kept.
        """
        self._early, self._named = self._named, _own(self._model)
        known = {id(variable.value.handle) for variable in self._named.values()}
        known |= {id(variable.handle) for variable in but}
        self._found = [h for h in handles if is_variable(h) and id(h) not in known]

    def knows(self, handle: Any) -> bool:
        """Whether the variable of this handle is among them."""
        handles = [variable.value.handle for variable in self._named.values()]
        return any(handle is known for known in (*handles, *self._found))

    def changed(self) -> bool:
        """Whether the model has other variables now, as after it was compiled again."""
        now = _own(self._model)
        return list(map(id, now.values())) != list(map(id, self._named.values()))

    def arrays(self) -> dict[str, Array]:
        """The value of each variable, by name."""
        named = {name: np.asarray(v.numpy(), order="C") for name, v in self._named.items()}
        captured = {f"{_FOUND}{number}": _read(h) for number, h in enumerate(self._found)}
        return {**named, **captured}

    def put_back(self, arrays: Mapping[str, Array]) -> None:
        """Gives each variable that is there the value that was kept.

        Raises:
            Different: the model has other variables.
        """
        for name, variable in self._named.items():
            _assign(variable, name, arrays)

    def put_found_back(self, arrays: Mapping[str, Array]) -> None:
        """The same for those that `find` took in; callbacks may have changed the others since."""
        import tensorflow as tf

        names = {name for name in arrays if not name.startswith(_FOUND)}
        if odd := sorted(names ^ set(self._named)):
            raise Different(f"the variable {odd[0]} is not in both")
        early = {id(variable): name for name, variable in self._early.items()}
        for name, variable in self._named.items():
            if early.get(id(variable), name) != name:
                raise Different(f"the variable {name} had another name")
            if id(variable) not in early:
                _assign(variable, name, arrays)
        captured = {name: array for name, array in arrays.items() if name.startswith(_FOUND)}
        if len(captured) != len(self._found):
            raise Different("the training step uses other variables")
        for number, handle in enumerate(self._found):
            value = tf.constant(captured[f"{_FOUND}{number}"])
            tf.raw_ops.AssignVariableOp(resource=handle, value=value)


def _assign(variable: Variable, name: str, arrays: Mapping[str, Array]) -> None:
    value = arrays.get(name)
    if value is None:
        raise Different(f"the variable {name} is not in both")
    if (value.shape, value.dtype) != (tuple(variable.shape), variable.numpy().dtype):
        raise Different(f"the variable {name} has another shape or type")
    variable.assign(value)


def _modules() -> tuple[Any, Any, Any]:
    """Where TensorFlow and Keras keep generators of which they have no public word."""
    eager = import_module("tensorflow.python.eager.context")
    stateful = import_module("tensorflow.python.ops.stateful_random_ops")
    keras_state = import_module("keras.src.backend.common.global_state")
    return eager, stateful, keras_state


_KERAS = "global_seed_generator"


def drawing() -> Any:
    """The states of Python's and NumPy's own generators, to be compared."""
    kind, keys, *rest = cast("tuple[Any, ...]", np.random.get_state(legacy=True))
    return random.getstate(), kind, np.asarray(keys).tobytes(), rest


Generators = TypedDict(
    "Generators",
    {
        "python": Any,
        "numpy": Any,
        "tensorflow": Any,
        "tensorflow, shared": tuple[Array, int] | None,
        "keras": Array | None,
    },
)
"""The states of all generators that a process shares; None for one that nothing has used."""


def generators() -> Generators:
    """The states of all generators of a process: Python's, NumPy's, TensorFlow's and Keras'."""
    eager, stateful, keras_state = _modules()
    eager_generator, shared = eager.context()._rng, stateful.global_generator
    keras_own = keras_state.get_global_attribute(_KERAS)
    return {
        "python": random.getstate(),
        "numpy": np.random.get_state(),
        "tensorflow": eager_generator.getstate() if eager_generator else None,
        "tensorflow, shared": shared and (shared.state.numpy(), int(shared.algorithm)),
        "keras": keras_own and keras_own.state.numpy(),
    }


def put_generators_back(states: Generators) -> None:
    """Sets all generators that a process shares to states that were kept."""
    import tensorflow as tf

    eager, stateful, _ = _modules()
    if states["keras"] is not None:
        keras_generator = import_module("keras.src.random.seed_generator").global_seed_generator()
        keras_generator.state.assign(states["keras"])
    if (shared := states["tensorflow, shared"]) is not None:
        if stateful.global_generator is None:
            tf.random.set_global_generator(tf.random.Generator.from_state(*shared))
        cast("Any", stateful.global_generator).state.assign(shared[0])
    if (eager_state := states["tensorflow"]) is not None:
        eager.context()._rng.setstate(eager_state)
    # Last: what stands above may have drawn from them.
    random.setstate(states["python"])
    np.random.set_state(states["numpy"])
