"""Jobs that run on a real Slurm: the same bits as here, whatever becomes of jobs and daemons."""

import json
import os
import select
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import project
import pytest
import tools
from cluster_here import PROGRAMS, Cluster, running

pytestmark = pytest.mark.slow

PLACE = "results/small/original"
MADE = ("train.manifest.json", "evaluate.manifest.json", "weights.safetensors", "metrics.json",
        "trace.jsonl", "history.csv", "predictions.npz")  # fmt: skip

# At the end of the epoch that has a gate, a training says so, and goes on when it is let.
GATED = """

def callbacks(settings, seeds):
    import os
    from pathlib import Path

    import keras

    def end(epoch, logs):
        reached, go = (Path(settings["gates"], f"{name}-{epoch}") for name in ("reached", "go"))
        if reached.exists():
            with reached.open("wb") as there, go.open("rb", buffering=0) as gate:
                there.write(b"x")
                there.flush()
                gate.read(1)

    return [keras.callbacks.LambdaCallback(on_epoch_end=end)]
"""


class Run:
    """`./run` for two trainings, on the cluster, with a gate at the end of an epoch."""

    def __init__(self, made, cluster, epoch: int):
        self.gates = made.folder / "gates"
        shutil.rmtree(self.gates, ignore_errors=True)
        self.gates.mkdir()
        self.reached, self.go = (self._pipe(f"{name}-{epoch}") for name in ("reached", "go"))
        self.output = made.folder / f"output-{epoch}.txt"
        options = ["--workflow-profile", "profiles/slurm", "--slurm-status-command", "squeue"]
        options += ["--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "5"]
        files = [f"{PLACE}/seed-0/metrics.json", f"{PLACE}/seed-1/weights.safetensors"]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [project.ROOT / "run", *files, *options], cwd=made.folder,
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                env={**tools.environment(), **cluster.environment},
            )  # fmt: skip

    def _pipe(self, name: str) -> int:
        os.mkfifo(self.gates / name)
        return os.open(self.gates / name, os.O_RDWR)

    def wait_at_the_gate(self, trainings: int) -> None:
        """Until so many trainings are there."""
        ended = os.pidfd_open(self.process.pid)
        while trainings:
            ready, _, _ = select.select([self.reached, ended], [], [])
            assert self.reached in ready, self.output.read_text()
            trainings -= len(os.read(self.reached, trainings))
        os.close(ended)

    def end(self) -> int:
        """Lets whoever is at the gate go on; the status in the end."""
        os.write(self.go, b"xx")
        status = self.process.wait()
        os.close(self.reached)
        os.close(self.go)
        return status


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A Slurm of two nodes; skipped where the system has none, or a real one."""
    if missing := [program for program in PROGRAMS if shutil.which(program) is None]:
        pytest.skip(f"no Slurm is installed here: {', '.join(missing)} is missing")
    if Path("/etc/slurm/slurm.conf").exists():
        pytest.skip("this machine is part of a cluster")
    if Path("/proc/self").stat().st_uid != 0:
        pytest.skip("the daemons of Slurm need root")
    tools.ensure(slurm=True)
    with running(tmp_path_factory.mktemp("slurm")) as made:
        yield made


@pytest.fixture(scope="module")
def made(new_project):
    made = new_project("on a cluster")
    with (made.folder / "experiment.py").open("a") as file:
        file.write(GATED)
    made.configure(
        small=made.entry(
            seeds=[0, 1],
            training={"epochs": 4, "batch_size": 32, "checkpoint": 0},
            settings={"dropout": 0.2, "gates": str(made.folder / "gates")},
            resources={
                "memory": 3000, "time": 7, "partition": "main", "gpu": 1, "gpu_model": "made_up",
            },
        )
    )  # fmt: skip
    return made


@dataclass(frozen=True)
class Ended:
    """How it ended, what was said, how the jobs were described, and what results there were."""

    status: int
    said: str
    jobs: list[str]
    results: list[str]


@pytest.fixture(scope="module")
def ended_by_slurm(made, cluster) -> Ended:
    """One training is cancelled, the other over its time."""
    run = Run(made, cluster, epoch=1)
    run.wait_at_the_gate(2)
    jobs = cluster.ask("squeue", "--noheader", "--states=running", "--format=%i").split()
    described = [cluster.ask("scontrol", "--oneliner", "show", "job", job) for job in jobs]
    cluster.ask("scancel", jobs[0])
    cluster.ask("scontrol", "update", f"JobId={jobs[1]}", "EndTime=now")
    status = run.process.wait()
    left = [str(file.relative_to(made.results)) for file in made.results.rglob("*")]
    return Ended(status, run.output.read_text(), described, left)


@pytest.fixture(scope="module")
def finished_there(made, cluster, ended_by_slurm) -> tuple[int, str]:
    """The same command, while all daemons are killed and started again."""
    assert ended_by_slurm.status
    run = Run(made, cluster, epoch=2)
    run.wait_at_the_gate(2)
    for name in ("one", "two", "slurmctld"):
        cluster.kill(name)
    cluster.controller()
    cluster.node("one")
    cluster.node("two")
    return run.end(), run.output.read_text()


def test_jobs_ask_for_what_the_configuration_says(ended_by_slurm) -> None:
    assert len(ended_by_slurm.jobs) == 2
    for job in ended_by_slurm.jobs:
        asked = dict(word.partition("=")[::2] for word in job.split())
        assert asked["ArrayTaskId"] in ("1", "2")
        assert (asked["Partition"], asked["TimeLimit"]) == ("main", "00:07:00")
        assert asked["NumCPUs"] == asked["CPUs/Task"] == "2"
        assert asked["TresPerJob"] == "gres:gpu:made_up:1"
        assert int(asked["MinMemoryNode"].removesuffix("M")) - 3000 in range(10)


def test_jobs_that_slurm_ends_leave_one_sentence_and_nothing_half_written(
    ended_by_slurm,
) -> None:
    assert ended_by_slurm.status == 4, ended_by_slurm.said
    last = ended_by_slurm.said.splitlines()[-1]
    assert last.startswith("Slurm ended 2 jobs (CANCELLED and TIMEOUT)."), ended_by_slurm.said
    assert "More minutes: `resources: {time: …}`" in last
    assert "small/original/data.manifest.json" in ended_by_slurm.results
    of_seeds = [file for file in ended_by_slurm.results if "/seed-" in file]
    assert not [file for file in of_seeds if Path(file).suffix and "/.partial" not in file]


def test_the_same_command_goes_on_and_daemons_may_be_restarted(made, finished_there) -> None:
    status, said = finished_there
    assert status == 0, said
    for seed in (0, 1):
        file = made.results / "small" / "original" / f"seed-{seed}" / "train.manifest.json"
        process = json.loads(file.read_text())["predicate"]["repro_record"]["process"]
        assert (process["resumed"], process["epochs"]) == ([1], 4)


def test_the_bits_are_those_of_this_machine_without_a_cluster(
    made, finished_there, tmp_path: Path
) -> None:
    assert finished_there[0] == 0
    shutil.rmtree(made.folder / "gates")
    here = replace(made, folder=tmp_path / "here")
    unmade = shutil.ignore_patterns("results", "checkpoints", "logs", ".snakemake")
    shutil.copytree(made.folder, here.folder, ignore=unmade)
    place = Path(PLACE, "seed-0")
    done = here.run("--cores", "2", str(place / "metrics.json"))
    assert done.returncode == 0, done.stdout
    for name in MADE:
        if not name.endswith("manifest.json"):
            mine, its = (folder / place / name for folder in (here.folder, made.folder))
            assert mine.read_bytes() == its.read_bytes(), name
    assert not list((made.folder / place).glob(".partial*"))
