"""The record of the environment: what is known, and a reason for whatever is not."""

import importlib.metadata
import json
import platform
import sys
from pathlib import Path
from typing import Any

import pytest
from repro.machine.fact import unknown
from repro.record import environment as module
from repro.record.environment import environment


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in leaves(part)]
    return [leaf for part in value for leaf in leaves(part)] if isinstance(value, list) else [value]


def test_versions_are_those_of_this_process() -> None:
    found = environment()
    assert found["python"]["version"] == platform.python_version()
    assert found["packages"]["numpy"] == importlib.metadata.version("numpy")
    assert found["system"]["kernel"] == platform.release()
    assert None not in leaves(found)
    json.dumps(found, allow_nan=False)


def test_what_is_not_known_has_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    def unreadable(*_: Any) -> str:
        raise OSError("cannot be read")

    own = Path.read_text

    def system_files_are_unreadable(path: Path, *arguments: Any, **named: Any) -> str:
        return unreadable() if path.is_relative_to("/proc") else own(path, *arguments, **named)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    monkeypatch.setattr(Path, "read_text", system_files_are_unreadable)
    monkeypatch.setattr(platform, "freedesktop_os_release", unreadable)
    found = environment()
    for value in (
        found["packages"]["keras"], found["cuda"]["loaded"],
        found["cpu"]["model"], found["cpu"]["flags"], found["cpu"]["microcode"],
        found["system"]["distribution"], found["gpu"],
    ):  # fmt: skip
        assert set(value) == {"unknown"}, value
        assert value["unknown"]


def test_a_distribution_without_a_name_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "freedesktop_os_release", dict)
    assert set(environment()["system"]["distribution"]) == {"unknown"}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_another_system_says_that_it_lists_no_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert "win32" in environment()["cuda"]["loaded"]["unknown"]


RECORDED = ["TF_ENABLE_ONEDNN_OPTS", "TF_CPP_MIN_LOG_LEVEL", "TF_XLA_FLAGS", "XLA_FLAGS",
            "TF_DETERMINISTIC_OPS", "TF_CUDNN_DETERMINISTIC", "TF_NUM_INTRAOP_THREADS",
            "TF_USE_LEGACY_KERAS", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES",
            "PYTHONHASHSEED", "TZ", "LC_ALL", "KERAS_BACKEND", "ONEDNN_MAX_CPU_ISA",
            "TENSORFLOW_USE_CUSTOM_CONTRACTION_KERNEL", "LD_LIBRARY_PATH"]  # fmt: skip
SECRET = ["TF_VAR_password", "TF_TOKEN_registry", "TF_CLI_CONFIG_FILE", "TF_CLI_ARGS", "HOME",
          "AWS_SECRET_ACCESS_KEY", "USER", "PATH", "NVIDIA_API_KEY", "TF_LOG_PATH",
          "KERAS_TOKEN", "NGC_API_KEY"]  # fmt: skip


def test_only_what_can_change_bits_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*RECORDED, *SECRET]:
        monkeypatch.setenv(name, f"value of {name}")
    found = environment()
    assert {n: found["variables"].get(n) for n in RECORDED} == {
        n: f"value of {n}" for n in RECORDED
    }
    text = json.dumps(found)
    assert not [name for name in SECRET if f"value of {name}" in text]


def test_unknown_is_a_mapping_with_a_reason() -> None:
    assert unknown("why") == {"unknown": "why"}
    assert module.environment()["gpu"] == unknown(
        "this step does not load TensorFlow, so no device was asked"
    )
