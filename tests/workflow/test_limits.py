"""Limits reach the user before training, and the manifest; what cannot be repeated is refused."""

import json

import pytest

pytestmark = pytest.mark.slow

ADJUSTED = "    x = tf.image.adjust_contrast(x[:, None, :, None], 1.1)[:, 0, :, 0]\n"
NOISY = "    return x + tf.random"
MADE = "    network = keras.Sequential("
SCOPED = """\
    import tensorflow as tf

    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        return _network(settings, seeds)


def _network(settings, seeds):
    import keras

    dense = keras.initializers.GlorotUniform
    network = keras.Sequential("""


def test_a_limit_is_said_once_and_recorded_and_a_strategy_refused(new_project):
    made = new_project("limits")
    plain = (made.folder / "experiment.py").read_text()
    assert plain.count(NOISY) == plain.count(MADE) == 1
    limited = plain.replace(NOISY, ADJUSTED + NOISY)
    line = 1 + limited.splitlines().index(ADJUSTED.rstrip("\n"))
    (made.folder / "limited.py").write_text(limited)
    (made.folder / "mirrored.py").write_text(plain.replace(MADE, SCOPED))
    made.configure(**{n: made.entry(code=f"{n}.py") for n in ("limited", "mirrored")})
    runs = ("limited/original", "limited/repeat", "mirrored/original")
    targets = [f"results/{run}/seed-0/train.manifest.json" for run in runs]
    done = made.run("--keep-going", *targets)

    where = f"tf.image.adjust_contrast (limited.py, line {line}): On a CPU it is deterministic"
    assert done.stdout.count(f"A limit: {where}") == 1
    for run in runs[:2]:
        file = made.results / run / "seed-0" / "train.manifest.json"
        process = json.loads(file.read_text())["predicate"]["repro_record"]["process"]
        assert [limit["name"] for limit in process["limits"]] == ["tf.image.adjust_contrast"]
        assert set(process["limits"][0]) == {"name", "where", "promise"}

    assert "Received one that was made under MirroredStrategy. Make it outside" in done.stdout
    assert done.returncode != 0
    assert not (made.results / "mirrored" / "original" / "seed-0" / "train.manifest.json").exists()
