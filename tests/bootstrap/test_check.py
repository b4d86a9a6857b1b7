"""`check`: any script; the same again or not, whatever it does, and nothing of it stays."""

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import project
import pytest
import small_check
from _pytest.mark import ParameterSet
from small_check import WORLDS, Folder, World

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="namespaces and /proc")

SAME = """
import json
json.dump({"loss": 0.5}, open("metrics.json", "w"))
print("loss:", 0.5)
"""
RANDOM = """
import json, random
json.dump({"loss": random.random()}, open("metrics.json", "w"))
"""
SETS = """
open("labels.txt", "w").write(" ".join({"ant", "bee", "cat", "dog", "eel", "fox"}))
"""


def usable(world: World) -> bool:
    if world.user is not None or world.prefix:
        able = os.geteuid() == 0 and small_check.python_for(world.user)
        return bool(able and shutil.which("setpriv"))
    return True


def each(worlds: Sequence[World]) -> list[ParameterSet]:
    """All but the first are slow: minutes in all."""
    marks = [[], *[[pytest.mark.slow]] * len(worlds[1:])]
    return [pytest.param(w, id=w.name, marks=m) for w, m in zip(worlds, marks, strict=True)]


@pytest.fixture(params=each(WORLDS))
def user(request: pytest.FixtureRequest) -> Iterator[Folder]:
    """Every way to run it."""
    if not usable(request.param):
        pytest.skip("needs root, setpriv, and a Python that others may use")
    yield from small_check.folder(request.param)


@pytest.fixture(params=each(WORLDS[:3:2]))
def plain(request: pytest.FixtureRequest) -> Iterator[Folder]:
    """By an overlay and by a copy."""
    if not usable(request.param):
        pytest.skip("needs root and setpriv")
    yield from small_check.folder(request.param)


@pytest.fixture
def overlay() -> Iterator[Folder]:
    yield from small_check.folder(WORLDS[0])


def content(folder: Path) -> dict[str, tuple[bytes, float]]:
    """All files of a folder but the report's, with their times."""
    files = (file for file in sorted(folder.rglob("*")) if file.is_file())
    return {
        str(name): (file.read_bytes(), file.stat().st_mtime)
        for file in files
        if (name := file.relative_to(folder)).parts[0] != "check"
    }


def test_the_same_again(user: Folder) -> None:
    report = user.script(SAME, status=0)
    assert report["answer"] == "same"
    assert {run["containment"] for run in report["runs"]} == {user.world.containment}
    assert [output["name"] for output in report["outputs"]][:1] == ["metrics.json"]
    assert len(report["runs"][1]["varied"]) >= 8
    assert sorted(content(user.project)) == ["train.py"]
    assert "<title>check: same</title>" in (user.project / "check/report.html").read_text()


def test_what_differs_also_when_nothing_is_varied(plain: Folder) -> None:
    report = plain.script(RANDOM, status=1)
    assert report["nondeterministic"] is True
    assert report["factor"] is None
    assert [each["name"] for each in report["outputs"] if not each["same"]] == ["metrics.json"]


def test_what_depends_on_a_factor(plain: Folder) -> None:
    report = plain.script(SETS, status=1)
    assert report["factor"]["name"] == "hash seed"
    assert "Sort sets" in report["sentence"]


def test_a_script_that_fails_only_when_varied_is_a_finding(plain: Folder) -> None:
    report = plain.script(f"import time; assert not time.timezone\n{SAME}", status=1)
    assert report["factor"]["name"] == "time zone"
    assert report["runs"][1]["status"] == 1


def test_who_prints_a_temporary_folder_that_no_variable_names_gives_the_same(user: Folder) -> None:
    user.write(
        "a project/train.py",
        "import tempfile\n"
        "with tempfile.TemporaryDirectory() as f: print('kept in', f, '/tmp/mine')",
    )
    user.check("--", user.python, "train.py", status=0, TMPDIR="")
    assert "temporary folder" in user.report()["runs"][1]["varied"]


def test_inputs_are_changed_in_no_folder_of_the_users(user: Folder) -> None:
    file = user.write("a project/data/input.csv", "a,b\n1,2\n")
    user.write("a project/gone.txt", "x")
    os.link(file, file.with_name("other.csv"))
    user.give()
    before = content(user.home)
    report = user.script(
        "import os\nopen('data/input.csv', 'a').write('3,4\\n')\nos.remove('gone.txt')\n"
        "os.chmod('data/other.csv', 0o600)\n"
        "open(os.path.expanduser('~/model.txt'), 'w').write('m')",
        status=0,
    )
    names = [output["name"] for output in report["outputs"]]
    assert {"data/input.csv", "gone.txt", "~/model.txt"} <= {*names}
    after = content(user.home)
    assert {k: v for k, v in after.items() if k in before} == before
    assert not (user.home / "model.txt").exists()


def test_what_is_written_everywhere_is_caught(overlay: Folder) -> None:
    marks = [Path(p, "a-mark-of-a-test") for p in ("/", "/dev/shm", "/var/tmp", "/run", "/opt")]
    marks = [mark for mark in marks if os.access(mark.parent, os.W_OK)]
    report = overlay.script(
        f"for n in {list(map(str, marks))!r}: open(n, 'w').write('x')", status=0
    )
    assert [mark for mark in marks if mark.exists()] == []
    assert "/opt/a-mark-of-a-test" in [output["name"] for output in report["outputs"]]


def test_folders_that_are_deleted_are_back(user: Folder) -> None:
    user.write("a project/keep.txt", "x")
    user.script("import os, shutil; print('bye'); shutil.rmtree(os.getcwd())", status=0)
    assert (user.project / "keep.txt").exists()


def alive(mark: str) -> list[int]:
    """The processes that sleep for so many seconds."""
    found: list[int] = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if file.read_bytes().split(b"\0")[:2] == [b"sleep", mark.encode()]:
                found.append(int(file.parent.name))
        except OSError:
            continue
    return found


DAEMON = """
import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for n in range(3): os.close(n)
        os.execvp("sleep", ["sleep", sys.argv[1]])
    os._exit(0)
os.wait()
print("started")
"""


def test_a_daemon_ends_with_its_script(user: Folder) -> None:
    mark = f"86{os.getpid()}"
    user.write("a project/train.py", DAEMON)
    user.check("--", user.python, "train.py", mark, status=0)
    assert alive(mark) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_all(user: Folder, number: signal.Signals) -> None:
    mark = f"87{os.getpid()}"
    user.write("a project/train.py", f"{DAEMON}\nimport time; time.sleep(1000)")
    process = user.start("--", user.python, "train.py", mark)
    until(lambda: bool(alive(mark)))
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == (-9 if number == signal.SIGKILL else 128 + number)
    until(lambda: not alive(mark))
    if number == signal.SIGKILL:
        user.check("--", "/bin/echo", "hello", status=0)  # which asserts that nothing is left
    assert user.left_behind() == []
    assert not (user.project / "check").exists() or number == signal.SIGKILL


ASKING = """
import os, socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as gate:
    gate.recv(1)
print(os.urandom(8).hex())
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_the_answer_that_is_known(overlay: Folder, number: signal.Signals) -> None:
    overlay.write("a project/train.py", ASKING)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        process = overlay.start("--", overlay.python, "train.py", str(server.getsockname()[1]))
        for _ in range(2):
            with server.accept()[0] as gate:
                gate.send(b"1")
        with server.accept()[0]:  # the run that is to find out why
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert out.splitlines()[-1] == "Not the same: 1 of 2 outputs differs (standard output)."
    assert err.splitlines()[-1] == "A signal ended it before all was found out. The answer so far:"
    assert overlay.left_behind() == []


AT_ARGPARSE = """
import os, signal, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "argparse":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
"""


def test_ctrl_c_before_it_has_begun_ends_it_without_a_traceback(overlay: Folder) -> None:
    overlay.write("site/sitecustomize.py", AT_ARGPARSE)
    done = overlay.check("--", "echo", "a", PYTHONPATH=str(overlay.home / "site"))
    assert (done.returncode, done.stderr) == (-signal.SIGINT, "")


def test_a_signal_before_the_first_answer_says_so(overlay: Folder) -> None:
    overlay.write("a project/train.py", ASKING)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        process = overlay.start("--", overlay.python, "train.py", str(server.getsockname()[1]))
        with server.accept()[0]:
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "A signal ended it before there was an answer."


def test_what_a_terminal_sends_when_it_closes_ends_nothing_that_shall_go_on(
    overlay: Folder,
) -> None:
    overlay.write("a project/train.py", ASKING.replace("os.urandom(8)", "bytes(8)"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        words = overlay.command("--", overlay.python, "train.py", str(server.getsockname()[1]))
        process = subprocess.Popen(
            ["nohup", *words], cwd=overlay.project, env=overlay.environment(),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        for _ in range(2):
            with server.accept()[0] as gate:
                process.send_signal(signal.SIGHUP)
                gate.send(b"1")
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert out.splitlines()[-1].startswith("The same: ")


def until(true: object) -> None:
    """Wait for what happens soon."""
    assert callable(true)
    for _ in range(600):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it never happened")


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ([], "Expected a command after `--`"),
        (["--"], "Expected a command after `--`"),
        (["--", "no-such-program"], "Expected a program called no-such-program."),
        (["--", "./train.py"], "Say `python ./train.py`."),
        (["--runs", "1", "--", "true"], "Expected `--runs` to be at least 2"),
        (["--keep", "hom", "--", "true"], "Received 'hom'."),
        (["--budget", "never", "--", "true"], "expected a time such as 90s"),
        (["--steps", "0", "--", "true"], "expected at least 1"),
        (["--rtol", "2", "--", "true"], "expected a number from 0 to 1"),
    ],
    ids=str,
)
def test_bad_input_gives_a_sentence_before_anything_runs(
    overlay: Folder, command: list[str], sentence: str
) -> None:
    overlay.write("a project/train.py", SAME)
    done = overlay.check(*command, status=2)
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()[-1]) < 500
    assert "will run" not in done.stderr


@pytest.mark.parametrize(
    ("command", "status", "sentence"),
    [
        (["--", "PYTHON", "absent.py"], 2, "No such file or directory"),
        (["--", "PYTHON", "-c", "input()"], 2, "EOFError: EOF when reading a line"),
        (["--", "PYTHON", "-c", "raise SystemExit(7)"], 2, "Received exit status 7."),
        (["--", "PYTHON", "-c", "import os; os.kill(os.getpid(), 9)"], 2, "exit status 137"),
        (["--budget", "2s", "--", "sleep", "1000"], 3, "since the budget was spent"),
        (["--budget", "2s", "--", "PYTHON", "-m", "http.server", "0"], 3, "the budget was spent"),
        (["--", "yes"], 3, "since it printed more than 256 MiB"),
        (["--", "true"], 3, "wrote no file and printed nothing"),
    ],
    ids=str,
)
def test_a_command_that_cannot_be_checked_gives_a_sentence(
    plain: Folder, command: list[str], status: int, sentence: str
) -> None:
    words = [plain.python if word == "PYTHON" else word for word in command]
    done = plain.check(*words, status=status)
    assert sentence in done.stderr + done.stdout
    assert len(done.stderr.strip().splitlines()[-1]) < 500


def test_a_run_that_was_stopped_is_compared_with_nothing(plain: Folder) -> None:
    plain.write(
        "a project/train.py",
        "import signal, time\n"
        "print('loss: 0.5')\n"
        "if time.timezone:  # as only in the second run\n"
        "    signal.pause()\n"
        "print('accuracy: 0.5')\n",
    )
    plain.check("--budget", "4s", "--", plain.python, "train.py", status=3)
    report = plain.report()
    assert (report["answer"], report["outputs"]) == ("cannot tell", [])
    assert report["sentence"].startswith("Undecided: run 2 was ended after ")
    assert "the budget was spent (--budget)" in report["sentence"]


def test_a_script_that_fails_shows_what_it_said(plain: Folder) -> None:
    plain.write("a project/train.py", "print(1 / 0)")
    done = plain.check("--", plain.python, "train.py", status=2)
    assert "    ZeroDivisionError: division by zero\n" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("Expected `")
    assert not (plain.project / "check").exists()


def test_a_folder_that_is_too_large_for_a_copy_is_refused(overlay: Folder) -> None:
    with (overlay.project / "large.bin").open("wb") as file:
        file.truncate(5 * 2**30)
    done = overlay.check("--no-overlay", "--", "echo", "a", status=2)
    assert "`--in-place`" in done.stderr
    done = overlay.check("--in-place", "--", "echo", "a", status=0)
    assert "what it writes stays there" in done.stderr


def test_in_place_says_what_stays(overlay: Folder) -> None:
    report = overlay.script(SAME, "--in-place", status=0)
    assert {run["containment"] for run in report["runs"]} == {"in place"}
    assert (overlay.project / "metrics.json").exists()
    assert "metrics.json" in [output["name"] for output in report["outputs"]]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "answer"),
    [
        (["--keep", "hash-seed"], "same"),
        (["--keep", "home,hash seed"], "same"),
        (["--ignore", "labels.*"], "cannot tell"),
        (["--only", "outputs"], "not the same"),
    ],
)
def test_options_decide(overlay: Folder, options: list[str], answer: str) -> None:
    report = overlay.script(SETS, *options)
    assert report["answer"] == answer
    assert not {"hash seed", "home"} & {*report["runs"][1]["varied"]} or "home" not in options[1]


def test_more_runs_are_varied_differently(overlay: Folder) -> None:
    report = overlay.script(SAME, "--runs", "3", status=0)
    seeds = [run["varied"].get("hash seed") for run in report["runs"]]
    assert seeds[0] is None
    assert len({*seeds}) == 3


def test_the_report_as_json_goes_to_standard_output_alone(overlay: Folder) -> None:
    overlay.write("a project/train.py", SAME)
    done = overlay.check("--json", "--out", "../elsewhere", "--", overlay.python, "train.py")
    assert json.loads(done.stdout)["answer"] == "same"
    assert json.loads((overlay.home / "elsewhere/report.json").read_text())["answer"] == "same"
    assert not (overlay.project / "check").exists()


def test_annotations_for_github(overlay: Folder) -> None:
    overlay.write("a project/train.py", RANDOM)
    done = overlay.check("--github", "--", overlay.python, "train.py", status=1)
    assert done.stdout.startswith("::error title=check::Not the same: 1 of 3 outputs differs")
    assert done.stdout.splitlines()[-1].startswith("Not the same: 1 of 3 outputs differs")


def test_a_relative_program_is_the_users(overlay: Folder) -> None:
    other = overlay.write("bin/train", "#!/bin/sh\necho mine\n")
    other.chmod(0o755)
    overlay.check("--", "train", status=0, PATH="../bin:/usr/bin:/bin")
    overlay.check("--", "../bin/train", status=0)


def test_a_script_beside_its_folder_and_a_folder_that_is_home(user: Folder) -> None:
    user.write("elsewhere/train.py", f"import os\n{SAME}\nprint(os.getcwd(), os.environ['HOME'])")
    user.check("--", user.python, "../elsewhere/train.py", status=0, HOME=str(user.project))
    assert not (user.project / "metrics.json").exists()


def test_what_crosses_into_the_folder_by_an_absolute_path_is_no_finding(overlay: Folder) -> None:
    other = overlay.write("other.txt", "x")
    report = overlay.script(f"import os; os.link({str(other)!r}, 'mine.txt')", status=0)
    assert "links or renames" in report["runs"][1]["not_varied"]["working directory"]


def test_a_report_that_could_not_be_written_is_refused_before_anything_runs(plain: Folder) -> None:
    done = plain.check("--out", "/proc/x", "--", "echo", "a", status=4)
    assert done.stderr.startswith("Expected to write /proc/x.")
    assert done.stderr.count("\n") == 1


def test_a_folder_that_was_removed_gives_a_sentence(overlay: Folder) -> None:
    gone = overlay.home / "gone"
    gone.mkdir()
    command = f'rmdir "{gone}"; exec {shlex.join(overlay.command("--", "echo", "a"))}'
    done = subprocess.run(
        ["sh", "-c", command], cwd=gone, env=overlay.environment(), text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("Expected to start in a folder that is there.")


def test_a_folder_for_temporary_files_that_takes_no_overlay_is_passed_over(
    overlay: Folder, tmp_path: Path
) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    layers = {name: tmp_path / name for name in ("lower", "upper", "work", "seen")}
    for layer in layers.values():
        layer.mkdir()
    options = ",".join(f"{name}dir={layers[name]}" for name in ("lower", "upper", "work"))
    mount = f"mount -t overlay overlay -o {options} {layers['seen']}"
    check = shlex.join(overlay.command("--", "echo", "a"))
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", f"{mount} && exec {check}"], cwd=overlay.project,
        env=overlay.environment(TMPDIR=str(layers["seen"])), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert overlay.report()["runs"][0]["containment"] == "overlay"
    assert not [*Path("/var/tmp").glob(small_check.LEFT)]


def test_files_may_have_any_name(overlay: Folder) -> None:
    overlay.write("a project/train.py", "import os; open('é\\n\\udcff', 'wb').write(os.urandom(9))")
    words = ("--only", "outputs", "--", overlay.python, "train.py")
    done = overlay.check(*words, status=1, LANG="C.UTF-8")
    assert done.stdout.splitlines()[-1].startswith(
        "Not the same: 1 of 3 outputs differs (é\\n\\udcff)."
    )
    assert "é\\n\\udcff" in (overlay.project / "check/report.html").read_text("utf-8")


FILLING = """
with open("large.bin", "wb", buffering=0) as file:
    while True:
        try:
            file.write(bytes(2**20))
        except OSError:
            file.seek(0)
"""


@pytest.mark.parametrize("options", [[], ["--no-overlay"]], ids=["overlay", "copy"])
def test_a_script_that_fills_the_disk_is_ended(
    overlay: Folder, tmp_path: Path, options: list[str]
) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    overlay.write("a project/train.py", FILLING)
    check = shlex.join(overlay.command(*options, "--", overlay.python, "train.py"))
    mount = f"mount -t tmpfs -o size=64m tmpfs {tmp_path}"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", f"{mount} && {check}; echo $?; ls -A {tmp_path}"],
        cwd=overlay.project, env=overlay.environment(TMPDIR=str(tmp_path)), capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    *_, sentence, status = done.stdout.splitlines()
    assert status == "3", done.stderr + done.stdout
    assert sentence.endswith(", since it filled the disk to which its files go.")


def test_a_script_can_tell_and_trackers_are_offline(overlay: Folder) -> None:
    script = (
        "import os\nassert os.environ['REPRO_CHECK'] == '1'\n"
        "assert os.environ['WANDB_MODE'] == os.environ['NEPTUNE_MODE'] == 'offline'\n"
        "assert os.environ['MLFLOW_TRACKING_URI'].startswith('file:')\n"
    )
    overlay.script(script + SAME, status=0)


def test_it_says_before_it_starts_what_it_will_do(overlay: Folder) -> None:
    overlay.write("a project/train.py", SAME)
    done = overlay.check("--", overlay.python, "train.py", status=0)
    first, second, third = done.stderr.splitlines()[:3]
    assert "will run 2 times" in first
    assert second.startswith("What it writes is caught")
    assert third.startswith("Run 1 took ")


CACHES = [
    ".keras/datasets/a.txt",
    ".keras/keras.json",
    ".cache/huggingface/a.txt",
    ".cache/kagglehub/a.txt",
    "tensorflow_datasets/a.txt",
    ".cache/torch/a.txt",
]


def test_another_home_has_known_caches_and_the_users_packages(user: Folder) -> None:
    for file in CACHES:
        user.write(file, "VALUE = 1\n")
    # A virtual environment has no packages of the user's.
    base = replace(user, python=os.path.realpath(user.python))
    version = f"python{'.'.join(map(str, version_of(base.python)))}"
    base.write(f".local/lib/{version}/site-packages/mine.py", "VALUE = 1\n")
    script = f"import os\nfor n in {CACHES}: print(open(os.path.expanduser('~/' + n)).read())"
    report = base.script(f"{script}\nimport mine; print(mine.VALUE)", status=0)
    assert "home" in report["runs"][1]["varied"]


def test_a_cache_at_another_place_stays_there(overlay: Folder) -> None:
    overlay.write("models/a.txt", "a")
    overlay.write(
        "a project/train.py", "import os; print(open(os.environ['HF_HOME'] + '/a.txt').read())"
    )
    overlay.check("--", overlay.python, "train.py", status=0, HF_HOME=str(overlay.home / "models"))


@pytest.mark.slow
@pytest.mark.parametrize(("rtol", "answer"), [("1e-6", "same"), ("1e-12", "not the same")])
def test_small_differences_pass_where_that_was_asked_for(
    overlay: Folder, rtol: str, answer: str
) -> None:
    loss = "{'loss': 0.5 + random.random() * 1e-8}"
    script = f"import json, random; json.dump({loss}, open('a.json', 'w'))"
    report = overlay.script(script, "--rtol", rtol)
    assert report["answer"] == answer
    assert ("1 number only within --rtol 1e-06" in report["sentence"]) is (answer == "same")


def version_of(python: str) -> tuple[int, int]:
    code = "import sys; print(*sys.version_info[:2])"
    major, minor = subprocess.check_output([python, "-c", code], text=True).split()
    return int(major), int(minor)


@pytest.mark.slow
def test_the_clone_and_the_one_file_give_the_same_answer(overlay: Folder) -> None:
    overlay.write("a project/train.py", SETS)
    reports: list[object] = []
    for command in ([str(project.ROOT / "run"), "check"], overlay.command()):
        subprocess.run(
            [*command, "--", overlay.python, "train.py"], cwd=overlay.project, check=False,
            env=overlay.environment(PATH=os.environ["PATH"]), capture_output=True,
        )  # fmt: skip
        report = overlay.report()
        report["runs"] = [{**run, "seconds": 0} for run in report["runs"]]
        reports.append(report)
    assert reports[0] == reports[1]


@pytest.mark.slow
def test_the_one_file_has_the_same_bytes_twice(tmp_path: Path) -> None:
    for _ in range(2):
        subprocess.run([project.ROOT / "run", "check.pyz"], cwd=tmp_path, check=True)
        (tmp_path / "check.pyz").rename(tmp_path / f"{len([*tmp_path.iterdir()])}.pyz")
    first, second = sorted(tmp_path.iterdir())
    assert first.read_bytes() == second.read_bytes() == small_check.packed()


@pytest.mark.slow
def test_the_one_file_runs_on_python_3_10(overlay: Folder) -> None:
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    pythons = [shutil.which("python3.10"), *versions.glob("3.10.*/bin/python")]
    python = next((str(p) for p in pythons if p and works(str(p))), None)
    if python is None:
        pytest.skip("no Python 3.10")
    overlay.write("a project/train.py", SETS)
    done = subprocess.run(
        [python, "-B", str(overlay.home / "check.pyz"), "--", python, "train.py"],
        cwd=overlay.project, env=overlay.environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert overlay.report()["factor"]["name"] == "hash seed"


def works(python: str) -> bool:
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0
