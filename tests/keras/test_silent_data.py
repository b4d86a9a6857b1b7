"""Silent errors in the data of a training that the hook sees in one run, and their clean twins."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_hooked_data import HEAD, process, ran

SEED = "keras.utils.set_random_seed(1)\n"
Found = Callable[[str], list[tuple[str, int]]]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """What is found in a part of one script that holds them all: names, and lines of the part."""
    parts = [FEW_IN_ONE_ORDER, NOISE, SPLITS, ORDERS_BY_CHANCE, GOOD_NOISE, GOOD_SPLITS]
    parts += [UNSEEDED_NOISE]  # at the end: no seed comes after it
    script, starts = "", dict[str, int]()
    for part in parts:
        script += SEED
        starts[part] = len((HEAD + script).splitlines())
        script += part
    findings = process(ran(tmp_path_factory.mktemp("silent") / "a", script)).findings
    named = [(each["name"], each["line"] or 0) for each in findings]

    def finds(part: str) -> list[tuple[str, int]]:
        lines = range(1, len(part.splitlines()) + 1)
        return [(n, line - starts[part]) for n, line in named if line - starts[part] in lines]

    assert len(named) == sum(len(finds(part)) for part in parts), named
    return finds


ORDERS_BY_CHANCE = """
few = data.take(4).shuffle(4).batch(2)
model().fit(few, epochs=60, verbose=0)
alike = tf.data.Dataset.from_tensors((x[0], y[0])).repeat(96).shuffle(96).batch(32)
model().fit(alike, epochs=4, verbose=0)
two_batches = data.batch(48).shuffle(2)
model().fit(two_batches, epochs=8, verbose=0)
hardly = data.shuffle(2).batch(32)
model().fit(hardly, epochs=4, verbose=0)
"""


def test_what_chance_explains_is_no_order_for_every_epoch(found: Found) -> None:
    assert found(ORDERS_BY_CHANCE) == []


FEW_IN_ONE_ORDER = """
model().fit(data.take(4).shuffle(4).cache().batch(2), epochs=20, verbose=0)
"""


def test_few_examples_in_one_order_are_found_once_there_were_enough_epochs(found: Found) -> None:
    assert found(FEW_IN_ONE_ORDER) == [("one order for every epoch", 2)]


NOISE = """
def noisy(image, label):
    image = image * 1.0
    return image + tf.random.normal(tf.shape(image)), label
def flipped(image, label):
    if tf.random.uniform([]) > 0.5:
        image = image[::-1]
    return image, label
model().fit(data.map(noisy).batch(32), epochs=2, verbose=0)
model().fit(data.map(flipped, num_parallel_calls=1).batch(32), epochs=2, verbose=0)
own = data.map(lambda a, b: (a + tf.random.uniform([6], seed=3), b)).batch(32)
optimizer, weights = keras.optimizers.SGD(), tf.Variable(tf.zeros([6]))
for epoch in range(2):
    for features, _ in own:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(features * weights)
        optimizer.apply_gradients([(tape.gradient(loss, weights), weights)])
"""


def test_noise_that_begins_again_in_every_epoch_is_found_with_its_line(found: Found) -> None:
    assert found(NOISE) == [("frozen noise", 4), ("frozen noise", 6), ("frozen noise", 11)]


GOOD_NOISE = """
def noisy(image, label):
    return image + tf.random.normal(tf.shape(image)), label
# One epoch; another model on the same data; noise that goes on; data that are drawn; kept as asked.
train = data.map(noisy).batch(32)
next(iter(train))
model().fit(train, epochs=1, verbose=0)
model().fit(train, epochs=1, verbose=0)
model().fit(data.repeat().map(noisy).batch(32), steps_per_epoch=3, epochs=2, verbose=0)
model().fit(data.map(noisy).repeat().batch(32), steps_per_epoch=3, epochs=2, verbose=0)
drawn = tf.data.Dataset.range(64).map(lambda _: (tf.random.normal([6]), 1))
model().fit(drawn.batch(32), epochs=2, verbose=0)
model().fit(data.map(noisy).cache().batch(32), epochs=2, verbose=0)
model().fit(data.batch(32), validation_data=train, epochs=3, verbose=0)
model().fit(x, y, shuffle="batch", epochs=2, verbose=0)
# A seed of its own for each example and epoch; a layer that keeps one.
number = tf.data.Dataset.counter()
def numbered(example, n):
    return example[0] + tf.random.stateless_normal([6], [5, n]), example[1]
counted = tf.data.Dataset.zip(data.repeat(), number).map(numbered)
model().fit(counted.batch(32), steps_per_epoch=3, epochs=2, verbose=0)
layer = keras.layers.GaussianNoise(0.1, seed=1)
mapped = data.batch(32).map(lambda a, b: (layer(a, training=True), b))
model().fit(mapped, epochs=2, verbose=0)
"""


def test_noise_that_goes_on_or_is_meant_to_repeat_is_none(found: Found) -> None:
    assert found(GOOD_NOISE) == []


UNSEEDED_NOISE = """
tf.random.set_seed(None)
tf.compat.v1.set_random_seed(None)
train = data.map(lambda a, b: (a + tf.random.normal([6]), b)).batch(32)
model().fit(train, epochs=2, verbose=0)
"""


def test_noise_without_any_seed_is_none(found: Found) -> None:
    assert found(UNSEEDED_NOISE) == []


SPLITS = """
shuffled = data.shuffle(96, seed=5)
model().fit(shuffled.skip(32).batch(32), validation_data=shuffled.take(32).batch(32), verbose=0)
mapped = data.shuffle(96).map(lambda a, b: (a, b))
parts = [mapped.shard(2, n).cache().batch(32).prefetch(1) for n in range(2)]
model().fit(parts[0], validation_data=parts[1], epochs=1, verbose=0)
"""


def test_splits_of_what_is_shuffled_anew_are_found_at_their_fit(found: Found) -> None:
    assert found(SPLITS) == [("overlapping splits", 3), ("overlapping splits", 6)]


GOOD_SPLITS = """
def fit(training, validation):
    model().fit(training.batch(32), validation_data=validation.batch(32), verbose=0)
once = data.shuffle(96, reshuffle_each_iteration=False)
fit(once.skip(32), once.take(32))
fit(data.skip(32).shuffle(64), data.take(32).shuffle(32))
kept = data.shuffle(96).cache()
fit(kept.skip(32), kept.take(32))
shuffled = data.shuffle(96)
fit(shuffled.skip(32), data.take(32))
fit(shuffled, shuffled)
training = shuffled.skip(32)
fit(training, training.take(32))
model().fit(x, y, validation_split=0.2, verbose=0)
for n in range(2):  # each trains on another part, and is not tested on the others
    model().fit(shuffled.shard(2, n).batch(32), verbose=0)
"""


def test_splits_that_stay_apart_or_are_none_on_purpose_are_no_error(found: Found) -> None:
    assert found(GOOD_SPLITS) == []
