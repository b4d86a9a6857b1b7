"""Each factor has a fixture that it alone exposes; and varying them leaves nothing behind."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from places import INPUTS, WORK, Place, refused, works
from repro.core.factor_table import FACTORS, STRESS
from repro.launch import isolation, launcher, namespace_variations, variations
from repro.launch.command import NotVaried, StepCommand
from samples import NAMES, Fresh

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="most factors need Linux")

NAMESPACES = ("caches", "network")


@pytest.fixture(scope="module")
def port() -> Iterator[str]:
    """A server on this machine that takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield str(server.getsockname()[1])


def in_a_pid_namespace() -> list[str]:
    """A command after which process ids count from 1."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-current-user"]
    return ["unshare", *user, "--pid", "--fork", "--kill-child"]


def test_every_factor_of_the_table_is_varied_in_some_way() -> None:
    assert list(variations.VARIATIONS) == list(FACTORS)


@dataclass(frozen=True)
class Looks:
    """Starts the step that tells what it sees, always in the same project."""

    place: Place
    port: str

    def started(self, factors: tuple[str, ...]) -> subprocess.Popen[str]:
        return self.place.popen(factors, "look", str(self.place.project), self.port, *INPUTS)

    def seen(self, process: subprocess.Popen[str]) -> Any:
        output, errors = process.communicate()
        assert process.returncode == 0, errors
        assert errors == ""
        return json.loads(output)


@pytest.fixture(scope="module")
def looks(tmp_path_factory: pytest.TempPathFactory, program: Path, port: str) -> Looks:
    place = Place(tmp_path_factory.mktemp("a user"), program)
    for folder in ("out", "log"):  # as by Snakemake; else another launch may see them made or not
        (place.project / folder).mkdir()
    return Looks(place, port)


@pytest.fixture(scope="module")
def original(looks: Looks) -> Any:
    """What it sees with nothing varied."""
    return looks.seen(looks.started(()))


@pytest.mark.slow
@pytest.mark.parametrize("factor", [*NAMES, STRESS])
def test_a_factor_is_exposed_by_its_own_fixture_alone(
    factor: str, looks: Looks, original: Any
) -> None:
    if factor == "processors" and len(os.sched_getaffinity(0)) == 1:
        pytest.skip("only one processor")
    if factor == "locale" and not variations.installed_locales():
        pytest.skip("no locale but C is installed")
    if factor in NAMESPACES and refused(isolation.MOUNTS):
        pytest.skip("the system gives no namespaces")
    if factor == "process":
        looks = replace(looks, place=copy(looks.place))
        looks.place.prefix = in_a_pid_namespace()
        if subprocess.run([*looks.place.prefix, "true"], capture_output=True).returncode:
            pytest.skip("the system gives no namespace of process ids")
        original = looks.seen(looks.started(()))
    others = tuple(name for name in NAMES if name != factor)
    started = [looks.started(factors) for factors in ((factor,), others)]
    alone, without = map(looks.seen, started)
    for way in ("seen", "observed"):
        assert alone[way][factor] != original[way][factor]
        assert without[way][factor] == original[way][factor]
    assert [entry["factor"] for entry in alone["factors"]] == [factor]
    assert alone["factors"][0]["varied"]
    assert [entry["factor"] for entry in without["factors"]] == list(others)
    assert list(looks.place.temporary.iterdir()) == []


@pytest.mark.parametrize("factors", [(), ("caches",), ("paths",), ("paths", "caches"), NAMES])
def test_inputs_are_read_and_results_stay(factors: tuple[str, ...], place: Place) -> None:
    code = """
for name, path in given.items():
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    print(name, path.name, [file.read_text() for file in files if file.is_file()])
(out / "a" / "b").mkdir(parents=True)
(out / "a" / "b" / "result").write_text("r")
log.parent.mkdir(exist_ok=True)
(out / ".partial").write_text("whole")
(out / ".partial").replace(out / "whole")
with log.open("w") as file: file.write("logged")
Path("left").write_text("in the working directory")
"""
    before = sorted(place.project.rglob("*"))
    told = works(place, factors, code, *INPUTS)
    assert told.splitlines() == [
        "experiment experiment.py ['']", "data data ['four', 'one', 'three', 'two']",
    ]  # fmt: skip
    assert (place.project / "out" / "a" / "b" / "result").read_text() == "r"
    assert (place.project / "out" / "whole").read_text() == "whole"
    assert (place.project / "log" / "a.log").read_text() == "logged"
    left = {path.name for path in place.project.rglob("*")} - {path.name for path in before}
    plain = {"left"} if not factors or factors == ("paths",) else set[str]()
    if factors == ("caches",) and refused(isolation.MOUNTS):
        plain = {"left"}
    assert left == {"out", "a", "b", "result", "whole", "log", "a.log"} | plain
    assert sorted(set(place.project.rglob("*")) & set(before)) == before


@pytest.mark.skipif(refused(isolation.MOUNTS), reason="the system gives no namespaces")
def test_odd_places_of_inputs_and_results(tmp_path: Path, program: Path) -> None:
    place = Place(tmp_path / "with a space", program)
    # The project in the home folder; temporary files in the project; results and home are links.
    big, hidden = tmp_path / "big", tmp_path / "with a space" / "home" / ".hidden"
    place.project = hidden / "project"
    place.temporary = place.project / "tmp"
    for folder in (place.temporary, big / "results", big / "raw"):
        folder.mkdir(parents=True)
    place.home = tmp_path / "linked home"
    place.home.symlink_to(tmp_path / "with a space" / "home")
    (place.project / "results").symlink_to(big / "results")
    # Two sources with one name, one beside the code; a folder with links that lead out of it.
    for name in ("a", "b"):
        (place.project / name).mkdir()
        (place.project / name / "x.csv").write_text(name)
    (place.project / "a" / "code").mkdir()
    (place.project / "a" / "code" / "__init__.py").write_text("code")
    (big / "raw" / "deep").mkdir()
    (big / "raw" / "deep" / "d.csv").write_text("deep")
    (big / "raw" / "one.csv").write_text("one")
    (big / "raw" / "deep" / "up.csv").symlink_to("../one.csv")
    (place.project / "set").mkdir()
    (place.project / "set" / "deep").symlink_to(big / "raw" / "deep")
    (place.project / "set" / "relative.csv").symlink_to("../a/x.csv")
    run = place.project / "results" / "e" / "repeat"
    (run / "data" / "train").mkdir(parents=True)
    (run / "data" / "train" / "x.npy").write_text("prepared")
    (run / "left.npy").write_text("left")
    subject = {"subject": [{"name": "data/train/x.npy"}]}
    (run / "data.manifest.json").write_text(json.dumps(subject))
    (place.home / ".cache").mkdir()
    code = """
def tree(path):
    names = [str(file.relative_to(path)) for file in path.rglob("*")]
    return sorted(names) if path.is_dir() else path.read_text()
for name, path in given.items(): print(name, path.name, tree(path))
links = ("deep/d.csv", "deep/up.csv", "relative.csv")
print([(given["data:set"] / link).read_text() for link in links])
run = given["data.manifest"].parent
print(sorted(path.name for path in run.iterdir()), tree(run / "data"))
(out / "weights").write_text("w")
print([Path(os.path.expanduser(p)).exists() for p in sys.argv[2].split(",")])
"""
    secret = [place.home / ".cache", tmp_path / "with a space" / "home" / ".cache",
              place.project / "old.cache", big / "results" / "e" / "repeat" / "left.npy",
              place.project / "results" / "e" / "repeat" / "left.npy"]  # fmt: skip
    told = works(
        place, ("paths", "caches"), code, ",".join(map(str, secret)),
        "--input", "experiment=a/code", "data:a=a/x.csv", "data:b=b/x.csv",
        "--input", "data:set=set",
        "data.manifest=results/e/repeat/data.manifest.json", "--out", "results/e/repeat/seed-0",
        "--log", "logs/train.log",
    )  # fmt: skip
    assert told.splitlines() == [
        "experiment code ['__init__.py']", "data:a x.csv a", "data:b x.csv b",
        "data:set set ['deep', 'relative.csv']",
        f"data.manifest data.manifest.json {json.dumps(subject)}",
        "['deep', 'one', 'a']",
        "['data', 'data.manifest.json', 'seed-0'] ['train', 'train/x.npy']",
        str([False] * 5),
    ]  # fmt: skip
    assert (big / "results" / "e" / "repeat" / "seed-0" / "weights").read_text() == "w"
    assert (run / "left.npy").exists()


@pytest.mark.skipif(refused(isolation.MOUNTS), reason="the system gives no namespaces")
def test_inputs_cannot_be_written_to(place: Place) -> None:
    code = """
for path in (given["data"] / "cache", given["data"] / "one", given["experiment"]):
    try: path.write_text("x")
    except OSError as error: print(error.errno == errno.EROFS)
"""
    assert works(place, ("paths",), code, *INPUTS).split() == ["True"] * 3
    assert works(place, ("paths", "caches"), code, *INPUTS).split() == ["True"] * 3


@pytest.mark.skipif(refused(isolation.MOUNTS), reason="the system gives no namespaces")
@pytest.mark.parametrize("home", ["/", "/usr", "", "gone"])
def test_no_folder_of_the_system_is_hidden(home: str, place: Place) -> None:
    place.home = home
    code = "print(len(os.listdir('/usr')), json.dumps(launcher.factors()))"
    count, _, factors = works(place, ("caches",), code, *INPUTS).partition(" ")
    assert int(count) == len(list(Path("/usr").iterdir()))
    told = json.loads(factors)[0]["how"]
    assert ("not hidden: the home folder" in told) == home.startswith("/")
    assert "the project's folder" in told


def test_no_path_of_the_machine_is_recorded(place: Place) -> None:
    told = works(place, NAMES, "print(json.dumps(launcher.factors()))", *INPUTS)
    assert str(place.project) not in told
    for entry in json.loads(told):
        assert str(place.temporary) not in json.dumps(entry)
        assert entry.get("how") or entry.get("why")


def start_of(place: Place, *arguments: str) -> StepCommand:
    fresh = place.temporary / "fresh"
    fresh.mkdir()
    return StepCommand(
        "repeat", place.program, arguments, arguments, {}, place.project, place.project, fresh
    )


def refusing(error: int) -> Callable[..., None]:
    def call(name: str, *_: object) -> None:
        raise OSError(error, os.strerror(error), name)

    return call


@pytest.mark.parametrize("error", [1, 22, 38])  # not permitted, invalid, not implemented
def test_where_namespaces_are_refused_it_is_said(
    error: int, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolation, "call", refusing(error))
    start = start_of(place, *INPUTS)
    for factor in (namespace_variations.caches, namespace_variations.network):
        sentence = rf"^the system gives no namespace \({os.strerror(error)}\)$"
        with pytest.raises(NotVaried, match=sentence):
            factor(start)
    monkeypatch.chdir(place.project)
    moved, how = namespace_variations.paths(start)
    assert "by links in new folders" in how
    assert os.strerror(error) in how
    shown = [path for _, path in moved.inputs().values()]
    assert [path.name for path in shown] == ["experiment.py", "data"]
    assert [path.resolve() for path in shown] == [
        place.project / "experiment.py", place.project / "data",
    ]  # fmt: skip
    assert shown[0].parent != shown[1].parent
    assert {path.parent.parent for path in shown} == {start.fresh / "inputs"}
    shutil.rmtree(start.fresh)
    assert len(list((place.project / "data").iterdir())) == 4


def lesser(place: Place) -> Iterator[list[str]]:
    """Commands that start a process with fewer rights, as far as this machine has them."""
    for rights in (
        ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"],
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"],
    ):
        if shutil.which("setpriv"):
            attempt = [*rights, "env", sys.executable, "-c", "pass"]
            if subprocess.run(attempt, capture_output=True).returncode == 0:
                yield rights


@pytest.fixture
def open_place(program: Path) -> Iterator[Place]:
    """A project outside pytest's folders, which each new session closes to other users."""
    with tempfile.TemporaryDirectory(prefix="open ") as folder:
        root = Path(folder).resolve()
        yield Place(root, Path(shutil.copy(program, root)))


def test_with_fewer_rights_the_step_works_and_tells(open_place: Place) -> None:
    place = open_place
    commands = list(lesser(place))
    if not commands:
        pytest.skip("needs root, setpriv, and a Python that others may use")
    (place.project / "out").mkdir()
    (place.project / "log").mkdir()
    for folder in (place.project.parent, place.project, place.temporary, place.project / "out",
                   place.project / "log"):  # fmt: skip
        folder.chmod(0o777)
    for place.prefix in commands:
        code = """
print(json.dumps(launcher.factors()))
print(os.getuid(), os.path.exists(sys.argv[2]))
(out / "result").write_text("r")
"""
        told = works(place, NAMES, code, str(place.project / "old.cache"), *INPUTS).splitlines()
        factors = {entry["factor"]: entry for entry in json.loads(told[0])}
        assert told[1] == f"{0 if 'sys_admin' in place.prefix[1] else 65534} " + str(
            not factors["caches"]["varied"]
        )
        for name in NAMESPACES:
            assert factors[name]["varied"] or "gives no namespace (" in factors[name]["why"]
        assert (place.project / "out" / "result").read_text() == "r"
        shutil.rmtree(place.project / "out")
        (place.project / "out").mkdir(mode=0o777)
        (place.project / "out").chmod(0o777)
        (place.project / "log" / "a.log").unlink()
    assert not factors["caches"]["varied"] or len(commands) == 2


@pytest.mark.parametrize(
    ("code", "status"),
    [("sys.exit(5)", 5), ("os.kill(os.getpid(), 9)", 128 + 9), ("os.kill(os.getpid(), 15)", 143)],
)
def test_the_status_is_the_steps_and_nothing_is_left(code: str, status: int, place: Place) -> None:
    code = f"import tempfile; tempfile.mkdtemp(); Path('file').write_text('x'); {code}"
    done = place.run((*NAMES, STRESS), WORK + code, *INPUTS)
    assert (done.returncode, done.stderr) == (status, "")
    assert list(place.temporary.iterdir()) == []


SIGNALLED = """
import os, signal, sys
def told(number, frame): os.write(1, f"{signal.Signals(number).name}\\n".encode())
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP): signal.signal(number, told)
signal.signal(signal.SIGUSR1, lambda *_: sys.exit(7))
os.write(1, b"ready\\n")
while True: signal.pause()
"""


def test_each_signal_reaches_the_step_once(place: Place) -> None:
    process = place.popen(("home",), SIGNALLED, start_new_session=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # To the whole group, as from a terminal, then to the launcher alone.
        for send in (os.killpg, os.kill):
            send(process.pid, number)
            assert process.stdout.readline() == f"{number.name}\n"
    process.send_signal(signal.SIGUSR1)
    output, _ = process.communicate()
    assert (output, process.returncode) == ("", 7)
    assert list(place.temporary.iterdir()) == []


@pytest.mark.parametrize("factors", [("home",), (*NAMES, STRESS)])
def test_the_step_ends_with_its_launcher(factors: tuple[str, ...], place: Place) -> None:
    code = "import time; print('ready', flush=True); time.sleep(60); print('survived')"
    process = place.popen(factors, code, *INPUTS)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.kill()
    # The step and what loads the machine hold the other end until they end.
    assert process.communicate() == ("", "")
    assert process.returncode == -signal.SIGKILL


def test_what_the_step_links_to_is_not_cleared_away(place: Place) -> None:
    code = "os.symlink(sys.argv[2], Path.home() / 'link'); print('linked')"
    assert works(place, NAMES, code, str(place.project), *INPUTS) == "linked\n"
    assert (place.project / "data" / "one").read_text() == "one"


ARITHMETIC = """
import hashlib, os, sys
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv[1])])
import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_info
random = np.random.default_rng(0)
a, v = random.normal(size=(777, 777)), random.normal(size=2_000_003)
made = a @ a, a @ v[:777], np.dot(v, v), *np.linalg.svd(a[:300, :200]), np.linalg.inv(a)
x = StandardScaler().fit_transform(random.normal(size=(5000, 20)))
centres = KMeans(20, n_init=1, max_iter=5, random_state=0).fit(x).cluster_centers_
made = *made, x, PCA(5).fit(x).components_, centres
print([hashlib.sha256(np.ascontiguousarray(x).tobytes()).hexdigest() for x in made])
print({pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "openmp"})
"""


def test_threads_of_others_give_the_same_bits_on_one_processor_and_on_more(fresh: Fresh) -> None:
    """Of BLAS, as NumPy calls it, and of scikit-learn."""
    found = {fresh(ARITHMETIC, str(count), **launcher.settings(2)).stdout for count in (1, 2)}
    assert len(found) == 1
    digests, _, pools = found.pop().partition("\n")
    assert digests.count("'") == 2 * 10
    assert pools == "{2}\n"
