"""A Slurm of two nodes on this machine alone: its daemons, as children of pytest."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import tools

CONFIGURATION = """\
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmUser=root
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=batch_sched_delay=0,sched_interval=1
MpiDefault=none
ReturnToService=2
KillWait=2
GresTypes=gpu
NodeName=one Port={one} {node}
NodeName=two Port={two} {node}
PartitionName=main Nodes=one,two
PartitionName=other Nodes=one,two Default=YES
"""
NODE = "NodeHostname={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=20000 Gres=gpu:made_up:1"
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")
# A job's inner srun sees no variable of Slurm's.
SRUN = '#!/bin/sh\nSLURM_CONF={configuration} exec {srun} "$@"\n'


@dataclass
class Cluster:
    """Where it is configured, and its daemons by name; a new one takes the place of the last."""

    folder: Path
    daemons: dict[str, subprocess.Popen[bytes]]

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to find it."""
        path = f"{self.folder / 'bin'}:{tools.search_path()}"
        return {"SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": path}

    def start(self, name: str, *command: str) -> None:
        """Starts a daemon in the foreground."""
        log = (self.folder / f"{name}.log").open("ab")
        self.daemons[name] = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env={**tools.environment(), **self.environment},
        )  # fmt: skip

    def controller(self) -> None:
        """Starts what holds the queue."""
        self.start("slurmctld", "slurmctld", "-D")

    def node(self, name: str) -> None:
        """Starts a node's daemon."""
        self.start(name, "slurmd", "-D", "-N", name)

    def kill(self, name: str) -> None:
        """Kills a daemon, and nothing that it started."""
        self.daemons[name].kill()
        self.daemons[name].wait()

    def ask(self, *command: str) -> str:
        """What one of Slurm's commands says."""
        done = subprocess.run(
            command, env={**tools.environment(), **self.environment}, check=True,
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        return done.stdout

    def ready(self) -> None:
        """Waits until both nodes take jobs."""
        while True:
            try:
                self.ask("srun", "--nodes=2", "--wait=60", "true")
                return
            except subprocess.CalledProcessError:
                dead = [name for name, daemon in self.daemons.items() if daemon.poll() is not None]
                assert not dead, [(self.folder / f"{name}.log").read_text() for name in dead]


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody uses."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextmanager
def running(folder: Path) -> Iterator[Cluster]:
    """A cluster in a folder, for as long as it is wanted."""
    host, (controller, one, two) = socket.gethostname().partition(".")[0], free_ports(3)
    node, configuration = NODE.format(host=host), folder / "slurm.conf"
    configuration.write_text(
        CONFIGURATION.format(
            host=host, folder=folder, controller=controller, one=one, two=two, node=node
        )
    )
    (folder / "gres.conf").write_text("Name=gpu Type=made_up File=/dev/null\n")  # there is none
    (folder / "state").mkdir()
    (folder / "bin").mkdir()
    srun = folder / "bin" / "srun"
    srun.write_text(SRUN.format(configuration=configuration, srun=shutil.which("srun")))
    srun.chmod(0o755)
    key = folder / "munge.key"
    key.touch(0o600)
    key.write_bytes(b"for these tests alone, on this machine alone")
    cluster = Cluster(folder, {})
    munge = {"socket": "munge.socket", "key-file": "munge.key", "pid-file": "munge.pid",
             "seed-file": "munge.seed", "log-file": "munge.log"}  # fmt: skip
    try:
        cluster.start(
            "munged", "munged", "--foreground", "--force",
            *(f"--{option}={folder / file}" for option, file in munge.items()),
        )  # fmt: skip
        cluster.controller()
        cluster.node("one")
        cluster.node("two")
        cluster.ready()
        yield cluster
        cluster.ask("scancel", "--user=root")
    finally:
        for daemon in reversed(cluster.daemons.values()):
            daemon.terminate()
            daemon.wait()
