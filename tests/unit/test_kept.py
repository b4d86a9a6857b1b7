"""Checkpoints on disk: whole, of this training, or not taken at all."""

import os
import signal
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from repro.checkpoint import store as module
from repro.checkpoint.file_format import Damaged, Foreign, Snapshot, load, save
from repro.checkpoint.store import CheckpointStore
from repro.core.errors import UserError
from samples import Fresh

KINDS = st.sampled_from(["<f4", "<f8", "<f2", "<i4", "<i8", "<u4", "|i1", "|u1", "|b1"])
ARRAYS = KINDS.flatmap(
    lambda kind: arrays.arrays(kind, arrays.array_shapes(min_dims=0, min_side=0, max_dims=3))
)
NAMES = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=8)


def sample(epoch: int = 1) -> Snapshot:
    weights = {"a/kernel": np.arange(6, dtype="float32").reshape(2, 3), "b": np.array(1.5)}
    return Snapshot(epoch, weights, {"history": [epoch]}, b"python")


@given(st.dictionaries(NAMES, ARRAYS, max_size=4), st.binary(max_size=20), st.integers(0, 10**9))
def test_what_is_saved_is_loaded_to_the_last_bit(
    given_arrays: dict[str, np.ndarray], python: bytes, epoch: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        save(path, "key", Snapshot(epoch, given_arrays, {"a": [1, "é"]}, python))
        found = load(path, "key")
        assert (found.epoch, found.facts, found.python) == (epoch, {"a": [1, "é"]}, python)
        assert set(found.arrays) == set(given_arrays)
        for name, array in given_arrays.items():
            its = found.arrays[name]
            assert (its.dtype, its.shape) == (array.dtype, array.shape)
            assert its.tobytes() == array.tobytes()


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "a"
    save(path, "key", sample())
    return path.read_bytes()


def refused(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        path.write_bytes(content)
        with pytest.raises(Damaged):
            load(path, "key")


@given(st.data())
def test_a_flipped_bit_is_refused_wherever_it_is(content: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, 8 * len(content) - 1))
    flipped = bytearray(content)
    flipped[place // 8] ^= 1 << place % 8
    refused(bytes(flipped))


@given(st.data())
def test_a_shorter_or_longer_file_is_refused(content: bytes, data: st.DataObject) -> None:
    refused(content[: data.draw(st.integers(0, len(content) - 1))])
    refused(content + data.draw(st.binary(min_size=1, max_size=9)))


def test_another_key_is_told_from_damage(tmp_path: Path) -> None:
    save(tmp_path / "a", "key", sample())
    with pytest.raises(Foreign):
        load(tmp_path / "a", "other")
    with pytest.raises(Damaged, match="No such file"):
        load(tmp_path / "b", "key")


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    path = tmp_path / "growing.jsonl"
    path.touch()
    return path


def grown(kept: CheckpointStore, trace: Path, epochs: range) -> None:
    for epoch in epochs:
        with trace.open("a") as file:
            file.write(f"line of epoch {epoch}\n")
        kept.add(sample(epoch), trace)


def names(kept: CheckpointStore) -> list[str]:
    return sorted(path.name for path in kept.folder.iterdir())


def text(kept: CheckpointStore) -> str:
    return b"".join(kept.trace()).decode()


def test_the_last_two_are_kept_with_the_trace(tmp_path: Path, trace: Path) -> None:
    kept = CheckpointStore(tmp_path / "kept", "key")
    assert kept.newest() is None
    grown(kept, trace, range(1, 12))
    assert names(kept) == ["epoch-00000010.checkpoint", "epoch-00000011.checkpoint", "trace.jsonl"]
    again = CheckpointStore(kept.folder, "key")
    found = again.newest()
    assert found is not None
    assert (found.epoch, text(again)) == (11, trace.read_text())


def test_a_taken_up_one_grows_on_as_if_nothing_had_been(tmp_path: Path, trace: Path) -> None:
    grown(CheckpointStore(tmp_path / "kept", "key"), trace, range(1, 4))
    again = CheckpointStore(tmp_path / "kept", "key")
    assert again.newest()
    trace.write_text(text(again))
    grown(again, trace, range(4, 6))
    last = CheckpointStore(tmp_path / "kept", "key")
    found = last.newest()
    assert found is not None
    assert (found.epoch, text(last)) == (5, "".join(f"line of epoch {n}\n" for n in range(1, 6)))


DAMAGES = {
    "bit": lambda content: content[:-1] + bytes([content[-1] ^ 1]),
    "half": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_one_is_skipped_for_the_one_before(
    damage: str, tmp_path: Path, trace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = CheckpointStore(tmp_path / "kept", "key")
    grown(kept, trace, range(1, 4))
    newest = kept.folder / "epoch-00000003.checkpoint"
    newest.write_bytes(DAMAGES[damage](newest.read_bytes()))
    again = CheckpointStore(kept.folder, "key")
    found = again.newest()
    assert found is not None
    assert (found.epoch, text(again)) == (2, "line of epoch 1\nline of epoch 2\n")
    assert "epoch-00000003.checkpoint is damaged" in capsys.readouterr().out
    assert not newest.exists()
    # The one after it is written over the trace's tail of the damaged one.
    trace.write_text(text(again))
    grown(again, trace, range(9, 10))
    assert CheckpointStore(kept.folder, "key").newest()


def test_a_trace_that_is_not_as_it_was_counts_as_damage(tmp_path: Path, trace: Path) -> None:
    kept = CheckpointStore(tmp_path / "kept", "key")
    grown(kept, trace, range(1, 4))
    copy = kept.folder / "trace.jsonl"
    copy.write_text(copy.read_text().replace("epoch 3", "epoch 4"))
    again = CheckpointStore(kept.folder, "key")
    found = again.newest()
    assert found is not None
    assert found.epoch == 2
    copy.write_text("no")
    assert CheckpointStore(kept.folder, "key").newest() is None
    assert names(kept) == []


def test_those_of_another_training_are_removed(
    tmp_path: Path, trace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grown(CheckpointStore(tmp_path / "kept", "key"), trace, range(1, 4))
    other = CheckpointStore(tmp_path / "kept", "other")
    assert other.newest() is None
    assert names(other) == []
    assert "of another training" in capsys.readouterr().out


def test_nothing_but_its_own_files_is_ever_removed(tmp_path: Path, trace: Path) -> None:
    kept = CheckpointStore(tmp_path / "kept", "key")
    grown(kept, trace, range(1, 3))
    (kept.folder / "theirs").touch()
    kept.remove()
    assert names(kept) == ["theirs"]
    (kept.folder / "theirs").unlink()
    kept.remove()
    assert not kept.folder.exists()
    assert tmp_path.exists()


KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from repro.checkpoint import store as module
from repro.checkpoint.store import CheckpointStore
from repro.checkpoint.file_format import Snapshot

folder, point = Path(sys.argv[1]), sys.argv[2]
trace = folder / "growing.jsonl"
kept = CheckpointStore(folder / "kept", "key")

def add(epoch):
    with trace.open("a") as file:
        file.write(f"line of epoch {epoch}\\n")
    kept.add(Snapshot(epoch, {"a": np.arange(10**6)}, {}), trace)

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

add(1)
add(2)
if point == "trace":
    module.flush = die
elif point == "write":
    open_ = Path.open
    def half(self, *arguments):
        file = open_(self, *arguments)
        if self.name.startswith(".partial"):
            file.write(b"half")
            file.flush()
            die()
        return file
    Path.open = half
elif point == "before rename":
    Path.replace = die
elif point == "after rename":
    replace = Path.replace
    def replaced(self, target):
        replace(self, target)
        die()
    Path.replace = replaced
elif point == "removal":
    unlink = Path.unlink
    def removed(self, **options):
        if self.name.startswith("epoch-"):
            die()
        unlink(self, **options)
    Path.unlink = removed
add(3)
"""


@pytest.mark.parametrize(
    ("point", "epoch"),
    [("trace", 2), ("write", 2), ("before rename", 2), ("after rename", 3), ("removal", 3)],
)
def test_a_kill_at_any_point_leaves_a_whole_one(
    point: str, epoch: int, tmp_path: Path, fresh: Fresh
) -> None:
    done = fresh(KILLED, str(tmp_path), point)
    assert done.returncode == -signal.SIGKILL, done.stderr
    kept = CheckpointStore(tmp_path / "kept", "key")
    found = kept.newest()
    assert found is not None
    assert found.epoch == epoch
    assert text(kept) == "".join(f"line of epoch {n}\n" for n in range(1, epoch + 1))


def test_a_full_disk_keeps_the_old_ones(tiny_disk: Path) -> None:
    trace = tiny_disk / "growing.jsonl"
    trace.touch()
    kept = CheckpointStore(tiny_disk / "kept", "key")
    grown(kept, trace, range(1, 3))
    with pytest.raises(UserError, match="No space left on device"):
        kept.add(Snapshot(3, {"a": np.zeros(10**6)}, {}), trace)
    again = CheckpointStore(kept.folder, "key")
    found = again.newest()
    assert found is not None
    assert found.epoch == 2
    grown(kept, trace, range(3, 4))
    assert CheckpointStore(kept.folder, "key").newest()


def test_a_trace_that_could_not_be_copied_is_copied_whole_next_time(
    tmp_path: Path, trace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = CheckpointStore(tmp_path / "kept", "key")
    grown(kept, trace, range(1, 3))

    def fail(_path: Path) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patched:
        patched.setattr(module, "flush", fail)
        with pytest.raises(UserError):
            grown(kept, trace, range(3, 4))
    grown(kept, trace, range(4, 5))
    again = CheckpointStore(kept.folder, "key")
    assert again.newest()
    assert text(again) == trace.read_text()


ALONE = """
import sys
from pathlib import Path
from repro.core.errors import UserError
from repro.checkpoint.store import CheckpointStore
try:
    with CheckpointStore(Path(sys.argv[1]), "key").alone():
        print("alone")
except UserError as error:
    print(error)
"""


def test_two_processes_never_train_the_same(tmp_path: Path, fresh: Fresh) -> None:
    with CheckpointStore(tmp_path / "kept", "key").alone():
        assert "Received one that still does" in fresh(ALONE, str(tmp_path / "kept")).stdout
    assert fresh(ALONE, str(tmp_path / "kept")).stdout == "alone\n"
