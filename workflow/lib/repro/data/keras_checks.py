"""Keras checks: what Keras refuses of some models, losses and devices, refused of all.

Synopsis:
    check_fit(model, (x, y))          # of a model that is built
    predicts(model), validates(model, (x, y))

A Sequential model takes inputs that its `Input` does not declare (Keras looks at the number of axes
alone, and a layer at the axes that it needs); most losses broadcast labels over predictions; a GPU
makes NaN of a label that is no class, where a processor refuses it. Each of these trains to a wrong
result without a word. The exceptions say what Keras says where it does refuse, so `known_mistakes`
tells of both alike. Only what is surely wrong is refused: what has a `call`, a `train_step` or a
loss of the user's own may do with the data what it likes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

_BINARY = ("binary_crossentropy", "binary_focal_crossentropy")
_SPARSE = "sparse_categorical_crossentropy"
_ELEMENTWISE = (
    "mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error",
    "mean_squared_logarithmic_error", "huber", "log_cosh", "poisson", "hinge", "squared_hinge",
)  # fmt: skip
"""Losses that compare each label with its own prediction, and broadcast the one over the other."""


def check_fit(model: Any, data: Sequence[Any]) -> None:
    """Checks whether data are what a built model declares and its losses can take.

    Args:
        data: (x,), (x, y) or (x, y, sample_weight), each an array of examples or nested ones.

    Raises:
        ValueError: they surely are not.
    """
    x, y = (*data, None, None)[:2]
    if not _keras_own(model, "call"):
        return
    for symbol, array in _inputs(model, x):
        shape = (None, *array.shape[1:])
        if len(shape) == len(symbol.shape) and not _fits(symbol.shape[1:], shape[1:]):
            raise ValueError(
                f"Input 0 with name '{symbol.name}' of layer '{model.name}' is incompatible with "
                f"the layer: expected shape={(None, *symbol.shape[1:])}, found shape={shape}"
            )
    if y is not None and all(_keras_own(model, name) for name in ("train_step", "compute_loss")):
        for loss, labels, predicted in _losses(model, y):
            _check_labels(loss, labels, predicted)


def predicts(model: Any) -> bool:
    """Whether a model can be called on inputs, or predicts in a way of its own."""
    return any(_overridden(model, name) for name in ("call", "predict_step", "predict"))


def validates(model: Any, data: Sequence[Any]) -> bool:
    """Whether a built model has something to be evaluated by: a `test_step` of its own, or a loss.

    A model with a `train_step` of its own may have neither. The data are as for `check_fit`.
    """
    import keras
    import tensorflow as tf

    if any(_overridden(model, name) for name in ("test_step", "evaluate", "make_test_function")):
        return True
    if not predicts(model):
        return False
    if model.loss is not None or not _overridden(model, "train_step"):
        return True

    def batch(part: Any) -> Any:
        real = str(part.dtype).startswith("float")
        return tf.TensorSpec([None, *part.shape[1:]], keras.config.floatx() if real else part.dtype)

    try:  # a layer may add a loss, which shows when it is called
        signature = [tf.nest.map_structure(batch, tuple(data))]
        function = tf.function(model.test_step, input_signature=signature, autograph=False)
        function.get_concrete_function()
    except Exception as error:
        return "No loss to compute" not in str(error)
    return True


def _overridden(model: Any, method: str) -> bool:
    import keras

    return getattr(cast("Any", type(model)), method) is not getattr(keras.Model, method)


def _keras_own(model: Any, method: str) -> bool:
    """Whether a method is Keras' own; that of a model without declared inputs may be the user's."""
    if method == "call" and not getattr(model, "inputs", None):
        return True
    kind = cast("Any", type(model))
    return str(getattr(kind, method).__module__).startswith("keras.")


def _fits(declared: Sequence[int | None], shape: Sequence[int]) -> bool:
    return all(wanted in (None, size) for wanted, size in zip(declared, shape, strict=True))


def _inputs(model: Any, x: Any) -> Iterator[tuple[Any, Any]]:
    """Each declared input with the array that Keras feeds it; none where that is not clear."""
    import keras

    declared: list[Any] = getattr(model, "inputs", None) or []
    pairs: list[tuple[Any, Any]] = []
    struct = getattr(model, "input", None)
    if isinstance(x, Mapping):
        named = cast("Mapping[str, Any]", x)
        inputs: Mapping[str, Any] = (
            cast("Mapping[str, Any]", struct)
            if isinstance(struct, Mapping)
            else {symbol.name: symbol for symbol in declared}
        )
        pairs = [(symbol, named.get(name)) for name, symbol in inputs.items()]
    else:
        arrays: list[Any] = keras.tree.flatten(x)
        if len(arrays) == len(declared):
            pairs = list(zip(declared, arrays, strict=True))
    yield from (pair for pair in pairs if all(hasattr(each, "shape") for each in pair))


def _losses(model: Any, y: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Each loss with its labels and the symbol of its predictions; none where that is not clear."""
    outputs, loss = getattr(model, "outputs", None), model.loss
    if not outputs:
        return
    if isinstance(y, Mapping):
        names = cast("Sequence[str]", getattr(model, "output_names", ()))
        named = cast("Mapping[str, Any]", y)
        for name, predicted in zip(names, outputs, strict=False):
            if name in named:
                yield _of(loss, name), named[name], predicted
        return
    labels = cast("Sequence[Any]", y if isinstance(y, tuple) else (y,))
    if len(outputs) == len(labels) and all(hasattr(each, "shape") for each in labels):
        for place, pair in enumerate(zip(labels, outputs, strict=True)):
            yield _of(loss, place), *pair


def _of(loss: Any, place: str | int) -> Any:
    if isinstance(loss, Mapping):
        return cast("Mapping[Any, Any]", loss).get(place)
    if isinstance(loss, list | tuple):
        losses = cast("Sequence[Any]", loss)
        return losses[place] if isinstance(place, int) and place < len(losses) else None
    return loss


def _function(loss: Any) -> tuple[str, Mapping[str, Any]]:
    """The name of Keras' function that a loss is, and its options; empty for any other."""
    import keras

    found = keras.losses.get(loss) if isinstance(loss, str) else loss
    options = dict[str, Any]()
    if isinstance(found, keras.losses.Loss) and type(found).__module__.startswith("keras."):
        options, found = getattr(found, "_fn_kwargs", {}), getattr(found, "fn", None)
    name = str(getattr(found, "__name__", ""))
    return (name, options) if found is getattr(keras.losses, name, "") else ("", {})


def _check_labels(loss: Any, labels: Any, predicted: Any) -> None:
    name, options = _function(loss)
    kind = getattr(getattr(labels, "dtype", None), "kind", None)
    if kind not in tuple("biuf") or not labels.size:  # text is a tensor's, and Keras refuses it
        return
    if name == _SPARSE and (classes := predicted.shape[options.get("axis", -1)]):
        _check_classes(labels, classes, options.get("ignore_class"))
    elif name in _BINARY:
        odd = labels[(labels < 0) | (labels > 1)]
        if odd.size:
            raise ValueError(f"{name} received the label {odd.flat[0]}, outside of [0, 1]")
    elif name in _ELEMENTWISE and labels.ndim == len(predicted.shape):
        sizes = zip(labels.shape[1:], predicted.shape[1:], strict=True)
        if any(size > 1 and given == 1 for size, given in sizes):
            raise ValueError(
                "Arguments `target` and `output` must have the same shape. Received: "
                f"target.shape={(None, *labels.shape[1:])}, output.shape={predicted.shape}"
            )


def _check_classes(labels: Any, classes: int, ignored: int | None) -> None:
    odd = (labels < 0) | (labels >= classes)
    if ignored is not None:
        odd &= labels != ignored
    if odd.any():
        raise ValueError(
            f"Received a label value of {int(labels[odd].flat[0])} which is outside the valid "
            f"range of [0, {classes})"
        )
