"""What a repeat leaves where a later run could read it: named, and in sight of a second run."""

import json
import subprocess

import pytest
from places import INPUTS, WORK, Place, refused, works
from repro.launch import isolation
from samples import NAMES

LEAVING = """
import tempfile
for folder in (Path.home() / ".cache" / "mine", Path(tempfile.gettempdir()), Path.cwd()):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kept.npy").write_text("kept")
(Path.home() / "empty").mkdir(exist_ok=True)
(out / "result").write_text("r")
print(json.dumps(left()))
"""
HIDDEN = """
import tempfile
for folder in (sys.argv[2], sys.argv[3], "/dev/shm"): (Path(folder) / "kept.npy").write_text("kept")
print(json.dumps(left()))
"""
SECOND = """
import tempfile
folders = [Path.home(), Path(tempfile.gettempdir()), Path.cwd(), *map(Path, sys.argv[2:5])]
print([(folder / "kept").exists() for folder in folders])
for folder in folders: (folder / "kept").write_text("kept")
"""


def test_what_a_step_leaves_is_named_by_place_and_path(place: Place) -> None:
    told = json.loads(works(place, NAMES, LEAVING, *INPUTS))
    assert told == [
        {"place": "the home folder", "path": ".cache/mine/kept.npy"},
        {"place": "the home folder", "path": "empty/"},
        {"place": "the temporary folder", "path": "kept.npy"},
        {"place": "the working directory", "path": "kept.npy"},
    ]


def test_a_step_that_leaves_nothing_names_nothing(place: Place) -> None:
    code = """
import tempfile
with tempfile.TemporaryDirectory() as folder: (Path(folder) / "gone").write_text("gone")
Path(tempfile.gettempdir(), "__autograph_generated_file1.py").write_text("gone as Python ends")
(out / "result").write_text("r")
log.write_text("logged")
print(json.dumps(left()))
"""
    assert json.loads(works(place, NAMES, code, *INPUTS)) == []


@pytest.mark.skipif(refused(isolation.MOUNTS), reason="the system gives no namespaces")
def test_what_it_leaves_beside_the_folders_that_it_was_given_is_named_too(place: Place) -> None:
    told = json.loads(
        works(place, ("caches",), HIDDEN, str(place.home), str(place.project), *INPUTS)
    )
    assert [entry["path"].split("/")[-2:] for entry in told] == [
        ["kept.npy"], ["home", "kept.npy"], ["project", "kept.npy"],
    ]  # fmt: skip
    assert told[0]["place"] == "shared memory"


@pytest.mark.skipif(refused(isolation.MOUNTS), reason="the system gives no namespaces")
def test_a_second_run_sees_what_the_first_left_and_the_user_keeps_nothing(place: Place) -> None:
    folders = (str(place.home), str(place.project), "/dev/shm")
    place.twice = True
    before = sorted(place.project.rglob("*"))
    told = works(place, NAMES, SECOND, *folders, *INPUTS).splitlines()
    assert told == [str([False] * 6), str([True] * 6)]
    left = {path.name for path in place.project.rglob("*") if path not in before}
    assert left == {"out", "log", "a.log"}


@pytest.mark.parametrize(("code", "status"), [("sys.exit(5)", 5), ("os.kill(os.getpid(), 9)", 137)])
def test_a_first_run_that_fails_is_followed_by_none(code: str, status: int, place: Place) -> None:
    place.twice = True
    done: subprocess.CompletedProcess[str] = place.run(
        NAMES, f"{WORK}print('ran', flush=True); {code}", *INPUTS
    )
    assert (done.returncode, done.stdout) == (status, "ran\n")


def test_a_cache_beside_an_input_and_a_name_that_is_no_text_are_named(place: Place) -> None:
    code = """
(given["data"].parent / "kept.npy").write_text("kept")
open(os.fsencode(Path.home()) + b"/caf\\xe9", "w").close()
print(json.dumps(left()))
"""
    told = json.loads(works(place, NAMES, code, *INPUTS))
    assert [entry["path"].rpartition("/")[2] for entry in told] == ["kept.npy", "caf\ufffd"]
    assert told[0]["place"] == "the folder around an input"


def test_the_original_names_nothing(place: Place) -> None:
    code = "Path('kept.npy').write_text('kept'); print(json.dumps(left()))"
    assert json.loads(works(place, (), code, *INPUTS)) == []
