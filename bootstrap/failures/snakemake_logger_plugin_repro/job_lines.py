"""Lines on jobs, each by the name that its rule gives it, in place of Snakemake's own.

Synopsis:
    lines = JobLines(quiet)
    lines.of(record)        # "train digits, repeat, seed 0: done in 0:00:14 (5 of 10)", None, …
    lines.name(7)           # "train digits, repeat, seed 0"
"""

import json
import logging
import time
from collections.abc import Callable, Collection
from datetime import timedelta
from pathlib import Path
from typing import Any

from snakemake.logging import is_quiet_about
from snakemake_interface_logger_plugins.common import LogEvent

# What Snakemake says around each job, and what tells a user nothing of it.
_AROUND = (
    "Select jobs to execute", "Activating conda environment", "Updating checkpoint dependencies",
    "DAG of jobs will be updated",
)  # fmt: skip


class JobLines:
    """A line when a job starts, and one when it is done.

    `quiet` is what the user, or the profile, does not want to be shown; `notes` a file in which is
    noted what runs, for whoever draws bars (`display.notes`).
    """

    def __init__(
        self, quiet: Collection[Any], notes: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._full = not is_quiet_about(quiet, "rules")  # Snakemake says itself what starts
        self._none = is_quiet_about(quiet, "progress")
        self._clock, self._notes = clock, None if self._none else notes
        self._started: dict[object, tuple[str, float]] = {}  # name, and moment
        self._done: list[str] = []

    def of(self, record: logging.LogRecord) -> str | None:
        """The line to show for a record, "" for none, None for Snakemake's own."""
        job = record.__dict__
        match job.get("event"):
            case LogEvent.JOB_INFO:
                name = job["rule_msg"] or job["rule_name"]
                self._started[job["jobid"]] = (name, self._clock())
                if not job["shellcmd"]:  # it only stands for others
                    return None if self._full else ""
                self._note(name, ended=False)
                return None if self._full else self._shown(name)
            case LogEvent.JOB_STARTED:
                return ""
            case LogEvent.JOB_FINISHED if job["job_id"] in self._started:
                self._done.append(self._finished(job["job_id"]))
                return ""
            case LogEvent.PROGRESS:
                done, self._done = self._done, []
                count = f" ({job['done']} of {job['total']})"
                return self._shown("\n".join(done) + count) if done else None
            case LogEvent.JOB_ERROR:
                self._note(self.name(job["jobid"]), ended=True)
                return None
            case None if record.levelno <= logging.INFO:
                return "" if record.getMessage().startswith(_AROUND) else None
            case _:
                return None

    def name(self, number: object) -> str:
        """The name of a job that was started."""
        return self._started[number][0] if number in self._started else f"job {number}"

    def _finished(self, number: object) -> str:
        name, started = self._started.pop(number)
        self._note(name, ended=True)
        return f"{name}: done in {timedelta(seconds=round(self._clock() - started))}"

    def _note(self, name: str, *, ended: bool) -> None:
        if self._notes is None:
            return
        count = int(ended)
        entry = {"what": name, "done": count, "total": count, "name": "", "job": True}
        try:
            with self._notes.open("ab", buffering=0) as file:  # one write: lines stay whole
                file.write(f"{json.dumps(entry)}\n".encode())
        except OSError:
            pass  # what nobody can see stops no job

    def _shown(self, line: str) -> str:
        return "" if self._none else line
