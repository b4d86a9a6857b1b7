"""Rendered files: only those of the present lock, and all of them, are accepted."""

from pathlib import Path

import pytest
from repro.core.errors import UserError
from repro.record.environment_files import check_renders
from repro.record.installed import digest


@pytest.fixture
def renders(tmp_path: Path) -> tuple[Path, Path]:
    """A lock and the files of one environment that belong to it."""
    lock, envs = tmp_path / "conda-lock.yml", tmp_path / "envs"
    lock.write_text("version: 1\n")
    line = f"# lock: {digest(lock)}\n"
    envs.mkdir()
    (envs / "keras.yaml").write_text(f"# made\n{line}channels: []\n")
    (envs / "keras.linux-64.pin.txt").write_text(f"@EXPLICIT\n{line}")
    (envs / "keras.post-deploy.sh").write_text(f"#!/bin/sh\n# made\n{line}exit\n")
    return lock, envs


def test_renders_of_the_lock_are_accepted(renders: tuple[Path, Path]) -> None:
    check_renders(*renders, "keras", "linux-64")


@pytest.mark.parametrize("file", ["keras.yaml", "keras.linux-64.pin.txt", "keras.post-deploy.sh"])
def test_a_missing_render_is_refused(renders: tuple[Path, Path], file: str) -> None:
    (renders[1] / file).unlink()
    with pytest.raises(UserError, match=rf"{file}, rendered .* Received no such file\. Run `"):
        check_renders(*renders, "keras", "linux-64")


def test_renders_of_another_lock_or_platform_are_refused(renders: tuple[Path, Path]) -> None:
    with pytest.raises(UserError, match=r"keras\.osx-arm64\.pin\.txt"):
        check_renders(*renders, "keras", "osx-arm64")
    renders[0].write_text("version: 2\n")
    with pytest.raises(UserError, match="Received one from another lock"):
        check_renders(*renders, "keras", "linux-64")
    renders[0].unlink()
    with pytest.raises(UserError, match="Expected a lock at"):
        check_renders(*renders, "keras", "linux-64")
