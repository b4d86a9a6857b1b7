"""What matters to the bits: known with its source, or unknown with the reason; never guessed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from repro.machine import instructions, numeric_fingerprint
from repro.machine.instructions import onednn_set
from repro.machine.numerics import bits
from samples import Fresh

EXPECTED = {
    "instruction sets of oneDNN", "instruction sets of Eigen", "instruction sets of NumPy", "caps",
    "BLAS", "oneDNN", "threads", "op determinism", "XLA", "TF32", "Keras", "floating point",
    "arithmetic of C", "arithmetic of NumPy", "arithmetic of TensorFlow", "memory allocator", "GPU",
    "GPUs of the machine", "driver", "CUDA of the driver", "CUDA runtime", "cuDNN",
}  # fmt: skip


@pytest.fixture(autouse=True)
def no_caps_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what whoever runs the tests has set to keep libraries from instructions."""
    for name in os.environ:
        if instructions.CAPS.fullmatch(name):
            monkeypatch.delenv(name)


def test_every_entry_has_a_value_and_its_source_or_a_reason() -> None:
    found = bits()
    assert set(found) == EXPECTED
    for name, entry in found.items():
        assert set(entry) in ({"value", "by"}, {"unknown"}), name
        assert all(entry[key] for key in entry if key != "value"), name
    json.dumps(found, allow_nan=False)


ASK = "import json, {0}; from repro.machine.numerics import bits; print(json.dumps(bits()))"


def ask(fresh: Fresh, imported: str, **variables: str) -> dict[str, dict[str, object]]:
    done = fresh(ASK.format(imported), **variables)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_step_without_tensorflow_says_so_and_imports_nothing(fresh: Fresh) -> None:
    found = ask(fresh, "sys")
    for name in ("threads", "oneDNN", "op determinism", "XLA", "TF32", "GPU", "instruction sets of "
                 "oneDNN", "instruction sets of Eigen", "arithmetic of TensorFlow"):  # fmt: skip
        assert found[name] == {"unknown": "this step does not load TensorFlow"}, name
    assert found["Keras"] == {"unknown": "this step does not load Keras"}
    for name in ("instruction sets of NumPy", "BLAS", "arithmetic of NumPy"):
        assert found[name] == {"unknown": "this step does not load NumPy"}, name


def test_numpy_tells_which_kernels_it_may_use(fresh: Fresh) -> None:
    numpy = ask(fresh, "numpy")["instruction sets of NumPy"]["value"]
    assert isinstance(numpy, dict)
    if not numpy["dispatched"]:
        pytest.skip("this processor has no more than NumPy's baseline")
    cap = numpy["dispatched"][-1]
    capped = ask(fresh, "numpy", NPY_DISABLE_CPU_FEATURES=cap)
    assert capped["caps"]["value"] == {"NPY_DISABLE_CPU_FEATURES": cap}
    value = capped["instruction sets of NumPy"]["value"]
    assert isinstance(value, dict)
    assert cap in value["left out"]
    assert cap not in value["dispatched"]


def test_the_loaded_blas_is_asked_for_its_core(fresh: Fresh) -> None:
    pytest.importorskip("threadpoolctl")
    (found,) = ask(fresh, "numpy", OPENBLAS_NUM_THREADS="1")["BLAS"]["value"]  # pyright: ignore
    if found["library"] != "openblas":
        pytest.skip("NumPy's BLAS is another one")
    assert found["threads"] == 1
    assert "/" not in found["file"]
    core = "Haswell" if found["core"] != "Haswell" else "Sandybridge"
    (other,) = ask(fresh, "numpy", OPENBLAS_CORETYPE=core)["BLAS"]["value"]  # pyright: ignore
    assert other["core"] == core
    assert ask(fresh, "numpy", OPENBLAS_CORETYPE=core)["caps"]["value"] == {
        "OPENBLAS_CORETYPE": core
    }


AVX2 = {"sse4_1", "avx", "avx2"}
AVX512 = AVX2 | {"avx512f", "avx512bw", "avx512vl", "avx512dq"}
SAPPHIRE = AVX512 | {"avx_vnni", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile",
                     "amx_int8", "amx_bf16"}  # fmt: skip


@pytest.mark.parametrize(
    ("flags", "cap", "name"),
    [
        ({"sse4_1"}, None, "sse41"),
        (AVX2, None, "avx2"),
        (AVX2 | {"avx_vnni"}, None, "avx2_vnni"),
        (AVX512, None, "avx512_core"),
        (AVX512 | {"avx512_vnni", "avx512_bf16"}, "ALL", "avx512_core_bf16"),
        (SAPPHIRE, None, "avx512_core_amx"),
        (SAPPHIRE, "AVX512_CORE", "avx512_core"),
        (SAPPHIRE, "avx2", "avx2"),
        (AVX2, "AVX512_CORE", "avx2"),
    ],
)
def test_onednn_takes_the_highest_set_that_there_is_and_the_cap_allows(
    flags: set[str], cap: str | None, name: str
) -> None:
    assert onednn_set(flags, cap) == name


@pytest.mark.parametrize(("flags", "cap"), [(set[str](), None), (AVX2, "AVX9")])
def test_a_set_that_is_not_known_here_is_not_guessed(flags: set[str], cap: str | None) -> None:
    with pytest.raises(LookupError, match="known here"):
        onednn_set(flags, cap)


def test_eigen_is_unknown_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", sys)
    with pytest.raises(LookupError, match="wheel, whose digest is recorded"):
        instructions.of_eigen()


FLUSH = """
#include <xmmintrin.h>
void flush(void) { _mm_setcsr(_mm_getcsr() | 0x8040); }
void round_up(void) { _mm_setcsr((_mm_getcsr() & ~0x6000) | 0x4000); }
"""


def test_small_numbers_and_rounding_are_measured(fresh: Fresh, tmp_path: Path) -> None:
    assert numeric_fingerprint.of_floats() == {
        "rounding": "to nearest", "subnormal results": "kept", "subnormal inputs": "kept",
    }  # fmt: skip
    (tmp_path / "a.c").write_text(FLUSH)
    command = ["cc", "-shared", "-fPIC", "-o", str(tmp_path / "a.so"), str(tmp_path / "a.c")]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs a C compiler for a processor of the x86 family")
    source = (
        "import ctypes, sys; from repro.machine.numeric_fingerprint import of_floats; of_floats()\n"
    )
    source += f"getattr(ctypes.CDLL({str(tmp_path / 'a.so')!r}), sys.argv[1])(); print(of_floats())"
    flushed = fresh(source, "flush").stdout
    assert "'subnormal results': 'flushed to zero'" in flushed
    assert "'subnormal inputs': 'read as zero'" in flushed
    assert "'rounding': 'in another direction'" in fresh(source, "round_up").stdout


def test_fixed_numbers_give_the_same_bits_in_every_process(fresh: Fresh) -> None:
    names = ("arithmetic of C", "arithmetic of NumPy")
    one, other = (ask(fresh, "numpy", PYTHONHASHSEED=seed, TZ="Asia/Tokyo") for seed in "01")
    assert [one[name] for name in names] == [other[name] for name in names]
    values = [*one[names[0]]["value"].values(), *one[names[1]]["value"].values()]  # pyright: ignore
    assert len(set(values)) == len(values)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_preloaded_library_is_named_without_its_folder(
    fresh: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = ask(fresh, "sys", LD_PRELOAD="/opt/none/libnone.so")["memory allocator"]["value"]
    assert found == {"mapped": [], "preloaded": ["libnone.so"]}
