"""The other platforms of the lock: from what such a system prints to the goal `documented`.

None of it ran there: `processors/` holds excerpts of what people posted of Neoverse N1 (Graviton 2,
Altra), Neoverse V1 (Graviton 3) and Apple M1. TensorFlow is stood in for; what it would say of
itself is the same on every platform.
"""

import ctypes
import errno
import json
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from repro.compare.runs import Comparison
from repro.core.canonical_json import pretty
from repro.core.errors import UserError
from repro.machine import instructions, mapped_files, numerics, processor
from repro.machine.fact import lacking
from repro.machine.identity import machine
from repro.record import environment, loaded
from repro.record.installed import Installed
from repro.record.statement import EXTENSION, sealed
from repro.record.step import read_step
from repro.verdict.case import Case, Context
from repro.verdict.completeness import gaps
from repro.verdict.documented import documented
from samples import asked

PRINTED = Path(__file__).parent / "processors"
KEPT = Path(__file__).parents[1] / "archives/manifests/format-1/train.manifest.json"
SYSTEM = ["/usr/lib/libSystem.B.dylib",
          "/System/Library/Frameworks/Accelerate.framework/Versions/A/Accelerate"]  # fmt: skip


def module(name: str, **values: Any) -> ModuleType:
    made = ModuleType(name)
    made.__dict__.update(values)
    return made


@pytest.fixture
def tensorflow(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Makes the steps find a TensorFlow without a GPU, with or without oneDNN."""
    config = SimpleNamespace(
        threading=SimpleNamespace(
            get_intra_op_parallelism_threads=lambda: 2, get_inter_op_parallelism_threads=lambda: 1
        ),
        optimizer=SimpleNamespace(get_jit=lambda: ""),
        experimental=SimpleNamespace(
            tensor_float_32_execution_enabled=lambda: False, get_device_details=dict
        ),
        list_physical_devices=lambda kind: [],  # pyright: ignore
    )
    policy = SimpleNamespace(name="float32")
    keras = SimpleNamespace(
        backend=lambda: "tensorflow", floatx=lambda: "float32",
        image_data_format=lambda: "channels_last", dtype_policy=lambda: policy,
    )  # fmt: skip
    framework = module(
        "tensorflow.python.framework", config=SimpleNamespace(is_op_determinism_enabled=lambda: 1)
    )
    measured = ("computed", lambda: {"product": "3390c1e39e01ca9a"})
    monkeypatch.setattr(numerics, "_PROBES", {
        **numerics._PROBES, "arithmetic of TensorFlow": measured, "BLAS": ("asked", list),
        "arithmetic of NumPy": measured, "instruction sets of NumPy": ("asked", dict),
    })  # fmt: skip
    monkeypatch.setattr(environment, "_version", lambda name: "1.0")  # pyright: ignore

    def put(onednn: bool) -> None:
        port = module("tensorflow.python.util._pywrap_util_port", IsMklEnabled=lambda: onednn)
        for one in (module("tensorflow", config=config), module("keras", config=keras),
                    module("tensorflow.python"), framework, port):  # fmt: skip
            monkeypatch.setitem(sys.modules, one.__name__, one)

    return put


@pytest.fixture
def arm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tensorflow: Callable[[bool], None]
) -> Path:
    """Linux on a Neoverse V1 with its caches; the folder in which they are told."""
    tensorflow(True)
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    monkeypatch.setattr(processor, "CPUINFO", PRINTED / "neoverse-v1")
    monkeypatch.setattr(processor, "PROCESSORS", tmp_path / "cpu")
    monkeypatch.setattr(instructions, "sve_bits", lambda: 256)
    for index, (level, kind, size) in enumerate((("1", "Data", "64K"), ("3", "Unified", "32768K"))):
        folder = tmp_path / f"cpu/cpu0/cache/index{index}"
        folder.mkdir(parents=True)
        told = {"level": level, "type": kind, "size": size, "shared_cpu_map": "3"}
        for name, value in told.items():
            (folder / name).write_text(f"{value}\n")
    return tmp_path / "cpu"


class Linker:
    """What the dynamic linker of macOS answers; it lists these files as loaded."""

    def __init__(self, images: list[str]) -> None:
        self._dyld_image_count = lambda: len(images)
        self._dyld_get_image_name = SimpleNamespace()
        self._dyld_get_image_name = Name(images)


class Name:
    """A function of C: by default its result would be an int."""

    def __init__(self, images: list[str]) -> None:
        self.images, self.restype = images, None

    def __call__(self, number: int) -> bytes:
        assert self.restype is ctypes.c_char_p
        return self.images[number].encode()


@pytest.fixture
def mac(monkeypatch: pytest.MonkeyPatch, tensorflow: Callable[[bool], None]) -> dict[str, str]:
    """macOS on an Apple M1; what `sysctl` prints, by name."""
    tensorflow(False)
    lines = (PRINTED / "apple-m1").read_text().splitlines()
    told = dict(line.split(": ", 1) for line in lines)

    def run(command: list[str], **_: Any) -> Any:
        names = command[1:]
        assert command[0] == "/usr/sbin/sysctl"
        below = tuple(f"{name}." for name in names)
        printed = [f"{name}: {value}\n" for name, value in told.items()]
        return SimpleNamespace(
            stdout="".join(line for line in printed if line.replace(":", ".").startswith(below))
        )

    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(mapped_files.ctypes, "CDLL", lambda _: Linker(SYSTEM))  # pyright: ignore
    return told


def host(monkeypatch: pytest.MonkeyPatch, images: list[str]) -> Any:
    monkeypatch.setattr(loaded, "_modules", lambda *_: [])  # pyright: ignore
    monkeypatch.setattr(loaded, "mapped", lambda **_: set(images))  # pyright: ignore
    return loaded.require_loaded(Path("/env"), Installed({}, {}), [])["host"]


def answer(folder: Path, found: Mapping[str, Any]) -> tuple[str, list[str]]:
    """What is found for `documented`, by way of a manifest, where nothing else is missing."""
    value = json.loads(KEPT.read_text("utf-8"))
    value["predicate"][EXTENSION]["environment"] |= found
    value["predicate"][EXTENSION]["sha256"] = sealed(value)
    path = folder / "original/seed-0/train.manifest.json"
    path.parent.mkdir(parents=True)
    path.write_text(pretty(value))
    missing, unknown = gaps(folder, [read_step(path)])
    context = Context("here", 1, [], [], missing=missing, unknown=unknown)
    parameters = asked(goal="documented", repeat={"steps": 1})
    comparisons = [Comparison("repeat", 0, None, {}, {"steps": 1})]
    case = Case("digits", parameters, comparisons, context, (), (), ())
    return documented(case).verdict, unknown


def test_linux_on_arm_can_be_documented(arm: Path, tmp_path: Path) -> None:
    found = environment.environment()
    cpu = found["cpu"]
    assert cpu["model"] == "CPU implementer 0x41, CPU variant 0x1, CPU part 0xd40"
    assert (cpu["stepping"], cpu["caches"]) == ("1", {"L1 data": "64K", "L3 unified": "32768K"})
    assert set(cpu["microcode"]) == {"not applicable"}
    assert found["bits"]["instruction sets of oneDNN"]["value"] == "sve_256"
    assert answer(tmp_path, found) == ("met", [])


def test_a_mac_can_be_documented(
    mac: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = environment.environment()
    cpu = found["cpu"]
    assert cpu["model"] == "Apple M1 (cpu family 458787763)"
    assert {"neon", "arm.FEAT_FP16"} <= set(cpu["flags"])
    assert not {"arm.FEAT_BF16", "watchpoint"} & set(cpu["flags"])
    assert cpu["caches"]["L1 data"] == "128K"
    assert cpu["caches"]["L2 unified, processors of level 1"] == "4096K"
    assert found["system"]["libc"] == "macOS 12.5 (21G72)"
    assert found["cuda"]["loaded"] == []
    for fact in (cpu["microcode"], cpu["stepping"], found["bits"]["instruction sets of oneDNN"]):
        assert set(fact) == {"not applicable"}, fact
    found["loaded"] = {"packages": ["numpy"], "host": host(monkeypatch, SYSTEM)}
    assert answer(tmp_path, found) == ("met", [])


def test_a_mac_without_levels_tells_its_caches_all_the_same(mac: dict[str, str]) -> None:
    for name in [name for name in mac if "perflevel" in name]:
        del mac[name]
    assert processor.caches() == {
        "L1 data": "64K", "L1 instruction": "128K", "L2 unified": "4096K",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "unknown"),
    [
        ("machdep.cpu.brand_string", "cpu/model"),
        ("hw.optional", "cpu/flags"),
        ("cachesize", "cpu/caches"),
        ("kern.osversion", "system/libc"),
    ],
)
def test_what_a_mac_should_tell_and_does_not_is_unknown(
    name: str, unknown: str, mac: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in [key for key in mac if name in key or key == "hw.cpufamily"]:
        del mac[key]
    found = environment.environment()
    found["loaded"] = {"packages": ["numpy"], "host": host(monkeypatch, SYSTEM)}
    verdict, told = answer(tmp_path, found)
    assert verdict == "inconclusive"
    assert any(gap.startswith(f"{unknown} is unknown") for gap in told), told


def test_a_library_from_elsewhere_is_refused_on_a_mac_too(
    mac: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match=r"the library /opt/lib/libomp\.dylib, from outside it"):
        host(monkeypatch, [*SYSTEM, "/opt/lib/libomp.dylib"])


@pytest.mark.parametrize(
    ("file", "unknown"), [("cpuinfo", "cpu/flags"), ("cpu", "cpu/caches"), ("size", "")]
)
def test_what_linux_on_arm_should_tell_and_does_not_is_unknown(
    file: str, unknown: str, arm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if file == "cpuinfo":
        monkeypatch.setattr(processor, "CPUINFO", tmp_path / "none")
    elif file == "cpu":
        arm.rename(tmp_path / "hidden")  # as in containers that hide /sys
    else:
        # What firmware does not list, Linux on ARM knows of nobody, and no library either.
        (arm / "cpu0/cache/index1/size").unlink()
        assert set(processor.processor()["caches"]) == {"not applicable"}
    verdict, told = answer(tmp_path, environment.environment())
    assert verdict == ("inconclusive" if unknown else "met"), told
    assert any(gap.startswith(f"{unknown} is unknown") for gap in told) == bool(unknown), told


def test_on_x86_caches_that_are_not_listed_are_unknown(
    arm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    (arm / "cpu0/cache/index1/size").unlink()
    assert set(processor.processor()["caches"]) == {"unknown"}
    assert set(processor.processor()["microcode"]) == {"unknown"}


def test_the_same_processor_under_another_kernel_is_the_same_machine(
    arm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = machine()
    text = (PRINTED / "neoverse-v1").read_text()
    (tmp_path / "cpuinfo").write_text(text.replace(" evtstrm", "").replace(" paca pacg", ""))
    monkeypatch.setattr(processor, "CPUINFO", tmp_path / "cpuinfo")
    assert machine() == before
    (tmp_path / "cpuinfo").write_text(text.replace(" svebf16", ""))
    assert machine() != before


@pytest.mark.parametrize(
    ("printed", "vector", "name"),
    [
        ("neoverse-n1", 0, "asimd"),
        ("neoverse-v1", 256, "sve_256"),
        ("neoverse-v1", 128, "sve_128"),  # Neoverse V2, Graviton 4
        ("neoverse-v1", 384, "sve_256"),
        ("neoverse-v1", 512, "sve_512"),  # A64FX
    ],
)
def test_onednn_takes_the_longest_vectors_that_there_are(
    printed: str, vector: int, name: str, arm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processor, "CPUINFO", PRINTED / printed)
    monkeypatch.setattr(instructions, "sve_bits", lambda: vector)
    assert instructions.of_onednn() == name


def test_a_cap_on_arm_and_a_length_that_is_not_told_are_unknown(
    arm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def untold() -> int:
        raise OSError(errno.EINVAL, "prctl(PR_SVE_GET_VL) fails")

    def of_onednn() -> Any:
        return numerics.bits()["instruction sets of oneDNN"]

    monkeypatch.setattr(instructions, "sve_bits", untold)
    assert "PR_SVE_GET_VL" in of_onednn()["unknown"]
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "sve_128")
    assert "sve_128" in of_onednn()["unknown"]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="elsewhere there may be SVE")
def test_the_length_of_vectors_is_asked_of_the_system() -> None:
    """Where there is no SVE it answers with an error."""
    with pytest.raises(OSError, match="PR_SVE_GET_VL") as error:
        instructions.sve_bits()
    assert error.value.errno == errno.EINVAL


def test_a_gpu_makes_what_only_it_has_unknown(arm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = environment.environment()
    for fact in (alone["bits"]["cuDNN"], alone["cuda"]["installed"], alone["bits"]["driver"]):
        assert set(fact) == {"not applicable"}, fact
    tf: Any = sys.modules["tensorflow"]
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["a GPU"])  # pyright: ignore
    tf.config.experimental.get_device_details = lambda device: {"device_name": device}  # pyright: ignore
    found = environment.environment()
    for fact in (found["bits"]["cuDNN"], found["cuda"]["installed"], found["bits"]["driver"]):
        assert set(fact) == {"unknown"}, fact
    assert lacking(found["bits"]["instruction sets of Eigen"])
