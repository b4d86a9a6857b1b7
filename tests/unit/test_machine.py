"""Which machine this is: another one where bits may differ, the same where they may not."""

import re
import sys
from pathlib import Path

import pytest
from repro.record import processor as module
from repro.record.machine import machine
from repro.record.processor import IDLE, computing, processor
from samples import Fresh

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

XEON = """\
processor\t: {number}
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 85
model name\t: Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz
stepping\t: 7
microcode\t: 0x5003901
cpu MHz\t\t: 2499.998
flags\t\t: fpu sse4_1 sse4_2 avx avx2 fma avx512f avx512bw avx512vl avx512dq hypervisor
"""
GRAVITON = """\
processor\t: 0
BogoMIPS\t: 243.75
Features\t: fp asimd evtstrm aes sve bf16
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x1
CPU part\t: 0xd40
CPU revision\t: 1
"""


@pytest.fixture
def cpuinfo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "cpuinfo"
    file.write_text(XEON.format(number=0))
    monkeypatch.setattr(module, "CPUINFO", file)
    return file


CHANGES = {
    "model": ("Platinum 8259CL", "Platinum 8275CL"),
    "family": ("model\t\t: 85", "model\t\t: 106"),
    "stepping": ("stepping\t: 7", "stepping\t: 5"),
    "an instruction set less": (" avx512dq", ""),
    "an instruction set that nobody knows": (" hypervisor", " hypervisor avx99"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_another_processor_is_another_machine(change: str, cpuinfo: Path) -> None:
    before = machine()
    assert before == machine()
    cpuinfo.write_text(cpuinfo.read_text().replace(*CHANGES[change]))
    assert machine() != before


def test_it_is_the_same_machine_with_another_kernel_or_more_processors(cpuinfo: Path) -> None:
    before = machine()
    text = cpuinfo.read_text()
    text = text.replace(" hypervisor", " ibpb retpoline").replace("2499", "3100")
    cpuinfo.write_text(f"{text}\n{XEON.format(number=1)}".replace("0x5003901", "0x5003902"))
    assert machine() == before


def test_other_caches_are_another_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def put(size: str, shared: str) -> None:
        folder = tmp_path / "index3"
        folder.mkdir(exist_ok=True)
        values = {"level": "3", "type": "Unified", "size": size, "shared_cpu_map": shared}
        for name, value in values.items():
            (folder / name).write_text(f"{value}\n")

    monkeypatch.setattr(module, "CACHES", tmp_path)
    put("32768K", "00000000,00000003")
    assert module.caches() == {"L3 unified": "32768K, for 2 processor(s)"}
    found = {machine()}
    put("16384K", "00000000,00000003")
    found.add(machine())
    put("16384K", "ffffffff,0000000f")
    assert module.caches() == {"L3 unified": "16384K, for 36 processor(s)"}
    assert len({*found, machine()}) == 3


def test_a_processor_without_a_name_is_told_by_its_maker_and_part(cpuinfo: Path) -> None:
    cpuinfo.write_text(GRAVITON)
    found = processor()
    assert found["model"] == "CPU implementer 0x41, CPU variant 0x1, CPU part 0xd40"
    assert found["stepping"] == "1"
    assert "sve" in found["flags"]
    assert set(found["microcode"]) == {"unknown"}


def test_what_the_system_does_not_tell_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CPUINFO", tmp_path / "none")
    monkeypatch.setattr(module, "CACHES", tmp_path)
    found = processor()
    for name in ("model", "stepping", "microcode", "flags", "caches"):
        assert set(found[name]) == {"unknown"}, name
    assert re.fullmatch("[0-9a-f]{64}", machine())


def test_no_instruction_set_counts_as_idle() -> None:
    sets = ["sse4_1", "avx", "avx2", "avx512f", "avx512_bf16", "amx_tile", "fma", "f16c", "bmi2",
            "asimd", "sve", "fphp"]  # fmt: skip
    assert computing([*sets, *IDLE]) == sorted(sets)


def test_to_ask_needs_only_the_standard_library(fresh: Fresh) -> None:
    source = "import sys; from repro.record.machine import machine; machine(); print(*sys.modules)"
    done = fresh(source)
    assert done.returncode == 0, done.stderr
    assert not {"numpy", "yaml", "jsonschema", "tensorflow"} & set(done.stdout.split())
