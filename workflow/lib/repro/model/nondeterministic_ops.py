"""Operations at which TensorFlow's determinism ends, and what can be promised with them.

Synopsis:
    gap(op)            # ("tf.image.adjust_contrast", "On a CPU it is deterministic, …"), or None
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_FAKE_QUANT = "the gradient of tf.quantization.fake_quant_with_min_max_vars"
_FROZEN = "the gradient of tf.compat.v1.nn.fused_batch_norm with is_training=False"
# ASSUME: TensorFlow refuses on a GPU what it names in an error message of its library, and
# nothing else; tests/keras/test_limits.py reads these messages.
GAPS: Mapping[str, str] = {
    "AdjustContrast": "tf.image.adjust_contrast",
    "AdjustContrastv2": "tf.image.adjust_contrast",
    "Bincount": "tf.math.bincount",
    "CropAndResizeGradBoxes": "the gradient of tf.image.crop_and_resize",
    "CropAndResizeGradImage": "the gradient of tf.image.crop_and_resize",
    "DebugNumericSummaryV2": "tf.debugging.experimental.enable_dump_debug_info",
    "DenseBincount": "tf.math.bincount",
    "Dilation2DBackpropFilter": "the gradient of tf.nn.dilation2d",
    "Dilation2DBackpropInput": "the gradient of tf.nn.dilation2d",
    "FakeQuantWithMinMaxVarsGradient": _FAKE_QUANT,
    "FakeQuantWithMinMaxVarsPerChannelGradient": _FAKE_QUANT,
    "FusedBatchNormGrad": _FROZEN,
    "FusedBatchNormGradV2": _FROZEN,
    "FusedBatchNormGradV3": _FROZEN,
    "MaxPoolGradWithArgmax": "the gradient of tf.nn.max_pool_with_argmax",
    "ResizeNearestNeighborGrad": "the gradient of tf.image.resize with method nearest",
    "SoftmaxCrossEntropyWithLogits": "tf.raw_ops.SoftmaxCrossEntropyWithLogits",
    "SparseSoftmaxCrossEntropyWithLogits": "tf.raw_ops.SparseSoftmaxCrossEntropyWithLogits",
    "SparseTensorDenseMatMul": "tf.sparse.sparse_dense_matmul",
    "Svd": "tf.linalg.svd of matrices with one column",
}
"""What has no deterministic version for a GPU in TensorFlow 2.21, with the name that users know."""

_GAP = (
    "On a CPU it is deterministic, and every goal can be claimed. For a GPU TensorFlow has no "
    "deterministic version of it, and stops the training there."
)
_PYTHON = {
    "EagerPyFunc": "tf.py_function",
    "PyFunc": "tf.numpy_function",
    "PyFuncStateless": "tf.numpy_function",
}
_IN_PYTHON = (
    "TensorFlow's determinism ends at this Python code: `bitwise` can be claimed as far as it is "
    "deterministic by itself, which the repeat tests on this machine only."
)
_CUSTOM = (
    "It is no operation of TensorFlow's own, whose determinism ends there: `bitwise` can be "
    "claimed as far as the operation is deterministic by itself, which the repeat tests on this "
    "machine only."
)
COMPILED = (
    "XLA makes machine code for the processor or GPU that it finds: `bitwise` can be claimed for "
    "the same model of it only, for another claim `metrics`."
)


def _harmless(op: Any) -> bool:
    """Whether an operation of the table is used in a way that TensorFlow does not refuse."""
    kind: str = op.type
    if kind.startswith("FusedBatchNorm"):
        return bool(op.get_attr("is_training"))
    if kind == "DebugNumericSummaryV2":
        return op.get_attr("tensor_debug_mode") not in (3, 4)
    if kind == "Svd":
        shape = op.inputs[0].shape
        return shape.rank is not None and all((size or 1) > 1 for size in shape[-2:])
    return False


def gap(op: Any) -> tuple[str, str] | None:
    """What narrows the promises with a tf.Operation; None for most.

    Its name as users know it, and what can and cannot be promised.
    """
    import tensorflow as tf

    kind: str = op.type
    if kind in _PYTHON:
        return _PYTHON[kind], _IN_PYTHON
    if kind in GAPS:
        return None if _harmless(op) else (GAPS[kind], _GAP)
    if kind.endswith("PartitionedCall") and op.node_def.attr["_XlaMustCompile"].b:
        return "XLA", COMPILED
    # ASSUME: each operation of TensorFlow's own has its raw form; a leading line is the runtime's.
    if not kind.startswith("_") and not hasattr(tf.raw_ops, kind):
        return f"the custom operation {kind}", _CUSTOM
    return None
