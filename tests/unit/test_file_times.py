"""The times of the inputs: other ones in a repeat, by a copy or by what `os.stat` says."""

import json
import os
from pathlib import Path

import pytest
from places import INPUTS, Place, refused, works
from repro.launch import isolation
from repro.launch.file_times import LARGEST

ASKED = """
import glob
def asked(way):
    files = sorted(p.name for p in given["data"].iterdir() if p.is_file())
    return sorted(files, key=lambda name: way(given["data"] / name))
ways = {
    "getmtime": os.path.getmtime, "stat": lambda p: p.stat().st_mtime_ns,
    "lstat": lambda p: os.lstat(p).st_mtime, "bytes": lambda p: os.stat(os.fsencode(p)).st_mtime,
    "inode": lambda p: p.stat().st_ino, "size": lambda p: (p.stat().st_size, p.name),
}
print(json.dumps({"ways": {name: asked(way) for name, way in ways.items()},
                  "text": (given["data"] / "one").read_text(), "told": launcher.factors()}))
"""
AGES = {"one": 1_500_000_000, "two": 1_700_000_000, "three": 1_600_000_000, "four": 1_650_000_000}


def aged(place: Place) -> None:
    for name, seconds in AGES.items():
        os.utime(place.project / "data" / name, (seconds, seconds))


def found(place: Place, *factors: str) -> dict[str, object]:
    return json.loads(works(place, factors, ASKED, *INPUTS))


def state(folder: Path) -> dict[str, object]:
    files = [folder, *(folder.rglob("*") if folder.is_dir() else ())]
    return {str(f): (f.lstat().st_mtime_ns, f.lstat().st_ino, f.lstat().st_size) for f in files}


WAYS = ("copy", "link", "large")


@pytest.mark.parametrize("way", WAYS)
def test_the_older_file_is_the_newer_one_and_the_users_stay_as_they_are(
    way: str, place: Place
) -> None:
    if way == "link":
        (place.project / "data" / "linked").symlink_to("one")
    if way == "large":
        with (place.project / "data" / "huge").open("wb") as file:
            file.truncate(LARGEST)  # a hole: it takes no room
    aged(place)
    before = state(place.project / "data"), state(place.project / "experiment.py")
    original, repeat = found(place), found(place, "file times")
    plain, other = original["ways"], repeat["ways"]
    assert isinstance(plain, dict)
    assert isinstance(other, dict)
    for name in ("getmtime", "stat", "lstat", "bytes"):
        aged_files = [file for file in plain[name] if file in AGES]
        assert aged_files == sorted(AGES, key=lambda file: AGES[file])
        assert [file for file in other[name] if file in AGES] == aged_files[::-1]
    assert other["size"] == plain["size"]
    assert repeat["text"] == "one"
    assert (state(place.project / "data"), state(place.project / "experiment.py")) == before
    told = repeat["told"]
    assert isinstance(told, list)
    assert told[0]["varied"] is True
    reasons = {
        "copy": "copies of experiment and raw data", "link": "since there are links among them",
        "large": "since they are more than a GiB",
    }  # fmt: skip
    expected = reasons[way]
    if way == "copy" and refused(isolation.MOUNTS):
        expected = "no copies were made, since the system gives no namespace"
    assert expected in told[0]["how"]


@pytest.mark.skipif(refused(isolation.MOUNTS), reason="the system gives no namespaces")
def test_files_of_one_time_get_several(place: Place) -> None:
    for name in AGES:
        os.utime(place.project / "data" / name, (1_600_000_000, 1_600_000_000))
    ways = [found(place, *factors)["ways"] for factors in ((), ("file times",))]
    plain, other = (way["getmtime"] for way in ways if isinstance(way, dict))
    assert other == plain[::-1]


def test_the_order_of_inodes_is_another(place: Place) -> None:
    original, repeat = found(place), found(place, "file times")
    plain, other = original["ways"], repeat["ways"]
    assert isinstance(plain, dict)
    assert isinstance(other, dict)
    assert other["inode"] != plain["inode"]


@pytest.mark.skipif(refused(isolation.MOUNTS), reason="the system gives no namespaces")
def test_a_copy_is_seen_at_the_same_place_with_the_same_rights(place: Place) -> None:
    (place.project / "data" / "one").chmod(0o640)
    (place.project / "data" / "empty").mkdir()
    code = """
print(given["data"].resolve())
print(sorted(path.name for path in given["data"].iterdir()))
print(oct((given["data"] / "one").stat().st_mode))
"""
    assert works(place, ("file times",), code, *INPUTS) == works(place, (), code, *INPUTS)


def test_prepared_data_are_not_copied_since_no_code_of_the_users_reads_them(place: Place) -> None:
    (place.project / "data.manifest.json").write_text(json.dumps({"subject": []}))
    aged(place)
    prepared = [*INPUTS[:3], "data.manifest=data.manifest.json", *INPUTS[3:]]
    ways = [json.loads(works(place, f, ASKED, *prepared))["ways"] for f in ((), ("file times",))]
    assert ways[0] == ways[1]
