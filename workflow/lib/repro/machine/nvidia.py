"""NVIDIA: driver, GPUs and CUDA libraries, asked of the driver and of what this process mapped.

Synopsis:
    driver()                                   # {"version": "565.57.01", "module": "open"}
    asked_gpus()                               # what nvidia-smi says of each GPU
    library_version(libraries(), "libcudnn")    # 90300, from cuDNN itself

Nothing that identifies a single device (UUID, bus, serial number) or the host is kept.
"""

from __future__ import annotations

import csv
import ctypes
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from repro.machine.mapped_files import mapped

DRIVER = Path("/proc/driver/nvidia")
QUERY = ("name", "compute_cap", "vbios_version", "driver_version")
_NAMES = {
    "name": "name", "compute_cap": "compute capability", "vbios_version": "VBIOS",
    "driver_version": "driver",
}  # fmt: skip
_LINE = re.compile(r"NVIDIA UNIX (Open )?.*?Kernel Module\s+(?:for \S+\s+)?(\d[\d.]*)")
_LIBRARIES = re.compile(r"/(lib(?:cudart|cudnn|cublas|cufft|cuda)[^/]*\.so[^/]*)$")
_SECONDS = 10
_VERSIONS: Mapping[str, str] = {
    "libcudart": "cudaRuntimeGetVersion",
    "libcuda": "cuDriverGetVersion",
    "libcudnn": "cudnnGetVersion",
}


def parsed_driver(text: str) -> dict[str, str]:
    """`version` and `module` (`open` or `proprietary`), from /proc/driver/nvidia/version.

    Who built it and when, in the first line too, is left out.

    Raises:
        ValueError: the text has another form.
    """
    match = _LINE.search(text)
    if match is None:
        raise ValueError("the driver names its version in another form than expected")
    return {"version": match[2], "module": "open" if match[1] else "proprietary"}


def driver() -> dict[str, str]:
    """Version and kind of the loaded driver, as `parsed_driver` gives them.

    Raises:
        OSError: no NVIDIA driver is loaded.
        ValueError: it names its version in another form.
    """
    file = DRIVER / "version"
    if not file.exists():
        raise OSError("no NVIDIA driver is loaded")
    return parsed_driver(file.read_text("utf-8", "replace"))


def parsed_model(text: str) -> str:
    """The model's name, from the text of a GPU's file `information`, and no more of it.

    Raises:
        ValueError: the text has another form.
    """
    pairs = (line.partition(":") for line in text.splitlines())
    model = next((value.strip() for key, _, value in pairs if key.strip() == "Model"), "")
    if not model:
        raise ValueError("the driver names its GPUs in another form than expected")
    return model


def models() -> list[str]:
    """The models of all GPUs that the driver knows, sorted.

    Raises:
        OSError: no NVIDIA driver is loaded, or it lists none.
        ValueError: it names them in another form.
    """
    files = sorted(DRIVER.glob("gpus/*/information"))
    if not files:
        raise OSError("no NVIDIA driver lists a GPU")
    return sorted(parsed_model(file.read_text("utf-8", "replace")) for file in files)


def parsed_gpus(text: str) -> list[dict[str, str]]:
    """One mapping for each GPU, from what `nvidia-smi --query-gpu=… --format=csv` prints.

    `name`, `compute capability`, `VBIOS` and `driver`, as far as the columns are there and have a
    value; other columns are left out.

    Raises:
        ValueError: the text is no such table.
    """
    rows = list(csv.DictReader(text.strip().splitlines(), skipinitialspace=True))
    if not rows or any(not row.get("name") for row in rows):
        said = next(iter(text.strip().splitlines()), "nothing")
        raise ValueError(f"nvidia-smi lists no GPU; it says: {said[:200]}")
    return [
        {_NAMES[key]: value for key, value in row.items() if key in _NAMES and _told(value)}
        for row in rows
    ]


def _told(value: str | None) -> bool:
    return bool(value) and not str(value).startswith("[")  # [N/A], [Not Supported]


def asked_gpus() -> list[dict[str, str]]:
    """What nvidia-smi says of each GPU of the machine, as `parsed_gpus` gives it.

    Drivers before 510 do not know the compute capability and then tell nothing: they are asked
    again without it.

    Raises:
        OSError: there is no nvidia-smi.
        ValueError: it lists no GPU.
        subprocess.SubprocessError: it does not answer in time.
    """
    said = ""
    for columns in (QUERY, tuple(name for name in QUERY if name != "compute_cap")):
        done = subprocess.run(
            ["nvidia-smi", f"--query-gpu={','.join(columns)}", "--format=csv"],
            capture_output=True, text=True, timeout=_SECONDS, check=False,
        )  # fmt: skip
        said = done.stdout or done.stderr
        if "not a valid field" not in said:
            break
    return parsed_gpus(said)


def libraries() -> dict[str, str]:
    """CUDA's libraries that this process has mapped: path by file name, sorted.

    Raises:
        OSError: the system does not list what is mapped.
    """
    paths = (path for path in mapped() if _LIBRARIES.search(path))
    return dict(sorted((Path(path).name, path) for path in paths))


def library_version(
    paths: Mapping[str, str], name: str, load: Callable[[str], Any] = ctypes.CDLL
) -> int:
    """The version that a mapped library says of itself: 12050 is CUDA 12.5, 90300 cuDNN 9.3.0.

    One of `libcudart`, `libcuda` and `libcudnn`; `load` gives the functions of what is mapped
    already.

    Raises:
        LookupError: no such library is mapped.
        OSError: it cannot be asked.
    """
    path = next((path for file, path in paths.items() if file.split(".")[0] == name), None)
    if path is None:
        raise LookupError(f"no {name} is mapped in this process")
    function = getattr(load(path), _VERSIONS[name])
    if name == "libcudnn":
        function.restype = ctypes.c_size_t
        return int(function())
    value = ctypes.c_int(0)
    if error := function(ctypes.byref(value)):
        raise OSError(f"{_VERSIONS[name]} fails with error {error}")
    return value.value
