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
    installed.record(root, installed.survey(root), FACTS, {"lib/a.py": "a"})


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


def test_require_gives_the_facts_back_and_whose_each_file_is(env: Path) -> None:
    found = installed.require(env)
    assert found.facts == FACTS
    assert {path: row[5] for path, row in found.files.items() if row} == {
        "bin/python": "", "lib/a.py": "a", "lib/b.py": "", "lib/link.py": "",
    }  # fmt: skip


def test_a_file_is_hashed_again_only_where_its_state_is_another(env: Path) -> None:
    row = installed.require(env).files["lib/a.py"]
    assert installed.unlike(env / "lib/a.py", row) is None
    assert installed.unlike(env / "lib/a.py", ["another digest", *row[1:]]) is None
    os.utime(env / "lib/a.py", (0, 0))
    assert installed.unlike(env / "lib/a.py", row) is None
    flip(env / "lib/a.py")
    assert installed.unlike(env / "lib/a.py", row) == installed.digest(env / "lib/a.py")


def test_a_record_is_written_whole_or_not_at_all(env: Path) -> None:
    before = (env / installed.RECORD).read_bytes()
    with pytest.raises(TypeError):
        installed.record(env, installed.survey(env), {"channel": object()}, {})
    assert (env / installed.RECORD).read_bytes() == before
    assert installed.check(env) == []
    assert list(env.parent.iterdir()) == [env]


def test_the_record_can_be_read_by_others(env: Path) -> None:
    """It is JSON: digest, size, inode, mtime, ctime and package of every file."""
    recorded = json.loads((env / installed.RECORD).read_text())
    status = (env / "lib" / "a.py").stat()
    assert recorded["files"]["lib/a.py"] == [
        installed.digest(env / "lib" / "a.py"),
        status.st_size,
        status.st_ino,
        status.st_mtime_ns,
        status.st_ctime_ns,
        "a",
    ]
    assert recorded["files"]["lib/"] == []


def test_a_second_survey_hashes_what_changed_since_and_nothing_else(
    env: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = installed.survey(env)
    (env / "lib" / "b.py").write_bytes(b"y = 3\n")
    (env / "lib" / "c.py").write_bytes(b"z = 4\n")
    (env / "bin" / "large").write_bytes(bytes(installed.LARGE))
    hashed: list[str] = []
    digest = installed.digest

    def watched(path: Path) -> str:
        hashed.append(path.name)
        return digest(path)

    monkeypatch.setattr(installed, "digest", watched)
    second = installed.survey(env, first)
    assert sorted(hashed) == ["b.py", "c.py", "large"]
    assert second == installed.survey(env)
