"""Instructions: which sets of them the libraries in this process may use.

Synopsis:
    of_numpy()["dispatched"]                 # ['X86_V3', 'X86_V4', …]
    onednn_set({"sse4_1", "avx"}, None)      # 'avx'

A library chooses its kernels by what the processor has, what it was compiled for, and caps in
environment variables. Other kernels add in another order, so the bits change with them.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import re
import sys
from collections.abc import Mapping
from typing import Any

from repro.machine.fact import NotApplicable
from repro.machine.processor import fields

CAPS = re.compile(
    r"((ONEDNN|DNNL)_(MAX_CPU_ISA|CPU_ISA_HINTS|DEFAULT_FPMATH_MODE)|"
    r"NPY_(DISABLE|ENABLE)_CPU_FEATURES|OPENBLAS_CORETYPE|MKL_(CBWR|ENABLE_INSTRUCTIONS)|"
    r"TENSORFLOW_USE_CUSTOM_CONTRACTION_KERNEL|TF_ENABLE_ONEDNN_OPTS|GLIBC_TUNABLES)"
)
"""Environment variables that keep a library from instructions that the processor has."""

# oneDNN's names for sets of instructions, lowest first, with the flags that each one adds.
# Source: src/cpu/x64/cpu_isa_traits.hpp of oneDNN 3.7. ASSUME: oneDNN takes the highest one that
# the processor has and the cap allows; tests/keras/test_bits.py asks it.
_ONEDNN: Mapping[str, tuple[str, ...]] = {
    "sse41": ("sse4_1",),
    "avx": ("avx",),
    "avx2": ("avx2",),
    "avx2_vnni": ("avx_vnni",),
    "avx2_vnni_2": ("avx_vnni_int8", "avx_ne_convert"),
    "avx512_core": ("avx512f", "avx512bw", "avx512vl", "avx512dq"),
    "avx512_core_vnni": ("avx512_vnni",),
    "avx512_core_bf16": ("avx512_bf16",),
    "avx512_core_fp16": ("avx512_fp16", "avx_vnni"),
    "avx512_core_amx": ("amx_tile", "amx_int8", "amx_bf16"),
    "avx512_core_amx_fp16": ("amx_fp16",),
}
_BELOW_AVX512 = ("avx2_vnni", "avx2_vnni_2")  # what AVX-512 does not build on
_SVE = (512, 256, 128)  # bits of a vector for which oneDNN has kernels on ARM
_SVE_GET_VL = 51  # PR_SVE_GET_VL in linux/prctl.h; its lower 16 bits are the length in bytes

EIGEN = (
    "nothing tells which instructions TensorFlow's Eigen was compiled for; that goes with the "
    "wheel, whose digest is recorded, and shows in `arithmetic of TensorFlow`"
)


def loaded(name: str, called: str) -> Any:
    """A module that is loaded already, `called` so in words; nothing is imported.

    Raises:
        LookupError: it is not loaded.
    """
    if name not in sys.modules:
        raise LookupError(f"this step does not load {called}")
    return sys.modules[name]


def caps() -> dict[str, str]:
    """The caps that are set in this process: value by variable."""
    return {name: value for name, value in sorted(os.environ.items()) if CAPS.fullmatch(name)}


def onednn_set(flags: set[str], cap: str | None) -> str:
    """The highest of oneDNN's sets of instructions that a processor has and a cap allows.

    As oneDNN names it, in small letters. `flags` are Linux's names, `cap` is ONEDNN_MAX_CPU_ISA.

    Raises:
        LookupError: the processor has none, or the cap is not one of them.
    """
    limit = (cap or "all").lower()
    names = list(_ONEDNN)
    if limit not in (*names, "all", "default"):
        raise LookupError(f"the cap {cap} is not one that is known here")
    if limit in names:
        names = names[: names.index(limit) + 1]
    best, lacking = "", False
    for name in names:
        has = flags.issuperset(_ONEDNN[name])
        aside = name in _BELOW_AVX512
        best = name if has and not lacking else best
        lacking = lacking or not (has or aside)
    if not best:
        raise LookupError("the processor has none of the sets of instructions known here")
    return best


def of_onednn() -> str:
    """The set of instructions that oneDNN takes in this process; see `onednn_set`.

    Raises:
        NotApplicable: TensorFlow computes without oneDNN.
        LookupError: TensorFlow is not loaded, or the rule for this processor is not known here.
        OSError: the system does not tell the processor's flags.
    """
    loaded("tensorflow", "TensorFlow")
    cpuinfo = fields()
    cap = os.environ.get("ONEDNN_MAX_CPU_ISA") or os.environ.get("DNNL_MAX_CPU_ISA")
    # On x86 Eigen's products are oneDNN's even where TensorFlow's operations are not.
    if "flags" in cpuinfo:
        return onednn_set(set(cpuinfo["flags"].split()), cap)
    if not onednn_on():
        raise NotApplicable("TensorFlow computes without oneDNN here")
    if "Features" not in cpuinfo:
        raise LookupError("the system does not tell the processor's flags")
    if cap:
        raise LookupError(f"what the cap {cap} does on ARM is not known here")
    features = set(cpuinfo["Features"].split())
    return onednn_set_on_arm(features, sve_bits() if "sve" in features else 0)


def onednn_on() -> bool:
    """Whether TensorFlow's operations compute with oneDNN.

    Raises:
        LookupError: TensorFlow is not loaded.
    """
    loaded("tensorflow", "TensorFlow")
    port: Any = importlib.import_module("tensorflow.python.util._pywrap_util_port")
    return bool(port.IsMklEnabled())


def onednn_set_on_arm(features: set[str], bits: int) -> str:
    """The highest of oneDNN's sets of instructions that a processor of the ARM family has.

    `features` are Linux's names; a vector of SVE has `bits`.

    Raises:
        LookupError: the processor has none.
    """
    # Source: src/cpu/aarch64/cpu_isa_traits.hpp and .cpp of oneDNN. ASSUME: it takes the highest
    # one that there is; no test has asked it, since none ran on ARM.
    if "sve" in features and bits >= _SVE[-1]:
        return f"sve_{next(size for size in _SVE if bits >= size)}"
    if "asimd" in features:
        return "asimd"
    raise LookupError("the processor has none of the sets of instructions known here")


def sve_bits() -> int:
    """How many bits a vector of SVE has in this process.

    Raises:
        OSError: the system does not tell.
    """
    answer = int(ctypes.CDLL(None, use_errno=True).prctl(_SVE_GET_VL, 0, 0, 0, 0))
    if answer < 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SVE_GET_VL) fails")
    return 8 * (answer & 0xFFFF)


def of_eigen() -> str:
    """The set of instructions of TensorFlow's Eigen, which nothing tells.

    Raises:
        LookupError: TensorFlow is not loaded.
        NotApplicable: always else, with the reason.
    """
    loaded("tensorflow", "TensorFlow")
    raise NotApplicable(EIGEN)


def of_numpy() -> dict[str, list[str]]:
    """What NumPy was compiled for, and which of its further kernels this process may use.

    `baseline`, `dispatched` and `left out`: NumPy's names of sets of instructions.

    Raises:
        LookupError: NumPy is not loaded.
    """
    module = loaded("numpy._core._multiarray_umath", "NumPy")
    has: Mapping[str, bool] = module.__cpu_features__
    return {
        "baseline": list(module.__cpu_baseline__),
        "dispatched": [name for name in module.__cpu_dispatch__ if has.get(name)],
        "left out": [name for name in module.__cpu_dispatch__ if not has.get(name)],
    }
