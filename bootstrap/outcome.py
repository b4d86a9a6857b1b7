"""What came of a run, as one exit status that says more than Snakemake's own.

Synopsis:
    status = outcome.of_snakemake(["verify"], Path())
    ended = outcome.waited(["./run", "all"], folder, environment)

Snakemake's status is 1 for anything. So each process of ours notes its own at the end of its log,
with the sentence on what went wrong (`repro.launch.reporting`), and of the logs that were written
meanwhile those notes count: what several jobs say alike is said once, and last. Where
there is none, Snakemake is asked, by a dry run, whether it understands at all what it was asked
for. A note on the installation reports what is not installed (`display.progress`).

What Snakemake itself prints of a failure is held back meanwhile (`failures`), and shown before the
sentence unless the sentence says all of it: where each job that failed told why, and nothing else
failed.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import tools
from display import screen
from display.notes import Notes
from failures import held
from failures.held import HeldText
from repro.core.errors import CouldNotRun, UserError
from repro.core.text import listed
from repro.launch.isolation import die_with
from repro.launch.launcher import JOBS, SAID_LAST
from repro.launch.reporting import Ending, ending
from repro.launch.supervise import next_signal, signals_held

MISTAKE, NOT_RUN = UserError.status, CouldNotRun.status
# Where several jobs failed: what no second try would mend comes first, a claim's answer last.
_ORDER = (MISTAKE, NOT_RUN, 1, 3)

_ADVICE = {
    "TIMEOUT": "More minutes: `resources: {time: …}` in the configuration.",
    "OUT_OF_MEMORY": "More MiB: `resources: {memory: …}` in the configuration.",
}


@dataclass(frozen=True)
class Ended:
    """How a child ended, and the signal that was to end this process meanwhile, if any."""

    status: int
    signal: int

    @property
    def interrupted(self) -> int:
        """128 + n where signal n was to end this process and so ended the child, else 0."""
        return 128 + self.signal if self.status and self.signal else 0


@dataclass(frozen=True)
class _Answer:
    """The status of a run that failed, what is said of it last, and whether that says all."""

    status: int
    sentences: Sequence[str] = ()
    says_all: bool = False


def of_snakemake(arguments: Sequence[str], folder: Path) -> int:
    """Run Snakemake in this folder, and say what came of it.

    Args:
        folder: this folder, as whoever called can follow it.

    Returns:
        0 done; 1 a claim does not hold; 2 a user's mistake; 3 undecided; 4 it could not run;
        128 + n where signal n ended it.
    """
    before, snakemake = logs(folder), str(tools.BIN / "snakemake")
    with TemporaryDirectory(prefix="repro-failure-") as temporary, screen.shown() as seen:
        file = Path(temporary, "held")
        command = [snakemake, *held.options(file, os.environ.get(JOBS)), *arguments]
        ended = waited(command, Path(), {**tools.environment(), SAID_LAST: "1"})
        text = held.read(file)
    if ended.status == 0 or ended.interrupted:
        text.show()
        return ended.interrupted
    fresh = [log for log, state in logs(folder).items() if before.get(log) != state]
    ends = {log: end for log in sorted(fresh) if (end := ending(log))}
    answer = (
        _not_installed(seen)
        or _of_jobs(ends, text, folder)
        or _of_slurm(text)
        or _unfinished(seen)
        or _of_itself(ended, text, [snakemake, *arguments])
    )
    if not answer.says_all:
        text.show()
    for sentence in answer.sentences:
        print(sentence, file=sys.stderr)
    return answer.status


def _not_installed(seen: Notes) -> _Answer | None:
    if refusal := seen.refusal:
        return _Answer(refusal.status, [refusal.sentence], refusal.status == MISTAKE)
    return None


def _of_jobs(ends: Mapping[Path, Ending], text: HeldText, folder: Path) -> _Answer | None:
    """What the jobs that failed noted: of these, what comes first in the order."""
    for status in _ORDER:
        if these := {log: end.sentence for log, end in ends.items() if end.status == status}:
            told = [log for log, end in ends.items() if end.status != NOT_RUN]
            says_all = status != NOT_RUN and text.told_by(told, folder)
            whole = text.log() if says_all else None
            shown = folder / _from_here(whole) if whole else None
            return _Answer(status, _sentences(these, shown), says_all)
    return None


def _of_slurm(text: HeldText) -> _Answer | None:
    """What became of jobs that Slurm ended before they could say anything."""
    if not (states := text.ended_by_slurm()):
        return None
    jobs = "1 job" if sum(states.values()) == 1 else f"{sum(states.values())} jobs"
    more = [f" {advice}" for state, advice in _ADVICE.items() if state in states]
    sentence = (
        f"Slurm ended {jobs} ({listed(sorted(states), 4)}). Nothing half-written counts: run the "
        f"same command again, and trainings resume from their checkpoints.{''.join(more)}"
    )
    return _Answer(NOT_RUN, [sentence], text.all_told())


def _unfinished(seen: Notes) -> _Answer | None:
    unfinished = seen.unfinished()
    return _Answer(unfinished.status, [unfinished.sentence]) if unfinished else None


def _of_itself(ended: Ended, text: HeldText, command: Sequence[str]) -> _Answer:
    """What no job told: Snakemake or a job was killed, or it refused what it was asked for."""
    if ended.status == MISTAKE:  # of its command line
        return _Answer(MISTAKE)
    if ended.status < 0:
        return _Answer(NOT_RUN)
    if sentence := text.sentence():
        return _Answer(MISTAKE, [sentence], True)
    # Which does not hinder Snakemake from making environments.
    targets = [word for word in command[1:] if word != "--conda-create-envs-only"]
    dry_run = subprocess.run(
        [command[0], "--dry-run", *targets], env=tools.environment(), check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return _Answer(MISTAKE if dry_run.returncode else NOT_RUN)


def waited(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Ended:
    """Run a program to its end; each signal reaches it once, and it ends with this process.

    It stays in the group of this process, to which a terminal sends what is typed: what comes from
    there has reached it already, and all else is handed on.
    """
    parent, last_signal = os.getpid(), 0

    with signals_held() as before:

        def prepare() -> None:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            die_with(parent)

        child = subprocess.Popen(command, cwd=folder, env=environment, preexec_fn=prepare)
        while child.poll() is None:
            number, typed = next_signal()
            if number != signal.SIGCHLD:
                last_signal = number
                if not typed:
                    child.send_signal(number)
    return Ended(child.returncode, last_signal)


def _sentences(noted: Mapping[Path, str], whole: Path | None) -> list[str]:
    """Each sentence once, with the logs that hold it; the shortest where one adds a hint."""
    said: dict[str, list[str]] = {}
    for log, sentence in sorted(noted.items(), key=lambda pair: (len(pair[1]), pair[0])):
        if sentence:
            known = next((other for other in said if sentence.startswith(other)), sentence)
            said.setdefault(known, []).append(str(log))
    snakemakes = f"; Snakemake's: {whole}" if whole else ""
    return [
        f"{sentence} ({'Log' if len(logs) == 1 else 'Logs'}: {listed(sorted(logs), 2)}{snakemakes})"
        for sentence, logs in said.items()
    ]


def _from_here(file: Path) -> Path:
    here = Path.cwd()
    return file.relative_to(here) if file.is_relative_to(here) else file


def logs(folder: Path) -> dict[Path, tuple[int, int, int]]:
    """Every log, and what tells whether it was written since."""
    states = {log: log.stat() for log in (folder / "logs").rglob("*.log") if log.is_file()}
    return {log: (s.st_ino, s.st_mtime_ns, s.st_size) for log, s in states.items()}
