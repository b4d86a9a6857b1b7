"""Limits: what narrows the promises is recognised before training, and looking changes no bit."""

import ctypes
import mmap
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import experiments as e
import numpy as np
import pytest
from lean_python import lean
from repro.core.errors import UserError
from repro.core.seeding import Seeds
from repro.data.user_code import Code
from repro.model import training
from repro.model.determinism_caveats import Limit, of_graph, of_model
from repro.model.nondeterministic_ops import GAPS

ROOT = Path(__file__).parents[2]
HERE = Path(__file__)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return e.prepared(tmp_path_factory.mktemp("table") / "data", split=e.NO_VALIDATION)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return e.prepared(tmp_path_factory.mktemp("images") / "data", e.images, e.NO_VALIDATION)


@pytest.fixture
def tf() -> Iterator[Any]:
    """TensorFlow and Keras, with all that a test may set put back."""
    import keras
    import tensorflow

    yield tensorflow
    tensorflow.config.experimental.enable_tensor_float_32_execution(False)
    tensorflow.config.optimizer.set_jit(False)
    keras.distribution.set_distribution(None)


def sequence(*between: Callable[[], Any], **options: Any) -> Callable[..., Any]:
    """A `model` with some layers, for images."""

    def model(_settings: Any, _seeds: Any) -> Any:
        import keras

        made = [layer() for layer in between]
        inner = [keras.Input((6, 6, 1)), *made, keras.layers.Flatten(), *e.layers()]
        few = {"optimizer": keras.optimizers.SGD(0.01), "metrics": None}
        return e.compiled(keras.Sequential(inner), **few, **options)

    return model


def layer(kind: str, /, *arguments: Any, **named: Any) -> Callable[[], Any]:
    def make() -> Any:
        import keras

        return getattr(keras.layers, kind)(*arguments, **named)

    return make


def experiment(**functions: Any) -> Code:
    """An experiment whose `augment`, if any, is in this file."""
    path = HERE if "augment" in functions else HERE.with_name("no such file")
    return Code(e.code(**{"model": sequence(), **functions}).module, path)


def contrast(x: Any, y: Any, seed: Any) -> Any:
    import tensorflow as tf

    return tf.image.adjust_contrast(x, 2.0), y


def in_python(x: Any, y: Any, seed: Any) -> Any:
    import tensorflow as tf

    return tf.ensure_shape(tf.py_function(lambda a: a * 1, [x], tf.float32), x.shape), y


def in_numpy(x: Any, y: Any, seed: Any) -> Any:
    import tensorflow as tf

    def conditional() -> Any:
        return tf.ensure_shape(tf.numpy_function(lambda a: a, [x], tf.float32), x.shape)

    return tf.cond(tf.reduce_sum(x) > 0, conditional, conditional), y


def compiled_by_xla() -> Any:
    import keras
    import tensorflow as tf

    doubled = tf.function(lambda x: 2 * x, jit_compile=True)
    return keras.layers.Lambda(doubled)


MODELS: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "a gap in augment": (
        {"augment": contrast}, "tf.image.adjust_contrast", "test_limits.py, line ",
        "For a GPU TensorFlow has no deterministic version",
    ),
    "a gap in a gradient": (
        {"model": sequence(layer("Conv2D", 1, 1), layer("Resizing", 3, 3, "nearest"))},
        "the gradient of tf.image.resize with method nearest", "gradient_tape/", "On a CPU",
    ),
    "Python": (
        {"augment": in_python}, "tf.py_function", "test_limits.py, line ", "ends at this Python",
    ),
    "NumPy within a condition": (
        {"augment": in_numpy}, "tf.numpy_function", "test_limits.py, line ", "ends at this Python",
    ),
    "XLA asked for": (
        {"model": sequence(jit_compile=True)}, "XLA", "compile(jit_compile=True)", "XLA stays off",
    ),
    "XLA in a layer": (
        {"model": sequence(compiled_by_xla)}, "XLA", "", "the same model of it only",
    ),
    "16 bits": (
        {"model": sequence(layer("Conv2D", 1, 1, dtype="mixed_bfloat16", name="short"))},
        "mixed precision", "short (mixed_bfloat16)", "for another claim `metrics`",
    ),
    "eager": (
        {"model": sequence(run_eagerly=True)}, "no graph", "runs eagerly", "were not looked at",
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_a_limit_is_told_once_before_training_and_kept(
    name: str, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    functions, what, where, promise = MODELS[name]
    limits = e.trained(experiment(**functions), images, tmp_path, epochs=1).limits
    assert [(limit.name, where in limit.where) for limit in limits] == [(what, True)]
    assert promise in limits[0].promise
    lines = [line for line in capsys.readouterr().out.splitlines() if "limit" in line]
    assert lines == [f"A limit: {limits[0]}"]


def test_the_line_that_is_named_is_the_users(images: Path, tmp_path: Path) -> None:
    (limit,) = e.trained(experiment(augment=contrast), images, tmp_path, epochs=1).limits
    number = int(limit.where.removeprefix("test_limits.py, line "))
    assert "tf.image.adjust_contrast(x" in HERE.read_text().splitlines()[number - 1]


def test_a_fit_that_traces_no_step_is_told(table: Path, tmp_path: Path) -> None:
    def model(settings: Any, seeds: Any) -> Any:
        import keras

        class Own(keras.Sequential):
            def fit(self, *_arguments: Any, callbacks: Any, **_named: Any) -> None:
                callbacks.on_train_begin()
                callbacks.on_epoch_begin(0)
                callbacks.on_epoch_end(0, {})

        return e.compiled(Own([keras.Input((6,)), *e.layers()]))

    (limit,) = e.trained(e.code(model=model), table, tmp_path, epochs=1).limits
    assert (limit.name, limit.where) == ("no graph", "the model's own `fit`")


@pytest.mark.slow
@pytest.mark.parametrize("loop", ["graph", "fit"])
def test_looking_changes_no_bit_even_where_tracing_draws(
    loop: str, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each trace of this step would draw another number, and leave the generators elsewhere."""

    def drawing() -> Any:
        import keras

        return keras.layers.Lambda(lambda x: x + np.random.normal(scale=0.1))

    class Blind:
        def __init__(self, *_arguments: Any) -> None:
            pass

        def found(self) -> list[Any]:
            return []

    code = experiment(model=sequence(drawing, layer("Dropout", 0.2)), augment=contrast)
    seen = e.trained(code, images, tmp_path / "seen", loop=loop)
    monkeypatch.setattr(training, "Limits", Blind)
    unseen = e.trained(code, images, tmp_path / "unseen", loop=loop)
    assert len(seen.limits) == 1
    assert list(unseen.limits) == []
    assert e.contents(tmp_path / "seen") == e.contents(tmp_path / "unseen")


def test_a_lambda_of_tensorflows_own_operations_is_no_limit(images: Path, tmp_path: Path) -> None:
    def recurrent() -> Any:
        import keras
        import tensorflow as tf

        return keras.layers.Lambda(lambda x: tf.map_fn(lambda row: tf.sort(row, 0), x))

    model = sequence(recurrent, layer("UpSampling2D"), layer("RandomContrast", 0.2, seed=1))
    assert list(e.trained(e.code(model=model), images, tmp_path).limits) == []


def small() -> Any:
    return e.mlp({}, Seeds(0))


def test_what_the_code_sets_anew_is_told(tf: Any) -> None:
    assert of_model(small()) == []
    tf.config.experimental.enable_tensor_float_32_execution(True)
    tf.config.optimizer.set_jit(True)
    found = {limit.name: limit.where for limit in of_model(small())}
    assert found == {
        "XLA": "tf.config.optimizer.set_jit",
        "TensorFloat-32": "tf.config.experimental.enable_tensor_float_32_execution",
    }


def test_more_devices_than_are_used_are_told(tf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    devices = [SimpleNamespace(device_type=kind) for kind in ("CPU", "GPU", "GPU", "GPU", "GPU")]
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda *_: devices)
    (limit,) = of_model(small())
    assert (limit.name, limit.where) == ("several devices of type GPU", "4 are visible")
    assert "Only the first is used" in limit.promise


@pytest.mark.slow
def test_a_distribution_of_keras_does_nothing_and_is_told(
    tf: Any, table: Path, tmp_path: Path
) -> None:
    def spread(settings: Any, seeds: Any) -> Any:
        import keras

        keras.distribution.set_distribution(keras.distribution.DataParallel())
        return e.mlp(settings, seeds)

    e.trained(e.code(), table, tmp_path / "one")
    (limit,) = e.trained(e.code(model=spread), table, tmp_path / "spread").limits
    assert (limit.name, limit.where) == ("keras.distribution", "DataParallel")
    assert e.contents(tmp_path / "one") == e.contents(tmp_path / "spread")


def test_a_cluster_is_refused_before_the_model_is_made(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def model(_settings: Any, _seeds: Any) -> Any:
        raise AssertionError("never called")

    monkeypatch.setenv("TF_CONFIG", '{"cluster": {"worker": ["a:1", "b:1"]}}')
    with pytest.raises(UserError, match=r"training in one process\. Received TF_CONFIG.*Leave it"):
        e.trained(e.code(model=model), table, tmp_path)


STRATEGIES = """
import socket, sys
sys.path[:0] = [{library!r}, {here!r}]
import tensorflow as tf
import experiments as e
from repro.core.errors import UserError
from repro.data.user_code import Code
from repro.core.seeding import Seeds
from repro.model.training import made

two = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], two)


def servers():
    with socket.socket() as one, socket.socket() as other:
        one.bind(("localhost", 0)), other.bind(("localhost", 0))
        ports = one.getsockname()[1], other.getsockname()[1]
    cluster = {{"worker": [f"localhost:{{ports[0]}}"], "ps": [f"localhost:{{ports[1]}}"]}}
    kept = [tf.distribute.Server(cluster, job_name=job, task_index=0) for job in cluster]
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec(cluster), rpc_layer="grpc"
    )
    return kept, tf.distribute.ParameterServerStrategy(resolver)


def tried(strategy):
    def model(settings, seeds):
        with strategy.scope():
            return e.mlp(settings, seeds)

    try:
        made(e.code(model=model), {{}}, Seeds(0), None)
    except UserError as error:
        print(error)


d = tf.distribute
tried(d.get_strategy())
for strategy in (
    d.MirroredStrategy(["CPU:0"]), d.MirroredStrategy(["CPU:0", "CPU:1"]),
    d.OneDeviceStrategy("CPU:0"), d.MultiWorkerMirroredStrategy(),
):
    tried(strategy)
kept, strategy = servers()
tried(strategy)
sys.stdout.flush()
import os
os._exit(0)  # the servers have no end
"""


@pytest.mark.slow
def test_every_strategy_is_refused_with_a_sentence() -> None:
    library = str(ROOT / "workflow" / "lib")
    script = STRATEGIES.format(library=library, here=str(HERE.parent))
    done = subprocess.run(
        [sys.executable, "-B", "-c", script],
        env=lean(os.environ), capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    names = [line.split("made under ")[1].split(".")[0] for line in lines]
    assert names == [
        "MirroredStrategy", "MirroredStrategy", "OneDeviceStrategy", "CollectiveAllReduceStrategy",
        "ParameterServerStrategyV2",
    ], done.stderr  # fmt: skip
    assert all("Make it outside `strategy.scope()`" in line for line in lines)


def _own_operation(name: str) -> None:
    """Registers an operation as a library of a user's own does, by TensorFlow's C interface."""
    import tensorflow as tf

    file = next(Path(tf.__file__).parent.glob("libtensorflow_cc.*"))
    library = ctypes.CDLL(str(file))
    pointer, text = ctypes.c_void_p, ctypes.c_char_p
    library.TF_NewOpDefinitionBuilder.restype = library.TF_NewStatus.restype = pointer
    builder = pointer(library.TF_NewOpDefinitionBuilder(name.encode()))
    for add, spec in (("Input", b"x: float"), ("Output", b"y: float")):
        function = getattr(library, f"TF_OpDefinitionBuilderAdd{add}")
        function.argtypes = [pointer, text]
        function(builder, spec)
    unknown = library.TF_ShapeInferenceContextSetUnknownShape
    library.TF_OpDefinitionBuilderSetShapeInferenceFunction(builder, unknown)
    library.TF_RegisterOpDefinition(builder, pointer(library.TF_NewStatus()))


def test_an_operation_that_is_not_tensorflows_own_is_told() -> None:
    import tensorflow as tf
    from tensorflow.python.framework import op_def_library

    _own_operation("OfAUsersOwn")
    with tf.Graph().as_default() as graph:
        op_def_library.apply_op("OfAUsersOwn", x=tf.constant(1.0))
    (limit,) = of_graph(graph, HERE)
    assert limit.name == "the custom operation OfAUsersOwn"
    line = int(limit.where.removeprefix("test_limits.py, line "))
    assert "apply_op" in HERE.read_text().splitlines()[line - 1]


def test_what_a_gap_does_not_concern_is_no_limit() -> None:
    import tensorflow as tf

    def normalised(x: Any, training: bool) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            one = tf.ones([2])
            y = tf.compat.v1.nn.fused_batch_norm(x, one, one, one, one, is_training=training)[0]
        return tape.gradient(y, x)

    def names(function: Any, *arguments: Any) -> list[str]:
        with tf.Graph().as_default() as graph:
            function(tf.zeros([2, 3, 3, 2]), *arguments)
        return [limit.name.split()[-1] for limit in of_graph(graph, HERE)]

    assert names(normalised, True) == []
    assert names(normalised, False) == ["is_training=False"]
    assert names(lambda x: tf.linalg.svd(x[0])) == []
    assert names(lambda x: tf.linalg.svd(x[0, :, :, :1])) == ["column"]


def test_many_places_are_shortened(tmp_path: Path) -> None:
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        for number in range(5):
            tf.math.bincount(tf.constant([1]), name=f"count{number}")
    (limit,) = of_graph(graph, tmp_path)
    assert limit.name == "tf.math.bincount"
    assert limit.where.count("DenseBincount") == 3
    assert limit.where.endswith(" and 2 more")


REFUSED = {
    "AdjustContrast is": {"AdjustContrast"},
    "AdjustContrastv2": {"AdjustContrastv2"},
    "DepthwiseConvBackpropFilter": set(),  # this version is built with a later cuDNN
    "ResizeNearestNeighborGrad": {"ResizeNearestNeighborGrad"},
    "SparseTensorDenseMatmulOp": {"SparseTensorDenseMatMul"},
    "fused batch-norm backprop, when training is disabled": {
        "FusedBatchNormGrad", "FusedBatchNormGradV2", "FusedBatchNormGradV3",
    },
    "DebugNumericSummaryV2": {"DebugNumericSummaryV2"},
    "Dilation2DBackpropFilter": {"Dilation2DBackpropFilter"},
    "Dilation2DBackpropInput": {"Dilation2DBackpropInput"},
    "MaxPoolGradWithArgmax": {"MaxPoolGradWithArgmax"},
    "SVD of matrices with 1 column": {"Svd"},
    "of Bincount": {"Bincount"},
    "of DenseBincount": {"DenseBincount"},
    "FakeQuantWithMinMaxVarsGradient": {"FakeQuantWithMinMaxVarsGradient"},
    "FakeQuantWithMinMaxVarsPerChannelGradient": {"FakeQuantWithMinMaxVarsPerChannelGradient"},
    "Scatter ops with ref inputs": set(),  # of TensorFlow 1
    "CropAndResizeBackpropBoxes": {"CropAndResizeGradBoxes"},
    "CropAndResizeBackpropImage": {"CropAndResizeGradImage"},
    "segment reduction op": set(),  # only where determinism is off, or on Windows
    "of SoftmaxCrossEntropyWithLogits": {"SoftmaxCrossEntropyWithLogits"},
    "of SparseSoftmaxCrossEntropyWithLogits": {"SparseSoftmaxCrossEntropyWithLogits"},
}  # fmt: skip
"""What TensorFlow's messages name, and the operations that it stands for."""


def _messages() -> set[str]:
    """What TensorFlow's library says of determinism on a GPU."""
    import tensorflow as tf

    path = next(Path(tf.__file__).parent.glob("libtensorflow_cc.*"))
    found = set[str]()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        at = content.find(b"eterminis")
        while at >= 0:
            start, end = content.rfind(b"\0", 0, at) + 1, content.find(b"\0", at)
            text = content[start:end] if end - start < 600 else b""
            if text.isascii() and any(
                words in text
                for words in (b"A deterministic GPU", b"not yet supported", b"Deterministic GPU",
                              b"is not deterministic")
            ):  # fmt: skip
                found.add(text.decode())
            at = content.find(b"eterminis", at + 1)
    return found


@pytest.mark.slow
def test_the_table_is_what_this_version_of_tensorflow_refuses() -> None:
    import tensorflow as tf

    messages = _messages()
    unnamed = [text for text in messages if not any(words in text for words in REFUSED)]
    assert unnamed == []
    assert [words for words in REFUSED if not any(words in text for text in messages)] == []
    assert set(GAPS) == set.union(*REFUSED.values())
    assert [name for name in GAPS if not hasattr(tf.raw_ops, name)] == []


def test_a_limit_reads_as_one_line() -> None:
    assert str(Limit("XLA", "model.py, line 3", "Hm.")) == "XLA (model.py, line 3): Hm."
