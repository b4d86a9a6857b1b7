"""What the hook sees of the data that `fit` reads: the batches, and mistakes in their order."""

import importlib
import inspect
import os
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras.src.datasets as keras_datasets
import pytest
from lean_python import lean
from repro.divergence.first_divergence import first_divergence
from repro.divergence.recorded import WatchedProcess, read
from repro.hook.install import HookSettings, installed
from repro.ledger.watched_calls import watched_calls

HEAD = """
import keras, numpy as np, tensorflow as tf
keras.utils.set_random_seed(1)
x = np.random.default_rng(0).random((96, 6), np.float32)
y = (x.sum(1) > 3).astype("int32")
data = tf.data.Dataset.from_tensor_slices((x, y))
def model():
    made = keras.Sequential([keras.Input((6,)), keras.layers.Dense(2)])
    made.compile("sgd", "sparse_categorical_crossentropy")
    return made
"""


def ran(folder: Path, source: str, head: str = HEAD) -> Path:
    """The events of a script in a process of its own."""
    folder.mkdir()
    (folder / "train.py").write_text(head + source)
    events = folder / "events"
    settings = HookSettings((), "check", folder / "found", events=events)
    environment = {**lean(os.environ), "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment = installed(folder / "hook", settings, environment)
    command = [sys.executable, "train.py"]
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    assert not [note for note in (folder / "found").iterdir() if "left out" in note.read_text()]
    return events


def process(events: Path) -> WatchedProcess:
    (found,) = read(events)
    return found


UNSEEDED = """
order = np.random.default_rng().permutation(96)
model().fit(x[order], y[order], shuffle=False, batch_size=32, epochs=1, verbose=0)
"""


def test_another_order_of_examples_is_a_batch_that_differs(tmp_path: Path) -> None:
    found = first_divergence(*(ran(tmp_path / name, UNSEEDED) for name in "ab"))
    assert found is not None
    assert (found.step, found.what, found.model) == (1, "batch", "sequential")
    assert found.call is not None
    assert (found.call.source, found.call.file) == ("generator without a seed", "train.py")
    assert found.call.line == len(HEAD.splitlines()) + 2


MISTAKES = """
try: tf.config.experimental.enable_op_determinism(True)
except TypeError: pass
model().fit(x, y, epochs=2, batch_size=32, verbose=0)
model().fit(data.shuffle(96, seed=1).cache().batch(32), epochs=3, verbose=0)
# None of these is one: not shuffled, shuffled again, shuffled once as asked for, one batch.
model().fit(x, y, epochs=2, batch_size=32, verbose=0, shuffle=False)
model().fit(data.shuffle(96, seed=1).batch(32), epochs=2, verbose=0, validation_data=(x, y))
once = data.shuffle(96, seed=1, reshuffle_each_iteration=False)
model().fit(once.batch(32), epochs=2, verbose=0)
model().fit(x, y, epochs=2, batch_size=96, verbose=0)
"""


def test_mistakes_that_repeat_are_seen_in_one_run(tmp_path: Path) -> None:
    findings: list[Any] = [*process(ran(tmp_path / "a", MISTAKES)).findings]
    before = len(HEAD.splitlines())
    assert [(each["name"], each["file"], each["line"] - before) for each in findings] == [
        ("determinism asked for and off", "train.py", 2),
        ("one order for every epoch", "train.py", 4),
        ("one order for every epoch", "train.py", 5),
    ]


KINDS = """
model().fit(data.batch(32).repeat(), steps_per_epoch=2, epochs=2, verbose=0)
class Own(keras.utils.PyDataset):
    def __len__(self): return 3
    def __getitem__(self, n): return x[n * 32 : n * 32 + 32], y[n * 32 : n * 32 + 32]
model().fit(Own(), verbose=0)
model().fit(((x, y) for _ in range(2)), steps_per_epoch=2, verbose=0)
model().fit(x, y, sample_weight=np.ones(96), verbose=0, batch_size=32)
texts = tf.data.Dataset.from_tensor_slices((np.array([["a b"], ["c"]]), [0, 1])).batch(1)
layers = keras.layers
words = layers.TextVectorization(10, output_sequence_length=4)
words.adapt(["a b", "c"])
text = keras.Sequential([words, layers.Embedding(10, 4), layers.Flatten(), layers.Dense(2)])
text.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
text.fit(texts, verbose=0)
"""


STEPS_OF_KINDS = 4 + 3 + 2 + 3 + 2


SEEDED = """
def seen(n): return tf.cast(n, tf.float32)
keras.utils.set_random_seed(1)
seeded = data.shuffle(96)
keras.layers.Dense(2)
words = {"ant", "bee"}
print(list(words))
DETERMINISM
model().fit(data.map(lambda x, y: (x, y), num_parallel_calls=2).batch(32), epochs=1, verbose=0)
"""


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, WatchedProcess]:
    """With determinism on and off; in the latter, a training with every kind of data besides."""
    folder, setting = tmp_path_factory.mktemp("seeded"), "tf.config.experimental."
    lines = {"on": f"{setting}enable_op_determinism()", "off": ""}
    rest = {"on": "", "off": KINDS}
    return {
        name: process(ran(folder / name, SEEDED.replace("DETERMINISM", line) + rest[name]))
        for name, line in lines.items()
    }


def test_batches_of_every_kind_of_data_are_seen(seeded: dict[str, WatchedProcess]) -> None:
    before, both = ([each for each in seeded[name].moments if each.step] for name in ("on", "off"))
    assert len(both) == len(before) + STEPS_OF_KINDS
    assert all(each.batch for each in both)


def test_what_a_seed_or_determinism_settles_is_no_suspect(
    seeded: dict[str, WatchedProcess],
) -> None:
    before = len(HEAD.splitlines())
    for name, found in seeded.items():
        calls = {(*site[:2], site[3] - before) for each in found.moments for site in each.calls}
        assert found.deterministic == (name == "on")
        assert not [call for call in calls if call[1] == "tensorflow.data.Dataset.shuffle"]
        assert {
            ("seed that Keras draws", "random.randint", 5),
            ("order of a set of text", "list(words)", 7),
            ("threads", "tensorflow.data.Dataset.map", 9),
        } <= calls


WITHOUT_SEED = """
data.shuffle(96)
layers = keras.layers
made = keras.Sequential([layers.Dense(2)])
made.compile("sgd", "sparse_categorical_crossentropy")
made.fit(x, y, epochs=1, verbose=0)
"""


def test_without_any_seed_the_layer_is_named_for_other_initial_values(tmp_path: Path) -> None:
    head = HEAD.replace("keras.utils.set_random_seed(1)", "")
    for name in "ab":
        ran(tmp_path / name, WITHOUT_SEED, head)
    found = first_divergence(*(tmp_path / name / "events" for name in "ab"))
    assert found is not None
    assert found.what == "initial value"
    assert found.call is not None
    assert found.call.source == "seed that Keras draws"
    assert found.call.line == len(head.splitlines()) + 4
    calls = {site[1] for moment in process(tmp_path / "a/events").moments for site in moment.calls}
    assert "tensorflow.data.Dataset.shuffle" in calls


RESET = """
class Shuffled(keras.utils.PyDataset):
    def __init__(self, rng=None):
        super().__init__()
        self.rng = rng
        self.on_epoch_end()
    def __len__(self): return 3
    def __getitem__(self, n):
        rows = self.order[n * 32 : n * 32 + 32]
        return x[rows], y[rows]
    def on_epoch_end(self):
        rng = self.rng or np.random.default_rng(7)
        self.order = rng.permutation(96)
model().fit(Shuffled(), epochs=4, verbose=0)
def loop(draw):
    made, sgd = model(), keras.optimizers.SGD()
    loss = keras.losses.SparseCategoricalCrossentropy()
    @tf.function
    def step(xs, ys):
        with tf.GradientTape() as tape:
            value = loss(ys, made(xs))
        sgd.apply(tape.gradient(value, made.trainable_variables), made.trainable_variables)
    for epoch in range(5):
        order = draw(epoch)
        for n in range(0, 96, 32):
            step(tf.constant(x[order[n:n+32]]), tf.constant(y[order[n:n+32]]))
def again(epoch):
    np.random.seed(7)
    return np.random.permutation(96)
loop(again)
# None of these is one: seeded once, by the epoch too, for each fold, for samples that are shown,
# for data that are made, and for data of validation.
model().fit(Shuffled(np.random.default_rng(7)), epochs=4, verbose=0)
once = np.random.default_rng(7)
loop(lambda epoch: once.permutation(96))
loop(lambda epoch: np.random.default_rng([7, epoch]).permutation(96))
loop(lambda epoch: np.random.default_rng(np.random.SeedSequence([7, epoch])).permutation(96))
for fold in range(3):
    keras.utils.set_random_seed(7)
    folded = np.random.permutation(96)
    model().fit(x[folded], y[folded], shuffle=False, epochs=4, verbose=0)
shown = keras.callbacks.LambdaCallback(
    on_epoch_end=lambda *_: np.random.default_rng(7).normal(size=3))
model().fit(x, y, shuffle=False, epochs=4, verbose=0, callbacks=[shown])
def made():
    rng = np.random.default_rng(7)
    for _ in range(64): yield rng.random(6, np.float32), 1
like = tf.TensorSpec([6]), tf.TensorSpec([], tf.int64)
drawn = tf.data.Dataset.from_generator(made, output_signature=like).batch(32)
model().fit(drawn, epochs=3, verbose=0)
model().fit(x, y, shuffle=False, validation_data=drawn, epochs=3, verbose=0)
@tf.function
def compiled():
    if tf.constant(True):
        return tf.random.normal([2])
    return tf.zeros([2])
compiled()
"""


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> WatchedProcess:
    """Several trainings of one process."""
    return process(ran(tmp_path_factory.mktemp("several") / "a", RESET))


def test_a_generator_that_is_reset_is_seen_and_its_clean_twins_are_not(
    several: WatchedProcess,
) -> None:
    before = len(HEAD.splitlines())
    assert [(each["name"], each["line"] - before) for each in several.findings] == [
        ("generator reset in every epoch", 12),
        ("generator reset in every epoch", 28),
    ]


def test_a_draw_in_a_compiled_function_has_its_line_in_the_script(several: WatchedProcess) -> None:
    line = len((HEAD + RESET).splitlines()) - 2
    assert ("random numbers", "tensorflow.random.normal", "train.py", line) in several.last_calls


def test_data_that_keras_compares_with_a_hash_are_no_suspect() -> None:
    suspects = {watched.call for watched in watched_calls()}
    for info in pkgutil.iter_modules(keras_datasets.__path__):
        module = importlib.import_module(f"keras.src.datasets.{info.name}")
        if hasattr(module, "load_data"):
            source = inspect.getsource(module)
            hashed = source.count("get_file(") == source.count("file_hash=")
            assert hashed != (f"keras.datasets.{info.name}.load_data" in suspects), info.name
