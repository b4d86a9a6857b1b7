"""Which machine this is: another one where bits may differ, the same where they may not."""

import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from repro.drift.effects import BITS, IRRELEVANT
from repro.drift.environment_differences import drift
from repro.machine import processor as module
from repro.machine.identity import machine
from repro.machine.processor import IDLE, computing, processor
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


def test_it_is_the_same_machine_with_another_kernel_or_microcode(cpuinfo: Path) -> None:
    before = machine()
    text = cpuinfo.read_text()
    text = text.replace(" hypervisor", " ibpb retpoline").replace("2499", "3100")
    cpuinfo.write_text(text.replace("0x5003901", "0x5003902"))
    assert machine() == before


class Virtual:
    """A virtual machine: what Linux lists of its processors, and of the caches that they share."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.size = folder, "32768K"

    def have(self, online: Sequence[int], *, flags: str = "") -> None:
        """Gives it the processors with these numbers; a list of them is all that changes."""
        (self.folder / "cpuinfo").write_text(
            "\n".join(XEON.format(number=number).rstrip("\n") + flags + "\n" for number in online)
        )
        system = self.folder / "cpu"
        shutil.rmtree(system, ignore_errors=True)
        for number in online:
            self._cache(system / f"cpu{number}/cache/index0", "1", "Data", "32K", [number])
            self._cache(system / f"cpu{number}/cache/index3", "3", "Unified", self.size, online)

    @staticmethod
    def _cache(folder: Path, level: str, kind: str, size: str, shared: Sequence[int]) -> None:
        folder.mkdir(parents=True)
        words = f"{sum(1 << number for number in shared):016x}"
        values = {"level": level, "type": kind, "size": size,
                  "shared_cpu_map": f"{words[:8]},{words[8:]}"}  # fmt: skip
        for name, value in values.items():
            (folder / name).write_text(f"{value}\n")


@pytest.fixture
def virtual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Virtual:
    monkeypatch.setattr(module, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(module, "PROCESSORS", tmp_path / "cpu")
    return Virtual(tmp_path)


def test_caches_and_how_many_processors_share_each_are_told_apart(virtual: Virtual) -> None:
    virtual.have([0, 1, 34])
    found = processor()
    assert found["caches"] == {"L1 data": "32K", "L3 unified": "32768K"}
    assert found["cache sharing"] == {"L1 data": 1, "L3 unified": 3}


@pytest.mark.parametrize(
    ("online", "flags"),
    [
        ([0, 1, 2, 3], ""),
        ([0], ""),
        ([0], " up"),  # a kernel for several processors, on one
        ([0, 1], " ht topoext nodeid_msr"),  # several in one package
        ([1], ""),  # the first one is switched off
        ([10, 9], ""),
    ],
)
def test_more_or_fewer_processors_are_the_same_machine(
    online: list[int], flags: str, virtual: Virtual
) -> None:
    virtual.have([0, 1])
    before, facts = machine(), {"cpu": processor()}
    virtual.have(online, flags=flags)
    assert machine() == before
    odd = [d for d in drift(facts, {"cpu": processor()}) if d.effect != IRRELEVANT]
    assert odd == []


def test_caches_of_another_size_are_another_machine(virtual: Virtual) -> None:
    virtual.have([0, 1])
    before, facts = machine(), {"cpu": processor()}
    virtual.size = "16384K"
    virtual.have([0, 1])
    assert machine() != before
    assert [d.effect for d in drift(facts, {"cpu": processor()})] == [BITS]


@pytest.mark.parametrize("shown", ["0xffffffff", "0x1", "0x1000065"])
def test_what_a_hypervisor_shows_in_place_of_the_microcode_is_not_taken_for_it(
    shown: str, cpuinfo: Path
) -> None:
    cpuinfo.write_text(cpuinfo.read_text().replace("0x5003901", shown))
    (why,) = processor()["microcode"].values()
    assert set(processor()["microcode"]) == {"not applicable"}
    assert "hypervisor" in why
    cpuinfo.write_text(cpuinfo.read_text().replace(" hypervisor", ""))
    assert processor()["microcode"] == shown


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
    monkeypatch.setattr(module, "PROCESSORS", tmp_path)
    found = processor()
    for name in ("model", "stepping", "microcode", "flags", "caches", "cache sharing"):
        assert set(found[name]) == {"unknown"}, name
    assert re.fullmatch("[0-9a-f]{64}", machine())


def test_no_instruction_set_counts_as_idle() -> None:
    sets = ["sse4_1", "avx", "avx2", "avx512f", "avx512_bf16", "amx_tile", "fma", "f16c", "bmi2",
            "asimd", "sve", "fphp"]  # fmt: skip
    assert computing([*sets, *IDLE]) == sorted(sets)


def test_to_ask_needs_only_the_standard_library(fresh: Fresh) -> None:
    source = (
        "import sys; from repro.machine.identity import machine; machine(); print(*sys.modules)"
    )
    done = fresh(source)
    assert done.returncode == 0, done.stderr
    assert not {"numpy", "yaml", "jsonschema", "tensorflow"} & set(done.stdout.split())
