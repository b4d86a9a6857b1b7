"""Environment: what this process runs in, read from the process itself.

Synopsis:
    environment()       # plain JSON values; {"unknown": reason} where a thing cannot be learnt

Nothing here imports TensorFlow: what is loaded is reported as loaded, and the rest is
read from the installed packages' own metadata.
"""

from __future__ import annotations

import ast
import importlib.metadata as metadata
import importlib.util
import os
import platform
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Exact, or by a family that is TensorFlow's alone: TF_VAR_… and TF_TOKEN_… are Terraform's, and
# they, like NVIDIA_API_KEY, hold secrets.
_VARIABLES = re.compile(
    r"(PYTHON(HASHSEED|NOUSERSITE|SAFEPATH|UTF8|DONTWRITEBYTECODE)|LC_ALL|LANG|TZ|"
    r"KERAS_(BACKEND|HOME)|(OMP|OPENBLAS|MKL|VECLIB)_\w+|XLA_FLAGS|ONEDNN_\w+|"
    r"TF_(CPP|CUDNN|CUBLAS|DETERMINISTIC|DISABLE|ENABLE|FORCE|FP16|GPU|NUM|ONEDNN|USE|XLA)_\w+|"
    r"TENSORFLOW_USE_\w+|CUDA_VISIBLE_DEVICES|CUBLAS_\w+|CUDNN_\w+|"
    r"NVIDIA_(TF32_OVERRIDE|VISIBLE_DEVICES|DRIVER_CAPABILITIES)|LD_(LIBRARY_PATH|PRELOAD)|"
    r"REPRO_FACTORS)"
)
_LIBRARIES = re.compile(r"/(lib(?:cudart|cudnn|cublas|cufft|cuda)[^/]*\.so[^/]*)$")


def unknown(reason: str) -> dict[str, str]:
    """The value of something that could not be learnt, and why."""
    return {"unknown": reason}


def _known(probe: Callable[[], Any]) -> Any:
    try:
        return probe()
    except (OSError, ValueError, LookupError, metadata.PackageNotFoundError) as error:
        return unknown(f"{type(error).__name__}: {error}")


def _version(name: str) -> Any:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return unknown("not installed")


def _cuda_built() -> Any:
    """CUDA and cuDNN that the wheel was built for, read from its file as a syntax tree."""
    spec = importlib.util.find_spec("tensorflow")
    if spec is None or spec.origin is None:
        return unknown("TensorFlow is not installed")
    file = Path(spec.origin).parent / "python/platform/build_info.py"
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            info: dict[str, Any] = dict(ast.literal_eval(node.value.args[0]))
            keys = ("is_cuda_build", "cuda_version", "cudnn_version", "cuda_compute_capabilities")
            return {key: info[key] for key in keys if key in info}
    return unknown("build_info.py has another form than expected")


def _cuda_loaded() -> Any:
    if sys.platform != "linux":
        return unknown(f"loaded libraries are not listed on {sys.platform}")
    lines = Path("/proc/self/maps").read_text("utf-8", "replace").splitlines()
    names = (_LIBRARIES.search(line) for line in lines)
    return sorted({match[1] for match in names if match})


def _driver() -> Any:
    file = Path("/proc/driver/nvidia/version")
    if not file.exists():
        return unknown("no NVIDIA driver is loaded")
    return file.read_text("utf-8", "replace").splitlines()[0]


def _cuda() -> dict[str, Any]:
    installed = {
        dist.name: dist.version
        for dist in metadata.distributions()
        if dist.name and dist.name.startswith("nvidia-")
    }
    return {
        "built_for": _known(_cuda_built),
        "installed": installed or unknown("no nvidia wheel is installed in this environment"),
        "loaded": _known(_cuda_loaded),
        "driver": _known(_driver),
    }


def _gpus() -> Any:
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is None:
        return unknown("this step does not load TensorFlow, so no device was asked")
    devices: Any = tensorflow.config.list_physical_devices("GPU")
    details = (tensorflow.config.experimental.get_device_details(device) for device in devices)
    return [{key: str(value) for key, value in detail.items()} for detail in details]


def _cpu_fields() -> dict[str, str]:
    if sys.platform == "darwin":
        return {"model name": platform.processor() or platform.machine()}
    block = Path("/proc/cpuinfo").read_text("utf-8", "replace").split("\n\n")[0]
    pairs = (line.partition(":") for line in block.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _cpu() -> dict[str, Any]:
    found = _known(_cpu_fields)
    unread = "unknown" in found
    fields: dict[str, str] = {} if unread else found
    lacking = found if unread else unknown("not told by the system")
    flags = fields.get("flags") or fields.get("Features")
    available = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    return {
        "architecture": platform.machine(),
        "model": fields.get("model name") or lacking,
        "stepping": fields.get("stepping") or lacking,
        "microcode": fields.get("microcode") or lacking,
        "flags": sorted(flags.split()) if flags else lacking,
        "count": os.cpu_count(),
        "available": len(available) if available else unknown("not told by the system"),
    }


def _system() -> dict[str, Any]:
    return {
        "name": platform.system(),
        "kernel": platform.release(),
        "distribution": _known(lambda: platform.freedesktop_os_release()["PRETTY_NAME"]),
        "libc": " ".join(platform.libc_ver()).strip() or unknown("not told by the system"),
    }


def environment() -> dict[str, Any]:
    """Versions of Python, TensorFlow, Keras, NumPy, CUDA, system and hardware.

    Returns:
        Plain JSON values. A GPU is asked for only where TensorFlow is loaded.

    Example:
        >>> environment()["python"]["version"].startswith("3.")
        True
    """
    packages = ("tensorflow", "keras", "numpy", "safetensors", "jsonschema", "PyYAML")
    return {
        "python": {
            "version": platform.python_version(),
            "implementation": platform.python_implementation(),
            "build": " ".join(platform.python_build()),
        },
        "packages": {name: _version(name) for name in packages},
        "cuda": _cuda(),
        "system": _system(),
        "cpu": _cpu(),
        "gpu": _gpus(),
        "variables": {n: v for n, v in sorted(os.environ.items()) if _VARIABLES.fullmatch(n)},
    }
