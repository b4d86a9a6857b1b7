"""Numerics: what of this process, and of the machine below it, the bits of results depend on.

Synopsis:
    bits()["threads"]       # {"value": {"intra": 2, "inter": 1}, "by": "tf.config.threading"}
    bits()["cuDNN"]         # {"unknown": "no libcudnn is mapped in this process"}

Each value says how it was learnt. Everything is read from the process itself; what a library
does not tell is unknown, with the reason. TensorFlow, Keras and NumPy are asked only where they
are loaded.
"""

from __future__ import annotations

import importlib
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from repro.machine import instructions, numeric_fingerprint, nvidia
from repro.machine.fact import NotApplicable, excused, inapplicable, unknown
from repro.machine.instructions import loaded
from repro.machine.mapped_files import mapped

NO_GPU = "TensorFlow lists no GPU"
OF_A_GPU = (
    "GPUs of the machine", "driver", "CUDA of the driver", "CUDA runtime", "cuDNN",
)  # fmt: skip
"""What is there only with a GPU; without one it is not applicable."""

_PRELOADED = re.compile(r"lib(tcmalloc|jemalloc|mimalloc|hoard|tbbmalloc)[^/]*\.(so|dylib)")

_Entry = dict[str, Any]


def bits() -> dict[str, _Entry]:
    """What matters to the bits, as far as this process can tell: plain JSON values by name.

    Each is `{"value": …, "by": how it was learnt}`, or a reason as `repro.machine.fact` has it.
    """
    entries = {name: _entry(by, probe) for name, (by, probe) in _PROBES.items()}
    if entries["GPU"].get("value") == []:
        entries |= {name: excused(entries[name], NO_GPU) for name in OF_A_GPU}
    return entries


def _entry(by: str, probe: Callable[[], Any]) -> _Entry:
    try:
        return {"value": probe(), "by": by}
    except NotApplicable as error:
        return inapplicable(str(error))
    except LookupError as error:
        return unknown(str(error.args[0]) if error.args else repr(error))
    except (OSError, ValueError, AttributeError, ImportError, subprocess.SubprocessError) as error:
        return unknown(f"{type(error).__name__}: {error}")


def _tensorflow() -> Any:
    return loaded("tensorflow", "TensorFlow")


def _pools() -> list[dict[str, Any]]:
    loaded("numpy", "NumPy")
    try:
        threadpoolctl: Any = importlib.import_module("threadpoolctl")
    except ImportError:
        raise LookupError("the package threadpoolctl is not installed") from None
    keys = {"internal_api": "library", "version": "version", "architecture": "core",
            "threading_layer": "layer", "num_threads": "threads"}  # fmt: skip
    pools: list[dict[str, Any]] = [
        {"file": Path(pool["filepath"]).name,
         **{name: pool[key] for key, name in keys.items() if key in pool}}
        for pool in threadpoolctl.threadpool_info()
    ]  # fmt: skip
    return sorted(pools, key=lambda pool: pool["file"])


def _threads() -> dict[str, int]:
    threading = _tensorflow().config.threading
    return {
        "intra": int(threading.get_intra_op_parallelism_threads()),
        "inter": int(threading.get_inter_op_parallelism_threads()),
    }


def _op_determinism() -> bool:
    _tensorflow()
    from tensorflow.python.framework import config

    return bool(config.is_op_determinism_enabled())


def _xla() -> dict[str, Any]:
    flags = {name: os.environ.get(name, "") for name in ("TF_XLA_FLAGS", "XLA_FLAGS")}
    return {"jit": str(_tensorflow().config.optimizer.get_jit()) or "off", **flags}


def _tf32() -> dict[str, Any]:
    on = _tensorflow().config.experimental.tensor_float_32_execution_enabled()
    return {"on": bool(on), "NVIDIA_TF32_OVERRIDE": os.environ.get("NVIDIA_TF32_OVERRIDE", "")}


def _keras() -> dict[str, str]:
    config = loaded("keras", "Keras").config
    return {
        "backend": str(config.backend()),
        "float type": str(config.floatx()),
        "policy": str(config.dtype_policy().name),
        "image layout": str(config.image_data_format()),
    }


def _gpus() -> list[dict[str, str]]:
    config = _tensorflow().config
    details = map(config.experimental.get_device_details, config.list_physical_devices("GPU"))
    return [
        {"name": str(gpu.get("device_name", "")),
         "compute capability": ".".join(map(str, gpu.get("compute_capability", ())))}
        for gpu in details
    ]  # fmt: skip


def _gpus_of_the_machine() -> list[dict[str, str]]:
    if not any(name.startswith("libcuda.") for name in nvidia.libraries()):
        raise LookupError("no libcuda is mapped: this process computes on no GPU")
    return nvidia.asked_gpus()


def _allocators() -> dict[str, Any]:
    names = {Path(path).name for path in mapped() if _PRELOADED.search(path)}
    preload = os.environ.get("LD_PRELOAD", "").split()
    return {"mapped": sorted(names), "preloaded": [Path(path).name for path in preload]}


def _version(name: str) -> Callable[[], int]:
    return lambda: nvidia.library_version(nvidia.libraries(), name)


_FIXED = "computed in this process from fixed numbers; first digits of the sha256 of the results"
_PROBES: Mapping[str, tuple[str, Callable[[], Any]]] = {
    "instruction sets of oneDNN": (
        "oneDNN's own rule, from the processor's flags and the cap (on ARM the length of SVE's "
        "vectors as well); oneDNN cannot be asked, since "
        "TensorFlow does not export its functions",
        instructions.of_onednn,
    ),
    "instruction sets of Eigen": ("", instructions.of_eigen),
    "instruction sets of NumPy": (
        "numpy._core._multiarray_umath.__cpu_features__",
        instructions.of_numpy,
    ),
    "caps": ("the environment variables of this process", instructions.caps),
    "BLAS": ("threadpoolctl, which asks the loaded libraries", _pools),
    "oneDNN": ("TensorFlow's IsMklEnabled()", instructions.onednn_on),
    "threads": ("tf.config.threading", _threads),
    "op determinism": ("TensorFlow's is_op_determinism_enabled()", _op_determinism),
    "XLA": ("tf.config.optimizer.get_jit() and the environment variables", _xla),
    "TF32": ("tf.config.experimental and the environment variable", _tf32),
    "Keras": ("keras.config", _keras),
    "floating point": (
        "computed in this process, on its main thread",
        numeric_fingerprint.of_floats,
    ),
    "arithmetic of C": (_FIXED, numeric_fingerprint.of_c),
    "arithmetic of NumPy": (
        _FIXED,
        lambda: loaded("numpy", "NumPy") and numeric_fingerprint.of_numpy(),
    ),
    "arithmetic of TensorFlow": (_FIXED, numeric_fingerprint.of_tensorflow),
    "memory allocator": ("the mapped files and LD_PRELOAD", _allocators),
    "GPU": ("TensorFlow's get_device_details()", _gpus),
    "GPUs of the machine": ("nvidia-smi --query-gpu", _gpus_of_the_machine),
    "driver": ("/proc/driver/nvidia/version", nvidia.driver),
    "CUDA of the driver": ("cuDriverGetVersion() of the mapped libcuda", _version("libcuda")),
    "CUDA runtime": ("cudaRuntimeGetVersion() of the mapped libcudart", _version("libcudart")),
    "cuDNN": ("cudnnGetVersion() of the mapped libcudnn", _version("libcudnn")),
}
