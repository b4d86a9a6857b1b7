"""Namespaces: nothing mounted in one is seen outside, and nothing is removed through a mount.

Nothing here shows, or removes, anything but what the test itself made.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from repro.launch import isolation
from samples import Fresh

pytestmark = pytest.mark.skipif(
    sys.platform != "linux"
    or isolation.rehearsed(lambda: isolation.enter(isolation.MOUNTS)) is not None,
    reason="the system gives no namespaces",
)


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    folder = tmp_path / "precious"
    folder.mkdir()
    (folder / "file").write_text("kept")
    return folder


BELOW = """
import sys
from pathlib import Path
from repro.launch.isolation import MOUNTS, bind, enter, mounted_below
precious, folder = map(Path, sys.argv[1:])
enter(MOUNTS)
bind(precious, folder / "with a space" / "shown")
places = ("", "with a space", "with a space/shown", "with", "other")
print([mounted_below(folder / place) for place in places], mounted_below(Path("/")))
"""


def test_a_mount_below_a_folder_is_seen(precious: Path, fresh: Fresh, tmp_path: Path) -> None:
    done = fresh(BELOW, str(precious), str(tmp_path / "a folder"))
    assert (done.stdout, done.stderr) == ("[True, True, True, False, False] True\n", "")
    assert not isolation.mounted_below(tmp_path)


SEEN_OUTSIDE = """
import sys
from pathlib import Path
from repro.launch.isolation import MOUNTS, bind, enter
from repro.launch.launcher import _fresh
enter(MOUNTS)
with _fresh("a step of") as folder:
    (folder / "own").touch()
    bind(Path(sys.argv[1]), folder / "a place" / "mounted")
print(folder)
"""


def test_nothing_is_removed_through_a_mount(precious: Path, fresh: Fresh, tmp_path: Path) -> None:
    done = fresh(SEEN_OUTSIDE, str(precious), TMPDIR=str(tmp_path))
    assert (precious / "file").read_text() == "kept"
    left = Path(done.stdout.strip())
    assert left.parent == tmp_path
    # The namespace has ended, and so has the mount: what was left is empty there.
    assert sorted(path.name for path in left.rglob("*")) == ["a place", "mounted", "own"]


STAYING = """
import os, shutil, signal, sys
from pathlib import Path
from repro.launch.isolation import MOUNTS, bind, enter, mounted_below
precious, folder = map(Path, sys.argv[1:])
folder.mkdir()
reading, writing = os.pipe()
child = os.fork()
if child == 0:
    enter(MOUNTS)
    bind(precious, folder / "shown")
    os.write(writing, b"mounted")
    os.close(writing)
    signal.pause()
    os._exit(0)
os.close(writing)
os.read(reading, 9)
print(mounted_below(folder))
shutil.rmtree(folder)
print(folder.exists(), (precious / "file").exists())
os.kill(child, 9)
"""


def test_what_a_process_that_stays_has_mounted_is_not_removed(
    precious: Path, fresh: Fresh, tmp_path: Path
) -> None:
    # As a step that leaves a process behind: its namespace outlives the launcher.
    done = fresh(STAYING, str(precious), str(tmp_path / "folder"))
    assert (done.stdout, done.stderr) == ("False\nFalse True\n", "")


SHARED = """
import os, sys
from pathlib import Path
from repro.launch import isolation
precious, place = map(Path, sys.argv[1:])
child = os.fork()
if child == 0:
    isolation.enter(isolation.MOUNTS)
    isolation.bind(precious, place)
    print((place / "file").exists(), flush=True)
    os._exit(0)
os.waitpid(child, 0)
mounts = Path("/proc/self/mountinfo").read_text()
print(" shared:" in mounts, str(place) in mounts, (place / "file").exists())
"""


def test_a_mount_is_not_seen_where_mounts_are_shared(precious: Path, tmp_path: Path) -> None:
    user = [] if os.geteuid() == 0 else ["--user", "--map-current-user"]
    shared = ["unshare", *user, "--mount", "--propagation", "shared"]
    if subprocess.run([*shared, "true"], capture_output=True).returncode:
        pytest.skip("needs unshare of util-linux")
    library = str(Path(isolation.__file__).parents[2])
    done = subprocess.run(
        [*shared, sys.executable, "-B", "-c", SHARED, str(precious), str(tmp_path / "shown")],
        env={**os.environ, "PYTHONPATH": library}, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("True\nTrue False False\n", "")


def test_mounts_that_stay_shared_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def lines() -> list[str]:
        return ["27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw"]

    monkeypatch.setattr(isolation, "mount_lines", lines)
    refusal = isolation.rehearsed(lambda: isolation.enter(isolation.MOUNTS))
    assert refusal == os.strerror(1)


def test_a_system_without_namespaces_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation.ctypes, "CDLL", lambda *_, **__: object())
    assert isolation.rehearsed(isolation.without_network) == "Function not implemented"
