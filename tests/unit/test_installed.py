"""The record of an environment: whatever changes afterwards is found, and nothing else."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from repro.core.errors import UserError
from repro.record import installed

FACTS = {"lock": "sha256:00", "channel": "local", "platform": "linux-64", "packages": []}

NAMES = st.text("ab._é ", min_size=1, max_size=3).filter(lambda name: name not in (".", ".."))
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
TREES = st.dictionaries(PATHS, st.binary(min_size=1, max_size=20), min_size=1, max_size=8)


def build(root: Path, tree: dict[str, bytes]) -> list[Path]:
    """Write a tree, without the files whose path another one needs for a folder."""
    files: list[Path] = []
    for name, content in tree.items():
        path = root / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            files.append(path)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            continue
    return files


def record(root: Path) -> None:
    installed.record(root, installed.survey(root), FACTS)


@pytest.fixture
def env(tmp_path: Path) -> Path:
    root = tmp_path / "env"
    build(root, {"bin/python": b"#!", "lib/a.py": b"x = 1\n", "lib/b.py": b"y = 2\n"})
    (root / "lib" / "link.py").symlink_to("a.py")
    record(root)
    return root


def flip(file: Path) -> None:
    """Change one bit, and set the times back."""
    status = file.stat()
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def lengthen(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"\0")


def remove(file: Path) -> None:
    file.unlink()


def add_file(file: Path) -> None:
    file.with_name(file.name + "+").touch()


def add_folder(file: Path) -> None:
    file.with_name(file.name + "+").mkdir()


def make_link(file: Path) -> None:
    """Put a link to a file with the same bytes in its place."""
    with tempfile.NamedTemporaryFile(delete=False) as copy:
        copy.write(file.read_bytes())
    file.unlink()
    file.symlink_to(copy.name)


def make_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


CHANGES: list[Callable[[Path], None]] = [
    flip,
    lengthen,
    remove,
    add_file,
    add_folder,
    make_link,
    make_folder,
]


@given(TREES, st.sampled_from(CHANGES), st.data())
def test_any_single_change_is_found(
    tree: dict[str, bytes], change: Callable[[Path], None], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "env"
        files = build(root, tree)
        record(root)
        assert installed.check(root) == []
        file = data.draw(st.sampled_from(files))
        change(file)
        problems = installed.check(root)
        assert any(str(file) in problem for problem in problems)


def test_the_same_bytes_again_are_sound(env: Path, tmp_path: Path) -> None:
    """Another inode and other times, as after a copy, are no change."""
    (env / "lib" / "a.py").unlink()
    (env / "lib" / "a.py").write_bytes(b"x = 1\n")
    os.utime(env / "lib" / "b.py", (0, 0))
    assert installed.check(env) == []
    shutil.copytree(env, tmp_path / "copy", symlinks=True)
    assert installed.check(tmp_path / "copy") == []


def test_each_difference_has_its_sentence(env: Path) -> None:
    flip(env / "lib" / "a.py")
    (env / "lib" / "b.py").unlink()
    (env / "lib" / "c.py").touch()
    (env / "lib" / "link.py").unlink()
    (env / "lib" / "link.py").symlink_to("c.py")
    problems = installed.check(env)
    assert len(problems) == 4
    text = "\n".join(problems)
    assert f"Expected {env}/lib/a.py to be sha256:" in text
    assert f"Expected {env}/lib/b.py. Received nothing there." in text
    assert f"Expected nothing at {env}/lib/c.py. Received what was added since." in text
    assert f"Expected {env}/lib/link.py to be a link to a.py. Received a link to c.py." in text


def test_compiled_files_of_another_python_are_refused_with_the_reason(env: Path) -> None:
    build(env, {"lib/__pycache__/a.cpython-311.pyc": b"code"})
    problems = installed.check(env)
    assert "as by a Python started without -B (removing it is enough)" in problems[-1]
    shutil.rmtree(env / "lib" / "__pycache__")
    assert installed.check(env) == []


def test_a_pipe_is_not_waited_for(env: Path) -> None:
    (env / "lib" / "a.py").unlink()
    os.mkfifo(env / "lib" / "a.py")
    (problem,) = installed.check(env)
    assert problem.endswith("Received neither a file nor a link.")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"files": 3}'])
def test_a_damaged_record_is_refused(env: Path, content: bytes) -> None:
    (env / installed.RECORD).write_bytes(content)
    (problem,) = installed.check(env)
    assert problem.startswith(f"Expected to read all of {env}. Received ")


def test_without_a_record_the_installation_was_interrupted(env: Path) -> None:
    (env / installed.RECORD).unlink()
    (problem,) = installed.check(env)
    assert problem == (
        f"Expected {env}/{installed.RECORD}, with which an installation ends. "
        "Received no such file."
    )


def test_require_says_which_folder_to_remove(env: Path) -> None:
    installed.require(env)
    for number in range(7):
        (env / f"{number}.py").touch()
    with pytest.raises(UserError) as refused:
        installed.require(env)
    assert str(refused.value).count("Received what was added since.") == installed.SHOWN
    assert "And 2 more." in str(refused.value)
    assert f"Remove the folder {env} and the file {env}.env_setup_done beside it" in str(
        refused.value
    )


def test_read_gives_the_facts_back_without_the_files(env: Path) -> None:
    assert installed.read(env) == FACTS
    with pytest.raises(FileNotFoundError):
        installed.read(env / "lib")


def test_a_record_is_written_whole_or_not_at_all(env: Path) -> None:
    before = (env / installed.RECORD).read_bytes()
    with pytest.raises(TypeError):
        installed.record(env, installed.survey(env), {"channel": object()})
    assert (env / installed.RECORD).read_bytes() == before
    assert installed.check(env) == []
    assert list(env.parent.iterdir()) == [env]


@pytest.fixture
def renders(tmp_path: Path) -> tuple[Path, Path]:
    """A lock and the files of one environment that belong to it."""
    lock, envs = tmp_path / "conda-lock.yml", tmp_path / "envs"
    lock.write_text("version: 1\n")
    line = f"# lock: {installed.digest(lock)}\n"
    envs.mkdir()
    (envs / "keras.yaml").write_text(f"# made\n{line}channels: []\n")
    (envs / "keras.linux-64.pin.txt").write_text(f"@EXPLICIT\n{line}")
    (envs / "keras.post-deploy.sh").write_text(f"#!/bin/sh\n# made\n{line}exit\n")
    return lock, envs


def test_renders_of_the_lock_are_accepted(renders: tuple[Path, Path]) -> None:
    installed.check_renders(*renders, "keras", "linux-64")


@pytest.mark.parametrize("file", ["keras.yaml", "keras.linux-64.pin.txt", "keras.post-deploy.sh"])
def test_a_missing_render_is_refused(renders: tuple[Path, Path], file: str) -> None:
    (renders[1] / file).unlink()
    with pytest.raises(UserError, match=rf"{file}, rendered .* Received no such file\. Run `"):
        installed.check_renders(*renders, "keras", "linux-64")


def test_renders_of_another_lock_or_platform_are_refused(renders: tuple[Path, Path]) -> None:
    with pytest.raises(UserError, match=r"keras\.osx-arm64\.pin\.txt"):
        installed.check_renders(*renders, "keras", "osx-arm64")
    renders[0].write_text("version: 2\n")
    with pytest.raises(UserError, match="Received one from another lock"):
        installed.check_renders(*renders, "keras", "linux-64")
    renders[0].unlink()
    with pytest.raises(UserError, match="Expected a lock at"):
        installed.check_renders(*renders, "keras", "linux-64")


def test_the_record_can_be_read_by_others(env: Path) -> None:
    """It is JSON: digest, size, inode, mtime and ctime of every file."""
    recorded = json.loads((env / installed.RECORD).read_text())
    status = (env / "lib" / "a.py").stat()
    assert recorded["files"]["lib/a.py"] == [
        installed.digest(env / "lib" / "a.py"),
        status.st_size,
        status.st_ino,
        status.st_mtime_ns,
        status.st_ctime_ns,
    ]
    assert recorded["files"]["lib/"] == []
