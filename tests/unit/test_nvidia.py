"""NVIDIA's driver, GPUs and libraries, from outputs of the real tools that people posted."""

import ctypes
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from repro.machine import mapped_files, nvidia
from repro.machine.identity import machine
from repro.record.environment import environment

RECORDED = Path(__file__).parent / "nvidia"


def recorded(name: str) -> str:
    return (RECORDED / name).read_text()


@pytest.mark.parametrize(
    ("name", "version", "module"),
    [
        ("version-565-open", "565.57.01", "open"),
        ("version-525-open", "525.60.11", "open"),
        ("version-384", "384.98", "proprietary"),
        ("version-jetson", "35.3.1", "open"),
    ],
)
def test_the_driver_tells_its_version_and_kind(name: str, version: str, module: str) -> None:
    assert nvidia.parsed_driver(recorded(name)) == {"version": version, "module": module}


def test_a_gpu_is_told_by_its_model_alone() -> None:
    assert nvidia.parsed_model(recorded("information-h100")) == "NVIDIA H100 80GB HBM3"


def test_what_nvidia_smi_prints_is_read_whatever_its_columns() -> None:
    assert nvidia.parsed_gpus(recorded("smi-titan")) == [
        {"name": "NVIDIA TITAN V", "compute capability": "7.0", "driver": "570.86.15"},
        {"name": "NVIDIA RTX 5880 Ada Generation", "compute capability": "8.9",
         "driver": "570.86.15"},
    ]  # fmt: skip
    assert nvidia.parsed_gpus(recorded("smi-ada")) == [
        {"name": "NVIDIA RTX 3000 Ada Generation Laptop GPU", "VBIOS": "95.06.31.40.1c",
         "driver": "595.71"},
    ]  # fmt: skip


def test_what_a_gpu_does_not_tell_is_left_out() -> None:
    text = "name, compute_cap, vbios_version\nTesla K80, 3.7, [N/A]\n"
    assert nvidia.parsed_gpus(text) == [{"name": "Tesla K80", "compute capability": "3.7"}]


@pytest.mark.parametrize("name", ["smi-mismatch", "smi-no-driver", "smi-old"])
def test_what_nvidia_smi_complains_of_is_the_reason(name: str) -> None:
    first = recorded(name).splitlines()[0]
    with pytest.raises(ValueError, match="lists no GPU; it says: ") as caught:
        nvidia.parsed_gpus(recorded(name))
    assert first in str(caught.value)


@pytest.mark.parametrize("parse", [nvidia.parsed_driver, nvidia.parsed_model, nvidia.parsed_gpus])
def test_another_form_is_not_guessed_at(parse: Callable[[str], Any]) -> None:
    for text in ("", "something else\n", "Model:\n"):
        with pytest.raises(ValueError, match=r"another form|lists no GPU"):
            parse(text)


def give_smi(folder: Path, monkeypatch: pytest.MonkeyPatch, knows_compute_cap: bool) -> None:
    """An nvidia-smi that prints what was recorded."""
    script, answer = folder / "nvidia-smi", "smi-titan" if knows_compute_cap else "smi-ada"
    refusal = f"case $1 in *compute_cap*) cat '{RECORDED}/smi-old'; exit 2;; esac"
    lines = ["#!/bin/sh", "" if knows_compute_cap else refusal, f"cat '{RECORDED}/{answer}'", ""]
    script.write_text("\n".join(lines))
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


@pytest.mark.parametrize(("knows", "name"), [(True, "smi-titan"), (False, "smi-ada")])
def test_an_old_nvidia_smi_is_asked_again_without_what_it_does_not_know(
    knows: bool, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_smi(tmp_path, monkeypatch, knows)
    assert nvidia.asked_gpus() == nvidia.parsed_gpus(recorded(name))


def machine_with_gpu(folder: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """/proc/driver/nvidia as on a machine with one H100."""
    gpu = folder / "gpus" / "0000:00:00.0"
    gpu.mkdir(parents=True, exist_ok=True)
    (gpu / "information").write_text(recorded("information-h100"))
    (folder / "version").write_text(recorded(version))
    monkeypatch.setattr(nvidia, "DRIVER", folder)


MAPS = """\
7f0000000000-7f0000001000 r-xp 00000000 00:1f 9 /opt/my env/nvidia/cudnn/lib/libcudnn.so.9
7f0000001000-7f0000002000 r--p 00000000 00:1f 9 /opt/my env/nvidia/cudnn/lib/libcudnn.so.9
7f0000002000-7f0000003000 r-xp 00000000 00:1f 8 /opt/my env/nvidia/cuda_runtime/lib/libcudart.so.12
7f0000003000-7f0000004000 r-xp 00000000 00:1f 7 /usr/lib/x86_64-linux-gnu/libcuda.so.565.57.01
7f0000004000-7f0000005000 r-xp 00000000 00:1f 6 /usr/lib/x86_64-linux-gnu/libc.so.6
7f0000005000-7f0000006000 rw-p 00000000 00:00 0
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_with_a_gpu_the_part_of_cuda_is_filled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine_with_gpu(tmp_path / "nvidia", monkeypatch, "version-565-open")
    give_smi(tmp_path, monkeypatch, True)
    (tmp_path / "maps").write_text(MAPS)
    monkeypatch.setattr(mapped_files, "MAPS", tmp_path / "maps")
    asked = {"libcudnn": 90300, "libcudart": 12050, "libcuda": 12070}
    monkeypatch.setattr(
        nvidia, "library_version", lambda libraries, name: asked[name] if libraries else None
    )
    found = environment()
    assert found["cuda"]["driver"] == {"version": "565.57.01", "module": "open"}
    assert found["cuda"]["loaded"] == ["libcuda.so.565.57.01", "libcudart.so.12", "libcudnn.so.9"]
    bits = {name: entry.get("value") for name, entry in found["bits"].items()}
    assert bits["driver"] == {"version": "565.57.01", "module": "open"}
    assert bits["GPUs of the machine"][0]["compute capability"] == "7.0"
    assert (bits["cuDNN"], bits["CUDA runtime"], bits["CUDA of the driver"]) == (
        90300,
        12050,
        12070,
    )
    text = json.dumps(found)
    assert "UUID" not in text
    assert "dvs-builder" not in text


class Library:
    """A mapped library with the functions that are asked."""

    def __init__(self, error: int = 0) -> None:
        self.error = error

    def __getattr__(self, name: str) -> Any:
        error = self.error

        class Function:
            restype: Any = None

            def __call__(self, *given: Any) -> int:
                if given:
                    ctypes.cast(given[0], ctypes.POINTER(ctypes.c_int))[0] = 12050
                    return error
                assert self.restype is ctypes.c_size_t
                return 90300

        function = Function()
        setattr(self, name, function)
        return function


def test_a_library_is_asked_for_its_own_version() -> None:
    libraries = {"libcudnn.so.9": "/a", "libcudnn_ops.so.9": "/b", "libcudart.so.12": "/c"}
    paths: list[str] = []

    def load(path: str) -> Any:
        paths.append(path)
        return Library()

    assert nvidia.library_version(libraries, "libcudnn", load) == 90300
    assert nvidia.library_version(libraries, "libcudart", load) == 12050
    assert paths == ["/a", "/c"]
    with pytest.raises(LookupError, match="no libcuda is mapped"):
        nvidia.library_version(libraries, "libcuda", load)
    with pytest.raises(OSError, match=r"cudaRuntimeGetVersion fails with error 35"):
        nvidia.library_version(libraries, "libcudart", lambda _: Library(35))


def test_another_driver_or_gpu_is_another_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = machine()
    machine_with_gpu(tmp_path, monkeypatch, "version-565-open")
    one = machine()
    assert one == machine()
    machine_with_gpu(tmp_path, monkeypatch, "version-525-open")
    assert len({without, one, machine()}) == 3
