"""A logger plugin of Snakemake: shows the progress, and keeps in a file what tells of a failure.

Synopsis:
    snakemake --logger repro --logger-repro-file FILE all

Shown and kept is what Snakemake's own handler would print, with its colours, but each job by its
name (`job_lines`). From the first error on, only the progress of other jobs is shown. What is kept
is a line of JSON for each record, which `held.read` reads.
"""

import json
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from snakemake.logging import ColorizingTextHandler, DefaultFilter, DefaultFormatter
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.settings import LogHandlerSettingsBase

from .job_lines import JobLines

FAILED = LogEvent.JOB_ERROR
PROGRESS = (
    LogEvent.JOB_INFO,
    LogEvent.GROUP_INFO,
    LogEvent.SHELLCMD,
    LogEvent.JOB_STARTED,
    LogEvent.JOB_FINISHED,
    LogEvent.PROGRESS,
)


@dataclass
class LogHandlerSettings(LogHandlerSettingsBase):
    """The plugin's options on Snakemake's command line."""

    file: Path | None = field(
        default=None,
        metadata={"help": "where to keep what tells of a failure", "type": Path, "required": True},
    )
    jobs: Path | None = field(
        default=None,
        metadata={"help": "where to note which jobs run", "type": Path},
    )


class LogHandler(LogHandlerBase):
    """Takes the place of Snakemake's handler for the terminal."""

    def __post_init__(self) -> None:
        common = self.common_settings
        quiet = cast("Sequence[object] | None", common.quiet)  # pyright: ignore[reportUnknownMemberType]
        self._terminal = ColorizingTextHandler(
            nocolor=common.nocolor, stream=sys.stdout if common.stdout else sys.stderr,
        )  # fmt: skip
        self._terminal.setFormatter(DefaultFormatter(quiet, common.show_failed_logs))
        self._terminal.addFilter(
            DefaultFilter(
                quiet, common.debug_dag, common.verbose, common.dryrun, common.printshellcmds
            )
        )
        settings = self.settings
        assert isinstance(settings, LogHandlerSettings)
        self._lines = JobLines(quiet or (), None if common.dryrun else settings.jobs)
        self._failed = False
        self._running = set[object]()

    def emit(self, record: logging.LogRecord) -> None:
        """Show or keep a record; show what cannot be kept, so that nothing is lost."""
        event = getattr(record, "event", None)
        self._failed |= record.levelno >= logging.ERROR
        line = self._lines.of(record)
        if line is not None:
            self._show(line)
        elif not self._failed or event in PROGRESS:
            self._terminal.handle(record)
        else:
            try:
                self._keep(record)
            except OSError:
                self._terminal.handle(record)
        self._count(event, record.__dict__)

    def _show(self, line: str) -> None:
        if line:
            info = {"levelno": logging.INFO, "levelname": "INFO", "msg": line}
            self._terminal.handle(logging.makeLogRecord(info))

    def _keep(self, record: logging.LogRecord) -> None:
        text = ""
        if self._terminal.filter(record):
            text = self._terminal.decorate(record, self._terminal.format(record))
        entry = {
            "text": text,
            "message": record.getMessage(),
            "exception": getattr(record, "exception", None),
            "logs": record.__dict__["log"] if record.__dict__.get("event") == FAILED else None,
            "told": record.__dict__.get("rule_msg"),
        }
        assert isinstance(self.settings, LogHandlerSettings)
        assert self.settings.file  # it is required
        with self.settings.file.open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(entry)}\n")

    def _count(self, event: LogEvent | None, job: Mapping[str, Any]) -> None:
        """Keep count of the jobs that run; who waits for others after a failure hears so."""
        if event == LogEvent.JOB_STARTED:
            self._running.update(job["jobs"])
        elif event == LogEvent.JOB_FINISHED:
            self._running.discard(job["job_id"])
        elif event == FAILED:
            self._running.discard(job["jobid"])
            if left := len(self._running):
                jobs = "1 other job" if left == 1 else f"{left} other jobs"
                name = self._lines.name(job["jobid"])
                print(f"Failed: {name}; waiting for {jobs}.", file=sys.stderr)

    @property
    def writes_to_stream(self) -> bool:
        """It takes the place of the handler that does."""
        return True

    @property
    def writes_to_file(self) -> bool:
        """Not a log in Snakemake's sense, which it would name at its end."""
        return False

    @property
    def has_filter(self) -> bool:
        """It sees what is not shown, too."""
        return True

    @property
    def has_formatter(self) -> bool:
        """Snakemake's own, on the inner handler."""
        return True

    @property
    def needs_rulegraph(self) -> bool:
        """No."""
        return False
