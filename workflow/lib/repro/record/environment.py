"""Environment: what this process runs in, read from the process itself.

Synopsis:
    environment()       # plain JSON values; {"unknown": reason} where a thing was not learnt
    surroundings(installed, [program])      # the same for a manifest, unless code is from elsewhere

Nothing here imports TensorFlow: what is loaded is reported as loaded, and the rest is
read from the installed packages' own metadata.
"""

from __future__ import annotations

import ast
import importlib.metadata as metadata
import os
import platform
import re
import sys
from collections.abc import Iterable, Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from repro.core.digest import sha256_variable
from repro.machine import apple, nvidia
from repro.machine.fact import excused, known, unknown
from repro.machine.numerics import NO_GPU, bits
from repro.machine.processor import processor
from repro.record.installed import Installed
from repro.record.loaded import require_loaded

# Exact, or by a family that is TensorFlow's alone: TF_VAR_… and TF_TOKEN_… are Terraform's, and
# they, like NVIDIA_API_KEY, hold secrets.
_VARIABLES = re.compile(
    r"(PYTHON(HASHSEED|NOUSERSITE|SAFEPATH|UTF8|DONTWRITEBYTECODE)|LC_ALL|LANG|TZ|"
    r"KERAS_(BACKEND|HOME)|(OMP|OPENBLAS|MKL|VECLIB)_\w+|XLA_FLAGS|ONEDNN_\w+|"
    r"TF_(CPP|CUDNN|CUBLAS|DETERMINISTIC|DISABLE|ENABLE|FORCE|FP16|GPU|NUM|ONEDNN|USE|XLA)_\w+|"
    r"TENSORFLOW_USE_\w+|CUDA_VISIBLE_DEVICES|CUBLAS_\w+|CUDNN_\w+|"
    r"DNNL_\w+|NPY_\w+|GLIBC_TUNABLES|"
    r"NVIDIA_(TF32_OVERRIDE|VISIBLE_DEVICES|DRIVER_CAPABILITIES)|LD_(LIBRARY_PATH|PRELOAD)|"
    r"REPRO_FACTORS)"
)


def _version(name: str) -> Any:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return unknown("not installed")


def _cuda_built() -> Any:
    """CUDA and cuDNN that the wheel was built for, read from its file as a syntax tree."""
    # Not importlib.util.find_spec: to a finder that awaits TensorFlow, asking is importing.
    spec = PathFinder.find_spec("tensorflow")
    if spec is None or spec.origin is None:
        return unknown("TensorFlow is not installed")
    file = Path(spec.origin).parent / "python/platform/build_info.py"
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            info: dict[str, Any] = dict(ast.literal_eval(node.value.args[0]))
            keys = ("is_cuda_build", "cuda_version", "cudnn_version", "cuda_compute_capabilities")
            return {key: info[key] for key in keys if key in info}
    return unknown("build_info.py has another form than expected")


def _cuda() -> dict[str, Any]:
    # A package's metadata are parsed whenever they are asked for.
    installed = {
        name: dist.version
        for dist in metadata.distributions()
        if (name := dist.name) and name.startswith("nvidia-")
    }
    return {
        "built_for": known(_cuda_built),
        "installed": installed or unknown("no nvidia wheel is installed in this environment"),
        "loaded": known(lambda: list(nvidia.libraries())),
        "driver": known(nvidia.driver),
    }


def _gpus() -> Any:
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is None:
        return unknown("this step does not load TensorFlow, so no device was asked")
    devices: Any = tensorflow.config.list_physical_devices("GPU")
    details = (tensorflow.config.experimental.get_device_details(device) for device in devices)
    return [{key: str(value) for key, value in detail.items()} for detail in details]


def _system() -> dict[str, Any]:
    kernel = {"name": platform.system(), "kernel": platform.release()}
    if sys.platform == "darwin":
        version = known(lambda: apple.system(apple.asked()))
        # The C library comes with the system and has no number of its own.
        return {**kernel, "distribution": version, "libc": version}
    return {
        **kernel,
        "distribution": known(lambda: platform.freedesktop_os_release()["PRETTY_NAME"]),
        "libc": " ".join(platform.libc_ver()).strip() or unknown("not told by the system"),
    }


def _variables(passed: Iterable[str]) -> dict[str, str]:
    """Those that decide bits, with their values; of the user's own only digests."""
    set_here = sorted(os.environ.items())
    own = {n: sha256_variable(value) for n, value in set_here if n in passed}
    return {**own, **{n: value for n, value in set_here if _VARIABLES.fullmatch(n)}}


def environment(passed: Iterable[str] = ()) -> dict[str, Any]:
    """Versions of Python, TensorFlow, Keras, NumPy, CUDA, system and hardware.

    Plain JSON values; where there is none the reason, as `repro.machine.fact` has it. A GPU is
    asked for only where TensorFlow is loaded.
    """
    packages = ("tensorflow", "keras", "numpy", "safetensors", "jsonschema", "PyYAML")
    gpus, cuda = _gpus(), _cuda()
    return {
        "python": {
            "version": platform.python_version(),
            "implementation": platform.python_implementation(),
            "build": " ".join(platform.python_build()),
        },
        "packages": {name: _version(name) for name in packages},
        "cuda": cuda if gpus else excused(cuda, NO_GPU),
        "system": _system(),
        "cpu": processor(),
        "gpu": gpus,
        "variables": _variables(passed),
        "bits": bits(),
    }


def surroundings(
    installed: Installed, code: Sequence[Path], passed: Iterable[str] = ()
) -> dict[str, Any]:
    """The environment of this process and what is `loaded`; to be asked before outputs appear.

    Args:
        code: files and folders whose modules are meant: the program, the user's experiment.
        passed: environment variables that reach the process from the user's shell.

    Raises:
        UserError: the process runs code from outside its environment.
    """
    loaded = require_loaded(Path(sys.prefix), installed, code)
    return {**environment(passed), "loaded": loaded}
