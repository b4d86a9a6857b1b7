"""Tensors of two runs, read by another Python: same bits are the same, one bit more is named."""

from __future__ import annotations

import ast
import io
import json
import math
import os
import random
import signal
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import safetensors.numpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from repro.content.files import compared
from repro.content.summary import summarised
from repro.content.tensor_reader import NotRead, TensorReader
from repro.formats.findings import FileComparison
from samples import LIBRARY


@pytest.fixture(scope="module")
def tensors() -> Iterator[TensorReader]:
    with TensorReader([sys.executable]) as reader:
        yield reader


Write = Callable[[Path, dict[str, Any]], None]


def write_h5(path: Path, values: dict[str, Any]) -> None:
    with h5py.File(path, "w") as file:
        for name, value in values.items():
            file[f"layers/{name}"] = value


def write_npy(path: Path, values: dict[str, Any]) -> None:
    np.save(path, next(iter(values.values())))


FORMATS: dict[str, Write] = {
    "a.npz": lambda path, values: np.savez(path, **values),
    "packed.npz": lambda path, values: np.savez_compressed(path, **values),
    "a.npy": write_npy,
    "a.h5": write_h5,
    "a.safetensors": lambda path, values: safetensors.numpy.save_file(
        {name: np.ascontiguousarray(value) for name, value in values.items()}, path
    ),
}


def pair(folder: Path, name: str, left: dict[str, Any], right: dict[str, Any]) -> tuple[Path, Path]:
    paths = folder / "left" / name, folder / "right" / name
    for path, values in zip(paths, (left, right), strict=True):
        path.parent.mkdir(exist_ok=True)
        FORMATS[name](path, values)
    return paths


def nudged(array: np.ndarray[Any, Any], index: tuple[int, ...]) -> np.ndarray[Any, Any]:
    changed = array.copy()
    changed[index] = np.nextafter(changed[index], changed.dtype.type(np.inf))
    return changed


@pytest.mark.parametrize("name", FORMATS)
def test_one_unit_in_the_last_place_is_found_and_named(
    tmp_path: Path, tensors: TensorReader, name: str
) -> None:
    kernel = np.random.default_rng(0).normal(size=(6, 5)).astype("f4")
    left = {"kernel": kernel, "other": np.arange(4)}
    found = compared(
        *pair(tmp_path, name, left, {**left, "kernel": nudged(kernel, (3, 2))}), name, tensors
    )
    assert not found.same
    assert found.how.startswith("by tensor")
    assert found.count == 1
    assert found.largest == found.differences[0]
    assert found.largest.place.endswith("a.npy" if name == "a.npy" else "kernel")
    distance = found.largest.distance
    assert distance is not None
    assert (distance.elements, distance.differ, distance.index) == (30, 1, (3, 2))
    assert distance.absolute == abs(float(kernel[3, 2]) - float(nudged(kernel, (3, 2))[3, 2]))
    assert 0 < (distance.relative or 0) < 2e-7


@pytest.mark.parametrize("name", ["a.npz", "a.h5", "a.safetensors"])
@pytest.mark.parametrize(
    ("left", "right", "said"),
    [
        (np.zeros(3, "f4"), np.zeros(3, "f8"), ("float32", "float64")),
        (np.zeros(3, "f4"), np.zeros((3, 1), "f4"), ("[3]", "[3, 1]")),
        (np.zeros(0, "f4"), np.zeros(1, "f4"), ("[0]", "[1]")),
    ],
)  # fmt: skip
def test_another_type_or_shape_is_named(
    tmp_path: Path, tensors: TensorReader, name: str, left: Any, right: Any, said: tuple[str, str]
) -> None:
    found = compared(*pair(tmp_path, name, {"v": left}, {"v": right}), name, tensors)
    assert not found.same
    short = {"float32": "F32", "float64": "F64"}
    for word, text in zip(
        said, (found.differences[0].left, found.differences[0].right), strict=True
    ):
        assert word in text or short.get(word, "-") in text


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_not_finite_is_compared_as_bits(
    tmp_path: Path, tensors: TensorReader, name: str
) -> None:
    left = np.array([np.nan, np.inf, -np.inf, 0.0, 1.0])
    padding = {"z": np.zeros(2)}  # so that the files differ elsewhere
    same = compared(
        *pair(tmp_path, name, {"v": left}, {"v": left.copy(), **padding}), name, tensors
    )
    assert [each.place for each in same.differences if "z" not in each.place] == []
    for index, value in ((3, -0.0), (0, 1.0), (1, np.nan), (4, np.inf)):
        right = left.copy()
        right[index] = value
        found = compared(*pair(tmp_path, name, {"v": left}, {"v": right}), name, tensors)
        assert not found.same, (index, value)
        assert found.differences[0].distance is not None
        assert found.differences[0].distance.differ == 1
        json.dumps(found.differences[0].distance.__dict__, allow_nan=False)


@pytest.mark.parametrize("name", ["a.npz", "a.h5", "a.safetensors"])
def test_a_variable_on_one_side_is_named(tmp_path: Path, tensors: TensorReader, name: str) -> None:
    left, right = {"a": np.zeros(2), "b": np.zeros(2)}, {"a": np.zeros(2), "c": np.zeros(2)}
    found = compared(*pair(tmp_path, name, left, right), name, tensors)
    assert sorted((d.place[-1], d.left, d.right) for d in found.differences) == [
        ("b", "there", ""), ("c", "", "there"),
    ]  # fmt: skip


ARRAYS = arrays.arrays(
    dtype=st.one_of(
        arrays.floating_dtypes(), arrays.integer_dtypes(), arrays.unsigned_integer_dtypes(),
        arrays.boolean_dtypes(), arrays.complex_number_dtypes(), arrays.datetime64_dtypes(),
        arrays.byte_string_dtypes(), arrays.unicode_string_dtypes(),
    ),
    shape=arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ARRAYS, ARRAYS, st.booleans())
def test_arrays_are_the_same_exactly_where_their_bits_are(
    tmp_path: Path, tensors: TensorReader, left: Any, right: Any, columns: bool
) -> None:
    files = pair(
        tmp_path,
        "a.npz",
        {"v": np.array(left, order="F" if columns else "C")},
        {"v": right, "w": right},
    )
    found = compared(*files, "a.npz", tensors)
    assert found.how == "by tensor", found.how
    same = left.dtype == right.dtype and left.shape == right.shape
    same = same and left.tobytes() == right.tobytes()
    assert same == ("v" not in {each.place for each in found.differences})
    again = compared(*pair(tmp_path, "a.npz", {"v": left}, {"v": left}), "a.npz", tensors)
    assert again.same


@pytest.mark.parametrize("orders", ["CF", "FC", "FF"])
def test_arrays_stored_by_columns_are_compared_by_element(
    tmp_path: Path, tensors: TensorReader, orders: str
) -> None:
    def found(left: Any, right: Any) -> FileComparison:
        sides = (np.array(v, order=order) for v, order in zip((left, right), orders, strict=True))  # type: ignore[call-overload]
        one, other = ({"predictions": side} for side in sides)
        return compared(*pair(tmp_path, "a.npz", one, other), "a.npz", tensors)

    def said(comparison: FileComparison) -> list[tuple[str, str]]:
        return [(each.left, each.right) for each in comparison.differences]

    scores = np.random.default_rng(0).random((6, 4)).astype("f4")
    changed = scores.copy()
    changed[3, 1] = 2.0
    moved = found(scores, changed).largest
    assert moved is not None
    assert moved.distance is not None
    assert moved.distance.index == (3, 1)
    assert (moved.distance.examples, moved.distance.classes) == (6, int(scores[3].argmax() != 1))
    assert found(scores, scores.copy()).same
    # Neither the same bytes nor the same number of elements makes them the same array.
    zeros = np.zeros((2, 3), "<f2")
    assert said(found(zeros, zeros.astype(">f2"))) == [("dtype float16", "dtype >f2")]
    assert said(found(zeros, zeros.astype("f4"))) == [("dtype float16", "dtype float32")]
    assert said(found(zeros, zeros.reshape(3, 2))) == [("shape [2, 3]", "shape [3, 2]")]


def test_blocks_cover_a_tensor_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from repro.reader import blocks

    for most in (1, 8, 16, 100, 10**6):
        monkeypatch.setattr(blocks, "_BLOCK", most)
        for shape in ((), (0,), (7,), (3, 5), (2, 3, 4), (1, 40), (4, 0, 3), (2, 1, 1, 9)):
            seen = np.zeros(shape, int)
            for block in blocks.blocks(shape, 8):
                seen[block] += 1
            assert (seen == 1).all(), (most, shape)


def test_a_difference_in_a_later_block_has_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    from repro.reader import blocks, tensor_findings

    monkeypatch.setattr(blocks, "_BLOCK", 64)
    left = np.arange(600.0).reshape(20, 5, 6)
    right = left.copy()
    right[17, 3, 4] += 1
    right[18, 0, 0] *= 2
    found = tensor_findings.TensorFindings(0.0)
    found.compare("v", blocks.of_array(left), blocks.of_array(right))
    assert found.differences[0]["distance"]["index"] == [18, 0, 0]
    assert found.differences[0]["distance"]["differ"] == 2


def test_the_values_shown_are_those_that_are_farthest_apart(
    tmp_path: Path, tensors: TensorReader
) -> None:
    left, right = np.array([1.0, 2.0, 4.0, 8.0]), np.array([1.1, 3.0, 4.1, 8.0])
    found = compared(*pair(tmp_path, "a.npz", {"v": left}, {"v": right}), "a.npz", tensors)
    assert found.largest is not None
    assert found.largest.distance is not None
    assert (found.largest.left, found.largest.right) == ("2.0", "3.0")
    assert (found.largest.distance.index, found.largest.distance.differ) == ((1,), 3)


def test_small_relative_differences_pass_where_this_is_asked_for(
    tmp_path: Path, tensors: TensorReader
) -> None:
    left = np.array([1.0, 2.0, 0.0, np.nan])
    right = np.array([1.0 + 1e-9, 2.0, -0.0, np.nan])
    files = pair(tmp_path, "a.npz", {"v": left}, {"v": right})
    assert not compared(*files, "a.npz", tensors).same
    found = compared(*files, "a.npz", tensors, rtol=1e-6)
    assert found.same
    assert found.tolerated == 2
    assert not compared(*files, "a.npz", tensors, rtol=1e-12).same


@pytest.mark.parametrize("dtype", ["i8", "u8"])
def test_large_whole_numbers_are_apart_by_what_they_are(
    tmp_path: Path, tensors: TensorReader, dtype: str
) -> None:
    left, right = np.array([2**62], dtype), np.array([2**62 + 1], dtype)
    found = compared(*pair(tmp_path, "a.npy", {"v": left}, {"v": right}), "a.npy", tensors)
    assert found.largest is not None
    assert found.largest.distance is not None
    assert found.largest.distance.absolute == 1


def test_changed_classes_are_counted(tmp_path: Path, tensors: TensorReader) -> None:
    scores = np.array([[0.6, 0.4], [0.3, 0.7], [0.2, 0.8]])
    other = np.array([[0.4, 0.6], [0.3, 0.7], [0.25, 0.75]])
    files = pair(
        tmp_path,
        "a.npz",
        {"p": scores, "label": np.array([0, 1, 1])},
        {"p": other, "label": np.array([1, 1, 1])},
    )
    found = compared(*files, "a.npz", tensors)
    counts = {
        d.place: (d.distance.examples, d.distance.classes) for d in found.differences if d.distance
    }
    assert counts == {"p": (3, 1), "label": (3, 1)}
    assert [name for name, _ in summarised([found]).predictions] == ["a.npz", "a.npz"]


def test_bfloat16_is_measured(tmp_path: Path, tensors: TensorReader) -> None:
    paths = []
    for side, bits in (("left", 0x3F80), ("right", 0x3F81)):
        header = json.dumps({"v": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}}).encode()
        paths.append(tmp_path / f"{side}.safetensors")
        paths[-1].write_bytes(len(header).to_bytes(8, "little") + header + struct.pack("<H", bits))
    found = compared(paths[0], paths[1], "v.safetensors", tensors)
    assert found.differences[0].distance is not None
    assert found.differences[0].distance.absolute == 2**-7


class Planted:
    """What a pickle would do if somebody loaded it."""

    def __reduce__(self) -> Any:
        return (os.mkdir, (PLANTED,))


PLANTED = "/tmp/content-of-a-pickle-was-loaded"


@pytest.mark.parametrize("name", ["a.npz", "a.npy"])
def test_pickled_objects_are_never_loaded(tmp_path: Path, tensors: TensorReader, name: str) -> None:
    left, right = ({"v": np.array([Planted(), each], object)} for each in (1, 2))
    found = compared(*pair(tmp_path, name, left, right), name, tensors)
    assert not found.same
    assert "pickled objects by bytes" in found.how
    assert not Path(PLANTED).exists()


def everything(path: Path, value: float = 1.0, pad: int = 0) -> None:
    """An HDF5 file with every kind of thing in it."""
    with h5py.File(path, "w") as file:
        if pad:  # so that what a reference points to lies elsewhere
            file.create_dataset("pad", data=np.zeros(pad))
            del file["pad"]
        group = file.create_group("g{}/inner")
        group["data"] = np.arange(6.0).reshape(2, 3) * value
        group["scalar"] = value
        group["text"] = ["a", "bc"]
        group["bytes"] = np.array([b"a", b"b"])
        group.create_dataset("ragged", (2,), h5py.vlen_dtype(np.int32))[:] = [
            np.arange(2, dtype="i4"),
            np.arange(3, dtype="i4"),
        ]
        group.create_dataset("empty", data=h5py.Empty("f4"))
        group.create_dataset("refs", (2,), h5py.ref_dtype)[:] = [group.ref, group["data"].ref]
        group.create_dataset("region", (1,), h5py.regionref_dtype)[0] = group["data"].regionref[0:1]
        group["enum"] = np.array([1, 0], h5py.enum_dtype({"a": 0, "b": 1}))
        group["record"] = np.array([(1, 2.0, b"x")], [("i", "i4"), ("f", "f8"), ("s", "S1")])
        group["complex"], group["half"], group["bool"] = (
            np.array([1j]),
            np.float16(1),
            np.array([True]),
        )
        group["type"] = np.dtype("f8")
        file["soft"], file["lost"] = h5py.SoftLink("/g{}/inner"), h5py.SoftLink("/nowhere")
        file["outside"] = h5py.ExternalLink("no-such-file.h5", "/a")
        group["itself"] = group
        file.attrs["config"] = json.dumps({"date_saved": "2024-01-01@10:00:00", "units": 3})
        file.attrs["numbers"], file.attrs["nothing"] = np.arange(3), h5py.Empty("i4")
        file.attrs["names"], file.attrs["ref"] = ["a", "b"], group.ref


def test_all_that_hdf5_holds_can_be_compared(tmp_path: Path, tensors: TensorReader) -> None:
    everything(tmp_path / "a.h5")
    everything(tmp_path / "b.h5", pad=100)
    assert (tmp_path / "a.h5").read_bytes() != (tmp_path / "b.h5").read_bytes()
    found = compared(tmp_path / "a.h5", tmp_path / "b.h5", "a.h5", tensors)
    assert found.same, (found.how, found.differences)
    assert found.how == "by tensor"
    everything(tmp_path / "b.h5", value=2.0)
    found = compared(tmp_path / "a.h5", tmp_path / "b.h5", "a.h5", tensors)
    assert [each.place for each in found.differences] == ["g{}/inner/data", "g{}/inner/scalar"]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda file: file["g{}/inner/text"].__setitem__(0, "z"), "g{}/inner/text"),
        (lambda file: file["g{}/inner/refs"].__setitem__(0, file.ref), "g{}/inner/refs"),
        (
            lambda file: file["g{}/inner/ragged"].__setitem__(0, np.array([7], "i4")),
            "g{}/inner/ragged",
        ),
        (lambda file: file.attrs.__setitem__("numbers", np.array([0, 1, 3])), "@numbers"),
        (lambda file: file.attrs.__setitem__("names", ["a", "c"]), "@names"),
        (lambda file: file.attrs.__setitem__("config", json.dumps({"units": 4})), "@config"),
        (lambda file: file.__delitem__("soft"), "soft"),
        (lambda file: file.__setitem__("new", h5py.SoftLink("/x")), "new"),
    ],
)  # fmt: skip
def test_any_change_in_hdf5_is_named(
    tmp_path: Path, tensors: TensorReader, change: Callable[[Any], None], place: str
) -> None:
    for name in ("a.h5", "b.h5"):
        everything(tmp_path / name)
    with h5py.File(tmp_path / "b.h5", "r+") as file:
        change(file)
    found = compared(tmp_path / "a.h5", tmp_path / "b.h5", "a.h5", tensors)
    assert found.differences
    assert {each.place.partition(".")[0] for each in found.differences} == {place}


def test_a_date_in_an_attribute_is_masked(tmp_path: Path, tensors: TensorReader) -> None:
    for name in ("a.h5", "b.h5"):
        everything(tmp_path / name)
    with h5py.File(tmp_path / "b.h5", "r+") as file:
        file.attrs["config"] = file.attrs["config"].replace("2024", "2026")
    found = compared(tmp_path / "a.h5", tmp_path / "b.h5", "a.h5", tensors)
    assert found.same
    assert found.masked == ("dates and times of day",)


def damaged(content: bytes, draw: random.Random) -> bytes:
    """Content that is cut, changed or filled with zeros somewhere."""
    at = draw.randrange(len(content))
    way = draw.randrange(4)
    if way == 0:
        return content[:at]
    changed = bytearray(content)
    for _ in range(draw.choice((1, 4, 64))):
        changed[draw.randrange(len(changed))] = draw.randrange(256)
    if way == 1:
        return bytes(changed)
    if way == 2:
        return content[:at] + bytes(min(200, len(content) - at)) + content[at + 200 :]
    return content[:at] + content[at + draw.randrange(1, 100) :]


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_files_have_an_answer(tmp_path: Path, tensors: TensorReader, name: str) -> None:
    values = {"kernel": np.arange(60.0).reshape(6, 10), "label": np.arange(4)}
    left, right = pair(tmp_path, name, values, values)
    content, draw = left.read_bytes(), random.Random(name)
    for _ in range(60):
        right.write_bytes(damaged(content, draw))
        found = compared(left, right, name, tensors)
        assert found.same <= (left.read_bytes() == right.read_bytes()) or found.how != "same bytes"
        assert compared(right, right, name, tensors).same


def test_a_file_without_its_library_is_compared_by_bytes(tmp_path: Path) -> None:
    lacking = [sys.executable, "-S"]  # no site-packages
    left, right = pair(tmp_path, "a.npz", {"v": np.zeros(3)}, {"v": np.ones(3)})
    with TensorReader(lacking) as tensors:
        found = compared(left, right, "a.npz", tensors)
        assert not found.same
        assert found.how == "by member; v.npy by bytes (no numpy in that Python)"
        assert found.differences[0].place.startswith("v.npy: byte ")
        files = pair(tmp_path, "a.h5", {"v": np.zeros(3)}, {"v": np.ones(3)})
        assert compared(*files, "a.h5", tensors).how == "by bytes (no h5py in that Python)"
    assert compared(*files, "a.h5", None).how == "by bytes (no Python to read it with)"


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (["/no/such/python"], "/no/such/python does not start"),
        ([sys.executable, "-c", "raise SystemExit(3)"], "status 3"),
        ([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"], "SIGKILL"),
    ],
)  # fmt: skip
def test_a_python_that_does_not_serve_is_said(tmp_path: Path, command: list[str], why: str) -> None:
    files = pair(tmp_path, "a.h5", {"v": np.zeros(3)}, {"v": np.ones(3)})
    with TensorReader(command) as tensors:
        for _ in range(2):
            found = compared(*files, "a.h5", tensors)
            assert not found.same
            assert why in found.how


def test_a_reader_that_crashes_or_hangs_is_replaced(tmp_path: Path) -> None:
    # The form `npy` kills the process, `h5` never ends; `npz` is read.
    wrapper = tmp_path / "python"
    wrapper.write_text(
        f"#!{sys.executable}\nimport sys, os, time\nsys.path.insert(0, {str(LIBRARY)!r})\n"
        "from repro.reader import program\n"
        "import repro.reader.arrays as a, repro.reader.hdf5 as h\n"
        "print('what somebody prints')\n"
        "a.npy = lambda *_: os.abort()\nh.hdf5 = lambda *_: time.sleep(600)\nprogram.main()\n"
    )
    wrapper.chmod(0o755)
    with TensorReader([str(wrapper)], seconds=5) as tensors:
        for name, why in (
            ("a.npy", "SIGABRT"),
            ("a.npz", "by tensor"),
            ("a.h5", "longer than 5 s"),
            ("packed.npz", "by tensor"),
        ):
            found = compared(
                *pair(tmp_path, name, {"v": np.zeros(3)}, {"v": np.ones(3)}), name, tensors
            )
            assert why in found.how
            assert not found.same


def test_no_process_is_left(tmp_path: Path) -> None:
    files = pair(tmp_path, "a.npz", {"v": np.zeros(3)}, {"v": np.ones(3)})
    with TensorReader([sys.executable]) as tensors:
        compared(*files, "a.npz", tensors)
        process = tensors._process
        assert process is not None
    assert process.returncode == -signal.SIGKILL


def test_what_takes_long_to_import_is_imported_ahead(tmp_path: Path) -> None:
    (tmp_path / "slow_library.py").write_text(f"open({str(tmp_path / 'seen')!r}, 'w').close()")
    (tmp_path / "broken_library.py").write_text("raise ValueError")
    given = {**os.environ, "PYTHONPATH": str(tmp_path)}
    files = pair(tmp_path, "a.npz", {"v": np.zeros(3)}, {"v": np.ones(3)})
    with TensorReader([sys.executable], given) as tensors:
        tensors.import_ahead("broken_library", "no_such_library", "slow_library")
        process = tensors._process
        assert compared(*files, "a.npz", tensors).how == "by tensor"
        assert tensors._process is process
    assert (tmp_path / "seen").exists()
    for broken in (["/no/such/python"], [sys.executable, "-c", "raise SystemExit(3)"]):
        with TensorReader(broken) as tensors:
            tensors.import_ahead("slow_library")
            assert not compared(*files, "a.npz", tensors).same


def test_modules_in_the_current_folder_are_not_taken(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit('taken')")
    (tmp_path / "json.py").write_text("raise SystemExit('taken')")
    files = pair(tmp_path, "a.npz", {"v": np.zeros(3)}, {"v": np.ones(3)})
    with TensorReader([sys.executable], folder=tmp_path) as tensors:
        assert compared(*files, "a.npz", tensors).how == "by tensor"


def test_the_library_in_one_file_starts_its_reader(tmp_path: Path) -> None:
    """As in `check.pyz`: the other Python imports its part from the zip; nothing else is needed."""
    files = pair(tmp_path, "a.npz", {"v": np.zeros(3)}, {"v": np.ones(3)})
    program = tmp_path / "a program.pyz"
    main = (
        "import sys\nfrom pathlib import Path\nfrom repro.content.files import compared\n"
        "from repro.content.tensor_reader import TensorReader\n"
        "with TensorReader([sys.argv[1]]) as tensors:\n"
        "    print(compared(*map(Path, sys.argv[2:]), 'a.npz', tensors).how, *sys.modules)\n"
    )
    with zipfile.ZipFile(program, "w") as archive:
        archive.writestr("__main__.py", main)
        for name in ("", "core/", "formats/", "content/", "reader/"):
            for module in (LIBRARY / "repro" / name).glob("*.py"):
                archive.write(module, f"repro/{name}{module.name}")
    done = subprocess.run(
        [sys.executable, "-I", program, sys.executable, *files],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.stdout.startswith("by tensor "), done.stderr
    assert not {"numpy", "h5py", "tensorflow"} & {*done.stdout.split()}


def test_what_runs_in_the_users_python_needs_only_3_9() -> None:
    modules = sorted((LIBRARY / "repro" / "reader").glob("*.py"))
    assert len(modules) > 5
    for module in (*modules, LIBRARY / "repro" / "__init__.py"):
        tree = ast.parse(module.read_text(), feature_version=(3, 9))
        imported = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module}
        assert not {
            m for m in imported if m.startswith("repro") and not m.startswith("repro.reader")
        }
        top = {
            name.partition(".")[0]
            for node in tree.body
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for name in (
                [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [a.name for a in node.names]
            )
        }
        assert top - {"repro"} <= sys.stdlib_module_names


def test_a_member_that_expands_beyond_reason_is_no_crash(
    tmp_path: Path, tensors: TensorReader
) -> None:
    """A header that claims more elements than any memory holds."""
    for side in ("a", "b"):
        content = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            content, {"descr": "<f8", "fortran_order": False, "shape": (10**15,)}
        )
        with zipfile.ZipFile(tmp_path / f"{side}.npz", "w") as archive:
            archive.writestr("v.npy", content.getvalue() + side.encode() * 8)
    found = compared(tmp_path / "a.npz", tmp_path / "b.npz", "a.npz", tensors)
    assert not found.same


def test_why_is_one_line(tmp_path: Path, tensors: TensorReader) -> None:
    (tmp_path / "a.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    (tmp_path / "b.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(90))
    with pytest.raises(NotRead) as refused:
        tensors.compare("hdf5", tmp_path / "a.h5", tmp_path / "b.h5")
    assert "\n" not in str(refused.value)
    found: FileComparison = compared(tmp_path / "a.h5", tmp_path / "b.h5", "a.h5", tensors)
    assert found.how.startswith("by bytes (")
    assert math.isclose(found.count, 1)


def test_what_differs_is_shown_on_one_line_however_long_it_is() -> None:
    from repro.reader.tensor_findings import TensorFindings

    found = TensorFindings(rtol=0.0)
    found.equal("epochs", "one\n" * 400, "two\n" * 400)
    (difference,) = found.differences
    for side in ("left", "right"):
        assert len(difference[side]) == 80
        assert "\n" not in difference[side]
