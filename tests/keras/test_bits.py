"""What TensorFlow and oneDNN say of the bits, held against what they do."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lean_python import lean
from repro.machine.numerics import bits

LIBRARY = Path(__file__).parents[2] / "workflow" / "lib"


def test_what_was_begun_is_what_is_told(begun: dict[str, Any]) -> None:
    import tensorflow as tf

    tf.constant(0.0)
    found = {name: entry.get("value") for name, entry in bits().items()}
    assert found["threads"] == {"intra": begun["intra"], "inter": begun["inter"]}
    assert found["op determinism"] is True
    assert found["XLA"]["jit"] == "off"
    assert found["TF32"]["on"] is False
    assert found["oneDNN"] in (True, False)
    assert found["Keras"]["policy"] == "float32"
    assert found["GPU"] == [] or found["GPU"][0]["compute capability"]
    assert len(set(found["arithmetic of TensorFlow"].values())) == 6


def test_another_policy_shows() -> None:
    import keras

    before = keras.config.dtype_policy().name
    try:
        keras.config.set_dtype_policy("mixed_bfloat16")
        assert bits()["Keras"]["value"]["policy"] == "mixed_bfloat16"
    finally:
        keras.config.set_dtype_policy(before)


# How oneDNN calls its sets of instructions in what it prints: cpu_isa_traits.cpp of 3.7.
CALLED = {
    "Intel SSE4.1": "sse41",
    "Intel AVX": "avx",
    "Intel AVX2": "avx2",
    "Intel AVX2 with Intel DL Boost": "avx2_vnni",
    "Intel AVX-512 with AVX512BW, AVX512VL, and AVX512DQ extensions": "avx512_core",
    "Intel AVX-512 with Intel DL Boost": "avx512_core_vnni",
    "Intel AVX-512 with Intel DL Boost and bfloat16 support": "avx512_core_bf16",
}
SOURCE = """
import json, sys
import tensorflow as tf
from repro.machine.numerics import bits
tf.nn.conv2d(tf.ones((1, 8, 8, 16)), tf.ones((3, 3, 16, 16)), 1, "SAME")
print(json.dumps(bits()))
"""


def ask(**variables: str) -> tuple[dict[str, Any], str]:
    """What a process of its own tells of the bits, and what oneDNN prints of its instructions."""
    environment = {"PYTHONPATH": f"{LIBRARY}:{':'.join(sys.path)}", "ONEDNN_VERBOSE": "1"}
    done = subprocess.run(
        [sys.executable, "-B", "-c", SOURCE],
        env=lean({**environment, **variables}), capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    told = [line.partition("isa:")[2] for line in lines if "info,cpu,isa:" in line]
    return json.loads(lines[-1]), told[0]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/cpuinfo")
def test_onednn_takes_the_instructions_that_are_told_and_gives_other_bits_under_a_cap() -> None:
    free, called = ask(TF_ENABLE_ONEDNN_OPTS="1")
    if called not in CALLED:
        pytest.skip(f"oneDNN's name {called!r} is not known here")
    assert free["instruction sets of oneDNN"]["value"] == CALLED[called]
    capped, called = ask(TF_ENABLE_ONEDNN_OPTS="1", ONEDNN_MAX_CPU_ISA="AVX2")
    assert capped["instruction sets of oneDNN"]["value"] == CALLED[called]
    if free["instruction sets of oneDNN"]["value"].startswith("avx512"):
        key = "arithmetic of TensorFlow"
        assert free[key]["value"]["convolution"] != capped[key]["value"]["convolution"]
    assert free["oneDNN"]["value"] is True
