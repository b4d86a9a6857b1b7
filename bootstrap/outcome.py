"""What came of a run, as one exit status that says more than Snakemake's own.

Synopsis:
    status = outcome.of_snakemake(["verify"], Path())
    ended = outcome.waited(["./run", "all"], folder, environment)

Snakemake's status is 1 for anything. So each process of ours notes its own at the end of its log,
with the sentence on what went wrong (`repro.launch.reporting`), and of the logs that were written
meanwhile those notes count: what several jobs say alike is said once, and last. Where
there is none, Snakemake is asked, by a dry run, whether it understands at all what it was asked
for. A note on the installation reports what is not installed (`display.progress`); its sentence
comes last, since Snakemake shows it amid much else.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import tools
from display import screen
from display.notes import Refusal
from repro.core.errors import CouldNotRun, UserError
from repro.core.text import listed
from repro.launch.isolation import die_with
from repro.launch.launcher import SAID_LAST
from repro.launch.reporting import ending
from repro.launch.supervise import next_signal, signals_held

MISTAKE, NOT_RUN = UserError.status, CouldNotRun.status
# Where several jobs failed: what no second try would mend comes first, a claim's answer last.
_ORDER = (MISTAKE, NOT_RUN, 1, 3)


@dataclass(frozen=True)
class Ended:
    """How a child ended, and the signal that was to end this process meanwhile, if any."""

    status: int
    signal: int

    @property
    def interrupted(self) -> int:
        """128 + n where signal n was to end this process and so ended the child, else 0."""
        return 128 + self.signal if self.status and self.signal else 0


def of_snakemake(arguments: Sequence[str], folder: Path) -> int:
    """Run Snakemake, and say what came of it.

    Returns:
        0 done; 1 a claim does not hold; 2 a user's mistake; 3 nobody can tell; 4 it could not run;
        128 + n where signal n ended it.
    """
    before, command = _logs(folder), [str(tools.BIN / "snakemake"), *arguments]
    with screen.shown() as seen:
        ended = waited(command, Path(), {**tools.environment(), SAID_LAST: "1"})
    if ended.status == 0 or ended.interrupted:
        return ended.interrupted
    if seen.refusal:
        return _report(seen.refusal)
    if ended.status == MISTAKE:  # of its command line
        return MISTAKE
    fresh = [log for log, state in _logs(folder).items() if before.get(log) != state]
    ends = {log: end for log in sorted(fresh) if (end := ending(log))}
    for status in _ORDER:
        if these := {log: end.sentence for log, end in ends.items() if end.status == status}:
            _say(these)
            return status
    if unfinished := seen.unfinished():
        return _report(unfinished)
    if ended.status < 0:
        return NOT_RUN
    # Which does not hinder Snakemake from making environments.
    targets = [word for word in arguments if word != "--conda-create-envs-only"]
    dry_run = subprocess.run(
        [command[0], "--dry-run", *targets], env=tools.environment(), check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return MISTAKE if dry_run.returncode else NOT_RUN


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


def _say(sentences: Mapping[Path, str]) -> None:
    """Say each sentence once, with the logs that hold it; the shortest where one adds a hint."""
    said: dict[str, list[str]] = {}
    for log, sentence in sorted(sentences.items(), key=lambda pair: (len(pair[1]), pair[0])):
        if sentence:
            known = next((other for other in said if sentence.startswith(other)), sentence)
            said.setdefault(known, []).append(str(log))
    for sentence, logs in said.items():
        names = f"{'Log' if len(logs) == 1 else 'Logs'}: {listed(sorted(logs), 2)}"
        print(f"{sentence} ({names})", file=sys.stderr)


def _report(refusal: Refusal) -> int:
    print(refusal.sentence, file=sys.stderr)
    return refusal.status


def _logs(folder: Path) -> dict[Path, tuple[int, int, int]]:
    """Every log, and what tells whether it was written since."""
    states = {log: log.stat() for log in (folder / "logs").rglob("*.log") if log.is_file()}
    return {log: (s.st_ino, s.st_mtime_ns, s.st_size) for log, s in states.items()}
