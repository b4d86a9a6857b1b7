"""Drift: every changed fact is found, sorted by what it may do, and told so that it can be read."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from repro.cli import drift as command
from repro.core.digest import sha256_file
from repro.core.errors import UserError
from repro.drift.effects import BITS, EFFECTS, IRRELEVANT, METRICS, UNLISTED, effect
from repro.drift.environment_differences import GOALS, claims, drift
from repro.drift.facts import facts
from repro.machine.fact import inapplicable, unknown
from repro.machine.instructions import EIGEN
from repro.machine.numerics import NO_GPU
from repro.machine.processor import microcode
from repro.record import manifest
from repro.record.older_formats import today
from repro.record.step import Step


def known(value: Any) -> dict[str, Any]:
    return {"value": value, "by": "it was asked"}


FACTS: dict[str, Any] = {
    "python": {"version": "3.11.15", "implementation": "CPython", "build": "main, Mar  5"},
    "packages": {"tensorflow": "2.21.0", "keras": "3.15.1", "numpy": "2.4.6"},
    "cuda": {
        "built_for": {"cuda_version": "12.5.1", "cudnn_version": "9"},
        "installed": {"nvidia-cudnn-cu12": "9.3.0.75"},
        "loaded": ["libcudart.so.12", "libcudnn.so.9"],
        "driver": {"version": "565.57.01", "module": "open"},
    },
    "system": {
        "name": "Linux", "kernel": "6.1.0-28", "distribution": "Debian GNU/Linux 12",
        "libc": "glibc 2.36",
    },
    "cpu": {
        "architecture": "x86_64", "model": "AMD EPYC (cpu family 25, model 17)", "stepping": "1",
        "microcode": "0xa101144", "flags": ["avx2", "avx512f", "fma", "hypervisor", "sse4_1"],
        "caches": {"L1 data": "32K", "L3 unified": "32M"},
        "cache sharing": {"L1 data": 1, "L3 unified": 2}, "count": 2, "available": 2,
    },
    "gpu": [{"device_name": "NVIDIA H100 80GB HBM3", "compute_capability": "(9, 0)"}],
    "variables": {
        "PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C.UTF-8", "OMP_NUM_THREADS": "2",
        "OPENBLAS_NUM_THREADS": "1", "TF_ENABLE_ONEDNN_OPTS": "1", "TF_CPP_MIN_LOG_LEVEL": "2",
    },
    "bits": {
        "instruction sets of oneDNN": known("avx512_core"),
        "instruction sets of NumPy": known({"baseline": ["X86_V2"], "dispatched": ["X86_V4"]}),
        "caps": known({}),
        "BLAS": known([{"file": "libscipy_openblas64_.so", "core": "SkylakeX", "threads": 1}]),
        "oneDNN": known(True),
        "threads": known({"intra": 2, "inter": 1}),
        "op determinism": known(True),
        "XLA": known({"jit": "off", "XLA_FLAGS": ""}),
        "TF32": known({"on": False}),
        "Keras": known({"policy": "float32"}),
        "floating point": known({"subnormal results": "kept"}),
        "arithmetic of TensorFlow": known({"convolution": "e0c01db352315fd8"}),
        "GPU": known([{"name": "NVIDIA H100 80GB HBM3", "compute capability": "9.0"}]),
        "CUDA runtime": known(12050),
        "cuDNN": known(90300),
        "memory allocator": known({"mapped": [], "preloaded": []}),
    },
    "loaded": {
        "packages": ["keras", "numpy", "python", "tensorflow", "absl-py"],
        "host": {"/usr/lib/x86_64-linux-gnu/libm.so.6": "a" * 64,
                 "/usr/lib/x86_64-linux-gnu/libstdc++.so.6": "b" * 64},
    },
    "installed": {"lock": "sha256:" + "c" * 64, "channel": "locked", "platform": "linux-64",
                  "environment": "keras"},
    "locked": {
        "pkg:pypi/tensorflow@2.21.0": "1" * 64, "pkg:pypi/keras@3.15.1": "2" * 64,
        "pkg:pypi/numpy@2.4.6": "3" * 64, "pkg:pypi/absl-py@2.3.1": "4" * 64,
        "pkg:pypi/rich@14.0.0": "5" * 64,
        "pkg:conda/python@3.11.15?build=h9e4cc4f_0_cpython": "6" * 64,
    },
}  # fmt: skip


def put(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Another value at one place; `None` takes it away."""
    *way, last = path.split("/")

    def change(facts: dict[str, Any]) -> None:
        for key in way:
            facts = facts[key]
        assert facts.get(last) != value
        if value is None:
            del facts[last]
        else:
            facts[last] = value

    return change


def package(old: str, new: str, digest: str = "9" * 64) -> Callable[[dict[str, Any]], None]:
    def change(facts: dict[str, Any]) -> None:
        del facts["locked"][f"pkg:{old}"]
        facts["locked"][f"pkg:{new}"] = digest

    return change


def more(uri: str) -> Callable[[dict[str, Any]], None]:
    return lambda facts: facts["locked"].update({uri: "7" * 64})


def less(uri: str) -> Callable[[dict[str, Any]], None]:
    return lambda facts: facts["locked"].pop(uri)


def host(name: str, digest: str) -> Callable[[dict[str, Any]], None]:
    def change(facts: dict[str, Any]) -> None:
        facts["loaded"]["host"][f"/usr/lib/x86_64-linux-gnu/{name}"] = digest

    return change


KINDS: dict[str, tuple[Callable[[dict[str, Any]], None], str, str]] = {
    # name: (the change, what is told, the class)
    "TensorFlow": (
        package("pypi/tensorflow@2.21.0", "pypi/tensorflow@2.22.0"),
        "package tensorflow (version)", METRICS),
    "Keras": (
        package("pypi/keras@3.15.1", "pypi/keras@3.16.0"), "package keras (version)", METRICS),
    "NumPy": (package("pypi/numpy@2.4.6", "pypi/numpy@2.5.0"), "package numpy (version)", METRICS),
    "a build of TensorFlow": (
        package("pypi/tensorflow@2.21.0", "pypi/tensorflow@2.21.0"),
        "package tensorflow (sha256)", BITS),
    "another package": (
        package("pypi/absl-py@2.3.1", "pypi/absl-py@2.4.0"), "package absl-py (version)", BITS),
    "a package that was not loaded": (
        package("pypi/rich@14.0.0", "pypi/rich@15.0.0"), "package rich (version)", IRRELEVANT),
    "a package more": (more("pkg:pypi/tensorflow-metal@1.2.0"),
                       "package tensorflow-metal", BITS),
    "a package less": (less("pkg:pypi/absl-py@2.3.1"), "package absl-py", BITS),
    "Python": (put("python/version", "3.11.16"), "Python: version", METRICS),
    "Python's build": (
        package("conda/python@3.11.15?build=h9e4cc4f_0_cpython", "conda/python@3.11.15?build=h1_1"),
        "package python (build)", BITS),
    "the lock": (put("installed/lock", "sha256:" + "d" * 64), "environment: lock", IRRELEVANT),
    "the channel": (put("installed/channel", "local"), "environment: channel", BITS),
    "the platform": (put("installed/platform", "osx-arm64"), "environment: platform", METRICS),
    "the architecture": (put("cpu/architecture", "aarch64"), "processor: architecture", METRICS),
    "the processor": (put("cpu/model", "Intel(R) Xeon(R)"), "processor: model", BITS),
    "the stepping": (put("cpu/stepping", "2"), "processor: stepping", BITS),
    "the microcode": (put("cpu/microcode", "0xa101148"), "processor: microcode", BITS),
    "an instruction set": (put("cpu/flags", ["avx2", "fma", "hypervisor", "sse4_1"]),
                           "processor: flags", BITS),
    "a flag of the kernel": (put("cpu/flags", ["avx2", "avx512f", "fma", "ibpb", "sse4_1"]),
                             "processor: flags", IRRELEVANT),
    "the caches": (put("cpu/caches/L3 unified", "16M"), "processor: caches (L3 unified)", BITS),
    "the processors that share a cache": (
        put("cpu/cache sharing/L3 unified", 4),
        "processor: cache sharing (L3 unified)", IRRELEVANT),
    "the number of processors": (put("cpu/count", 64), "processor: count", IRRELEVANT),
    "the processors available": (put("cpu/available", 1), "processor: available", IRRELEVANT),
    "what oneDNN may use": (put("bits/instruction sets of oneDNN", known("avx2")),
                            "instruction sets of oneDNN", BITS),
    "what NumPy may use": (put("bits/instruction sets of NumPy/value/dispatched", []),
                           "instruction sets of NumPy (dispatched)", BITS),
    "a cap": (put("bits/caps/value/ONEDNN_MAX_CPU_ISA", "AVX2"), "caps (ONEDNN_MAX_CPU_ISA)", BITS),
    "the threads": (put("bits/threads/value/intra", 4), "threads (intra)", BITS),
    "the core of BLAS": (put("bits/BLAS", known([{"core": "Haswell"}])), "BLAS", BITS),
    "oneDNN off": (put("bits/oneDNN", known(False)), "oneDNN", BITS),
    "op determinism off": (put("bits/op determinism", known(False)), "op determinism", BITS),
    "XLA on": (put("bits/XLA/value/jit", "autoclustering"), "XLA (jit)", BITS),
    "TF32 on": (put("bits/TF32/value/on", True), "TF32 (on)", METRICS),
    "mixed precision": (put("bits/Keras/value/policy", "mixed_float16"), "Keras (policy)", METRICS),
    "small numbers flushed": (put("bits/floating point/value/subnormal results", "flushed"),
                              "floating point (subnormal results)", BITS),
    "measured arithmetic": (put("bits/arithmetic of TensorFlow/value/convolution", "0" * 16),
                            "arithmetic of TensorFlow (convolution)", BITS),
    "the allocator": (put("bits/memory allocator/value/preloaded", ["libjemalloc.so.2"]),
                      "memory allocator (preloaded)", BITS),
    "the GPU": (put("gpu", []), "gpu", BITS),
    "the GPU in the bits": (put("bits/GPU", known([])), "GPU", BITS),
    "CUDA's runtime": (put("bits/CUDA runtime", known(12060)), "CUDA runtime", BITS),
    "cuDNN": (put("bits/cuDNN", known(90400)), "cuDNN", BITS),
    "the driver": (put("cuda/driver/version", "570.86.15"), "CUDA: driver (version)", BITS),
    "a library of CUDA": (put("cuda/installed/nvidia-cudnn-cu12", "9.4"),
                          "CUDA: installed (nvidia-cudnn-cu12)", BITS),
    "libm": (host("libm.so.6", "e" * 64), "library of the system libm.so.6", BITS),
    "libstdc++": (host("libstdc++.so.6", "e" * 64), "library of the system libstdc++.so.6", BITS),
    "a host library that only this process loads": (
        host("librt.so.1", "e" * 64), "library of the system librt.so.1", IRRELEVANT),
    "a host library less": (put("loaded/host", {}), "library of the system libm.so.6", BITS),
    "libc": (put("system/libc", "glibc 2.41"), "system: libc", BITS),
    "the kernel": (put("system/kernel", "6.12.1"), "system: kernel", IRRELEVANT),
    "the distribution": (put("system/distribution", "Ubuntu 24.04"), "system: distribution",
                         IRRELEVANT),
    "the operating system": (put("system/name", "Darwin"), "system: name", METRICS),
    "the time zone": (put("variables/TZ", "Asia/Tokyo"), "environment variable TZ", IRRELEVANT),
    "the locale": (put("variables/LC_ALL", "tr_TR.UTF-8"), "environment variable LC_ALL",
                   IRRELEVANT),
    "the hash seed": (put("variables/PYTHONHASHSEED", "1"), "environment variable PYTHONHASHSEED",
                      IRRELEVANT),
    "the log level": (put("variables/TF_CPP_MIN_LOG_LEVEL", "0"),
                      "environment variable TF_CPP_MIN_LOG_LEVEL", IRRELEVANT),
    "threads of BLAS": (put("variables/OPENBLAS_NUM_THREADS", "2"),
                        "environment variable OPENBLAS_NUM_THREADS", BITS),
    "oneDNN's variable": (put("variables/TF_ENABLE_ONEDNN_OPTS", "0"),
                          "environment variable TF_ENABLE_ONEDNN_OPTS", BITS),
    "a preloaded library": (put("variables/LD_PRELOAD", "/opt/libx.so"),
                            "environment variable LD_PRELOAD", BITS),
    "another backend": (put("variables/KERAS_BACKEND", "jax"), "environment variable KERAS_BACKEND",
                        METRICS),
    "a variable that nobody knows": (put("variables/TF_USE_SOMETHING", "1"),
                                     "environment variable TF_USE_SOMETHING", BITS),
    "how a value was learnt": (put("bits/oneDNN/by", "it was asked otherwise"), "oneDNN (by)",
                               IRRELEVANT),
    "a fact that nobody knows": (put("weather", "rain"), "weather", BITS),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_fact_is_found_and_has_its_class(kind: str) -> None:
    change, what, effect = KINDS[kind]
    present = copy.deepcopy(FACTS)
    change(present)
    found = {difference.what: difference for difference in drift(FACTS, present)}
    assert found[what].effect == effect
    assert found[what].why
    assert found[what].was != found[what].now
    # One change of a version is one difference, not three.
    assert len(found) == (2 if kind == "a host library less" else 1)


UNKNOWN = [
    ("bits/threads", "threads", BITS), ("bits/TF32", "TF32", METRICS), ("cpu/flags", "processor: "
    "flags", BITS), ("cpu/caches", "processor: caches", BITS), ("gpu", "gpu", BITS),
    ("system/distribution", "system: distribution", IRRELEVANT),
    ("cuda/driver", "CUDA: driver", BITS), ("loaded/host", "loaded: host", BITS),
]  # fmt: skip


@pytest.mark.parametrize(("path", "what", "effect"), UNKNOWN)
@pytest.mark.parametrize("side", [0, 1])
def test_what_one_side_does_not_know_is_a_difference_of_the_same_class(
    path: str, what: str, effect: str, side: int
) -> None:
    other = copy.deepcopy(FACTS)
    put(path, unknown("it cannot be read"))(other)
    (found,) = drift(other, FACTS) if side else drift(FACTS, other)
    assert (found.what, found.effect) == (what, effect)
    assert "unknown (it cannot be read)" in (found.was if side else found.now)


@pytest.mark.parametrize("side", [0, 1])
def test_what_one_side_does_not_have_is_told_with_the_reason(side: int) -> None:
    other = copy.deepcopy(FACTS)
    put("cpu/microcode", inapplicable("the hypervisor hides it"))(other)
    (found,) = drift(other, FACTS) if side else drift(FACTS, other)
    assert (found.what, found.effect) == ("processor: microcode", BITS)
    assert "not applicable (the hypervisor hides it)" in (found.was if side else found.now)


OLDER = Path(__file__).parents[1] / "archives/manifests/format-1/train.manifest.json"


def test_a_manifest_of_an_earlier_program_reads_as_the_same_machine() -> None:
    """It says how many processors share a cache beside its size, and knows nothing else to say."""
    value = json.loads(OLDER.read_text("utf-8"))
    recorded, step = value["predicate"]["repro_record"]["environment"], Step(OLDER, value)
    assert recorded["cpu"]["caches"]["L3 unified"] == "32768K, for 2 processor(s)"
    present = {**copy.deepcopy(recorded), "locked": facts(step)["locked"]}
    present["cpu"] |= {
        "caches": {"L1 data": "32K", "L1 instruction": "32K", "L2 unified": "1024K",
                   "L3 unified": "32768K"},
        "cache sharing": {"L1 data": 1, "L1 instruction": 1, "L2 unified": 1, "L3 unified": 4},
        "count": 4, "available": 4, "microcode": microcode("0x1000065", ["hypervisor"]),
    }  # fmt: skip
    none = "no libcudnn is mapped in this process"
    present["bits"] |= {
        "instruction sets of Eigen": inapplicable(EIGEN),
        "cuDNN": inapplicable(f"{NO_GPU}: {none}"),
    }
    found = drift(facts(step), today(present))
    assert {difference.what for difference in found} == {
        "processor: count", "processor: available", "processor: cache sharing (L3 unified)",
    }  # fmt: skip
    assert {difference.effect for difference in found} == {IRRELEVANT}
    present["cpu"]["caches"]["L3 unified"] = "16384K"
    assert drift(facts(step), today(present))[0].effect == BITS


def test_what_is_said_in_the_words_of_today_stays() -> None:
    predicate = json.loads(OLDER.read_text("utf-8"))["predicate"]
    found = today(predicate["repro_record"]["environment"])
    assert today(found) == found


def test_a_step_without_tensorflow_does_not_hang_on_its_settings() -> None:
    recorded = copy.deepcopy(FACTS)
    put("bits/threads", unknown("this step does not load TensorFlow"))(recorded)
    (found,) = drift(recorded, FACTS)
    assert (found.what, found.effect) == ("threads", IRRELEVANT)
    # The other way round nothing is known of the present.
    assert drift(FACTS, recorded)[0].effect == BITS


def test_the_same_library_in_another_folder_is_the_same() -> None:
    present = copy.deepcopy(FACTS)
    present["loaded"]["host"] = {
        f"/lib64/{Path(path).name}": digest for path, digest in FACTS["loaded"]["host"].items()
    }
    assert drift(FACTS, present) == []


def test_differences_come_worst_first() -> None:
    present = copy.deepcopy(FACTS)
    for name in ("the kernel", "the threads", "Keras", "the stepping", "TF32 on"):
        KINDS[name][0](present)
    effects = [difference.effect for difference in drift(FACTS, present)]
    assert effects == [METRICS, METRICS, BITS, BITS, IRRELEVANT]


@pytest.mark.parametrize(
    ("kinds", "goals", "words"),
    [
        ([], GOALS, "all three: nothing differs that may change a bit."),
        (["the kernel"], GOALS, "all three: nothing differs that may change a bit."),
        (["the kernel", "the stepping"], ("metrics", "documented"), "metrics and documented: "),
        (["the stepping", "Keras"], ("documented",), "documented only: "),
    ],
)
def test_the_goals_that_can_still_be_claimed(
    kinds: list[str], goals: tuple[str, ...], words: str
) -> None:
    present = copy.deepcopy(FACTS)
    for kind in kinds:
        KINDS[kind][0](present)
    found = claims(drift(FACTS, present))
    assert found.goals == goals
    head = "Of the goals bitwise, metrics and documented you can still claim "
    assert found.sentence.startswith(head + words)


def test_what_stands_in_no_row_may_change_bits() -> None:
    assert effect("something/new") == (BITS, UNLISTED)


LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=4), st.lists(st.text(max_size=3), max_size=3),
)  # fmt: skip
KEYS = st.sampled_from(
    ["bits", "value", "by", "cpu", "flags", "locked", "loaded", "host", "unknown", "system", "x"]
)
VALUES = st.recursive(LEAVES, lambda inner: st.dictionaries(KEYS, inner, max_size=4), max_leaves=12)
ENVIRONMENTS = st.dictionaries(KEYS, VALUES, max_size=5)


@given(ENVIRONMENTS)
def test_nothing_drifts_from_itself(facts: dict[str, Any]) -> None:
    assert drift(facts, copy.deepcopy(facts)) == []


@given(ENVIRONMENTS, ENVIRONMENTS)
def test_whatever_differs_is_found(one: dict[str, Any], other: dict[str, Any]) -> None:
    found = drift(one, other)
    assert bool(found) == (json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True))
    assert {difference.effect for difference in found} <= set(EFFECTS)


def ways(value: Any, before: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if isinstance(value, dict):
        return [way for key in value for way in ways(value[key], (*before, key))]
    return [before]


@given(st.sampled_from(ways(FACTS)), LEAVES)
def test_any_single_leaf_that_changes_is_found(way: tuple[str, ...], value: Any) -> None:
    present = copy.deepcopy(FACTS)
    place = present
    for key in way[:-1]:
        place = place[key]
    assume(json.dumps(place[way[-1]]) != json.dumps(value))
    place[way[-1]] = value
    assert len(drift(FACTS, present)) == 1


def test_every_class_in_the_table_is_reached() -> None:
    assert {effect for _, _, effect in KINDS.values()} == set(EFFECTS)


def write(path: Path, facts: dict[str, Any]) -> Path:
    packages = [{"uri": u, "digest": {"sha256": d}} for u, d in facts["locked"].items()]
    environment = {key: value for key, value in facts.items() if key != "locked"}
    value = {"predicate": {"buildDefinition": {"resolvedDependencies": packages},
                           "repro_record": {"environment": environment}}}  # fmt: skip
    path.write_text(json.dumps(value))
    return path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a step finds now; manifests are read without their checks, which others test."""
    monkeypatch.setattr(manifest, "read", lambda path: json.loads(path.read_text()))
    environment = {key: value for key, value in FACTS.items() if key != "locked"}
    file = tmp_path / "now.json"
    file.write_text(json.dumps({"environment": environment, "packages": FACTS["locked"]}))
    return file


def test_results_that_nothing_drifted_from_are_told_together(here: Path, tmp_path: Path) -> None:
    paths = [write(tmp_path / name, FACTS) for name in ("a.json", "b.json")]
    text, status = command.told([(path, here) for path in paths])
    assert status == 0
    assert text == (
        f"{paths[0]}, {paths[1]}:\n  Nothing differs.\n  Of the goals bitwise, metrics and "
        "documented you can still claim all three: nothing differs that may change a bit.\n"
    )


def test_each_difference_is_told_with_its_class_and_the_reason(here: Path, tmp_path: Path) -> None:
    recorded = copy.deepcopy(FACTS)
    for name in ("the kernel", "the stepping", "the processor", "Keras"):
        KINDS[name][0](recorded)
    same = write(tmp_path / "same.json", FACTS)
    text, status = command.told([(write(tmp_path / "old.json", recorded), here), (same, here)])
    assert status == 1
    lines = text.splitlines()
    assert lines[1] == "  Metrics may change:"
    assert lines[2] == "    package keras (version): was 3.16.0; is 3.15.1."
    assert lines[3].startswith("      Why: versions of Keras differ in defaults")
    assert lines[4] == "  Bits may change:"
    # Two with one reason are told with it once.
    assert lines[5].startswith("    processor: model: was Intel(R) Xeon(R); is AMD EPYC")
    assert lines[6] == "    processor: stepping: was 2; is 1."
    assert lines[7].startswith("      Why: libraries choose their kernels")
    assert lines[8] == "  Irrelevant:"
    assert lines[11].endswith("What was done stays documented.")
    assert lines[12] == ""
    assert lines[13] == f"{same}:"


def test_versions_and_hardware_are_named_where_the_seed_is_the_same(
    here: Path, tmp_path: Path
) -> None:
    """Other numbers from the same seed are not the seed's fault: what else differs is named."""
    recorded = copy.deepcopy(FACTS)
    for name in ("TensorFlow", "the processor"):
        KINDS[name][0](recorded)
    path = write(tmp_path / "train.manifest.json", recorded)
    value = json.loads(path.read_text())
    value["predicate"]["buildDefinition"]["externalParameters"] = {"parameters": {"seed": 7}}
    path.write_text(json.dumps(value))
    text, status = command.told([(path, here)])
    named = [line.strip().split(":")[0] for line in text.splitlines() if ": was " in line]
    heads = [line.strip() for line in text.splitlines() if line.endswith(" may change:")]
    assert status == 1
    assert heads == ["Metrics may change:", "Bits may change:"]
    assert named == ["package tensorflow (version)", "processor"]
    assert "from one seed (TensorFlow's guide" in text
    assert "you can still claim documented only" in text


def test_a_library_that_only_the_result_had_loaded_is_looked_at_now(
    here: Path, tmp_path: Path
) -> None:
    library = tmp_path / "libm.so.7"
    library.write_bytes(b"now")
    recorded = copy.deepcopy(FACTS)
    recorded["loaded"]["host"][str(library)] = "f" * 64
    text, status = command.told([(write(tmp_path / "old.json", recorded), here)])
    assert status == 1
    now = sha256_file(library)
    assert (
        f"library of the system libm.so.7: was sha256 {'f' * 12}…; is sha256 {now[:12]}…." in text
    )
    recorded["loaded"]["host"][str(library)] = now
    assert command.told([(write(tmp_path / "old.json", recorded), here)])[1] == 0


def test_without_a_result_nothing_has_drifted() -> None:
    assert command.told([]) == (
        "No result was found, so nothing can have drifted from one.\n", 0,
    )  # fmt: skip


def test_a_present_that_cannot_be_read_is_told(here: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "old.json", FACTS)
    for text in ("{", "[]", "{}"):
        here.write_text(text)
        with pytest.raises(UserError, match=r"Expected what a step finds around it now, at .*now"):
            command.told([(path, here)])
