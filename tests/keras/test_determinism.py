"""Determinism: what was asked for is found set, and a TensorFlow that runs already is refused."""

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lean_python import lean
from repro.core.errors import UserError
from repro.core.parameters import Threads
from repro.model.determinism import begin

LIBRARY = Path(__file__).parents[2] / "workflow" / "lib"


def test_the_settings_are_found_not_believed(begun: dict[str, Any]) -> None:
    import tensorflow as tf

    assert begun == {"op_determinism": True, "intra": 2, "inter": 1, "xla": False, "tf32": False}
    assert tf.config.threading.get_intra_op_parallelism_threads() == 2
    assert tf.config.threading.get_inter_op_parallelism_threads() == 1


def test_an_unseeded_draw_is_refused(begun: dict[str, Any]) -> None:
    import tensorflow as tf

    assert begun["op_determinism"]
    tf.random.set_seed(None)
    try:
        with pytest.raises(RuntimeError, match="determinism"):
            tf.random.uniform([])
    finally:
        tf.random.set_seed(0)


def test_every_global_generator_is_seeded() -> None:
    import tensorflow as tf

    def draws() -> list[Any]:
        begin(7, Threads(2, 1))
        drawn = [random.random(), np.random.rand(), float(tf.random.uniform([]))]
        return [*drawn, tf.keras.random.uniform([]).numpy()]

    assert draws() == draws()


def test_other_threads_than_those_that_run_are_refused() -> None:
    import tensorflow as tf

    tf.constant(0)
    with pytest.raises(UserError, match=r"threads before it starts\. Received a TensorFlow that"):
        begin(0, Threads(1, 1))


LATE = """
import tensorflow as tf
tf.constant(0)
from repro.core.parameters import Threads
from repro.core.errors import UserError
from repro.model.determinism import begin
try:
    begin(0, Threads(2, 1))
except UserError as error:
    print(error)
"""


@pytest.mark.slow
def test_a_tensorflow_that_started_before_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-B", "-c", LATE], text=True, capture_output=True, check=False,
        env=lean({**os.environ, "PYTHONPATH": str(LIBRARY)}),
    )  # fmt: skip
    assert "Received a TensorFlow that has started" in done.stdout, done.stderr


COLLECTED = """
import gc, weakref
from repro.core.parameters import Threads
from repro.model.determinism import begin
{before}
begin(7, Threads(2, 1))
import keras
frozen = gc.get_freeze_count()
gc.collect()
class Loop: pass
loop = Loop()
loop.itself, gone = loop, weakref.ref(loop)
del loop
gc.collect()
print(gc.isenabled(), len(gc.get_objects()) < frozen / 10, gone() is None)
"""


@pytest.mark.slow
@pytest.mark.parametrize("before", ["", "gc.disable()"], ids=["on", "off"])
def test_modules_are_nothing_that_the_collector_looks_through_but_all_else_is(before: str) -> None:
    done = subprocess.run(
        [sys.executable, "-B", "-c", COLLECTED.format(before=before)],
        text=True, capture_output=True, check=False,
        env=lean({**os.environ, "PYTHONPATH": str(LIBRARY)}),
    )  # fmt: skip
    assert done.stdout.split() == [str(before == ""), "True", "True"], done.stderr


AWAITED = """
import random, sys
import numpy as np
from repro.core.parameters import Threads
from repro.model.determinism import begin_when_imported, found
begin_when_imported(7, Threads(2, 1))
draws = [random.random(), np.random.rand()]
assert found() is None and not any(name.startswith(("keras", "tensorflow")) for name in sys.modules)
{imports}
import keras, tensorflow as tf
assert tf.__spec__.name == "tensorflow" and tf.__spec__.origin and keras.__spec__.origin
draws += [random.random(), np.random.rand(), keras.random.uniform([]).numpy()]
print(*map(float, draws), float(tf.random.uniform([])))
print(found())
"""


@pytest.mark.slow
@pytest.mark.parametrize("imports", ["import keras", "from tensorflow import data"])
def test_what_is_imported_later_is_seeded_then_and_disturbs_no_other_draw(imports: str) -> None:
    import keras

    done = subprocess.run(
        [sys.executable, "-B", "-c", AWAITED.format(imports=imports)],
        text=True, capture_output=True, check=False,
        env={**os.environ, "PYTHONPATH": str(LIBRARY)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    draws, settings = done.stdout.splitlines()
    begin(7, Threads(2, 1))
    first, second = ([random.random(), np.random.rand()] for _ in range(2))
    fresh = float(keras.random.uniform([]))
    assert [float(draw) for draw in draws.split()[:5]] == [*first, *second, fresh]
    assert "op_determinism=True" in settings
