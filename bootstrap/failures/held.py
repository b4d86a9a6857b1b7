"""What Snakemake had to say of a failure, held back.

Synopsis:
    command = ["snakemake", *held.options(file), "all"]
    text = held.read(file)
    text.sentence()                    # of ours, where Snakemake was ended by it
    text.told_by(logs)                 # whether these jobs' own words say all of it
    text.show()
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

# As Snakemake prints an exception (snakemake.exceptions.format_error).
_SENTENCE = re.compile(
    r"\AWorkflowError(?: in .*)?:\n((?:.*: )?Expected .*?)((?:\n  File \".*)*)\Z", re.DOTALL
)
_JOB = "RuleException"
_LAST = "At least one job did not complete successfully."
_SLURM = re.compile(r"SLURM status is: '(\w+)'")
_LOG = re.compile(r"Complete log\(s\): (.+)")


@dataclass(frozen=True)
class Record:
    """A record of Snakemake's log: as it would be shown, its bare message, what it is about.

    `exception` is the kind of the exception that it tells of, `logs` are those of a failed job, and
    `told` is what Snakemake's executor said of that.
    """

    text: str
    message: str
    exception: str | None
    logs: Sequence[str] | None
    told: str | None = None


@dataclass(frozen=True)
class HeldText:
    """All that was held back, in its order."""

    records: tuple[Record, ...]

    def show(self) -> None:
        """Print it, as Snakemake would have."""
        for record in self.records:
            if record.text:
                print(record.text, file=sys.stderr)

    def sentence(self) -> str:
        """A sentence of the workflow's own with which it refused to begin or to go on, or none."""
        found = (_SENTENCE.match(record.message) for record in self.records)
        return next((match[1] for match in found if match), "")

    def told_by(self, logs: Collection[Path], folder: Path) -> bool:
        """Whether all that failed are jobs that said why themselves, in one of these logs."""
        failed = [record.logs for record in self.records if record.logs is not None]
        told = [any(folder / log in logs for log in job) for job in failed]
        return bool(told) and all(told) and not any(self._others())

    def ended_by_slurm(self) -> dict[str, int]:
        """How many jobs Slurm ended in which of its states, such as TIMEOUT."""
        told = (_SLURM.search(record.told or "") for record in self.records)
        return dict(Counter(found[1] for found in told if found))

    def all_told(self) -> bool:
        """Whether nothing failed but jobs of which the executor said why."""
        jobs = [record for record in self.records if record.logs is not None]
        return all(record.told for record in jobs) and not any(self._others())

    def _others(self) -> Iterator[Record]:
        """What tells of something else than jobs that failed."""
        for record in self.records:
            final = record.exception == "WorkflowError" and _LAST in record.message
            if record.exception not in (None, _JOB) and not final:
                yield record

    def log(self) -> Path | None:
        """Snakemake's own log, which holds the text as well."""
        found = (_LOG.match(record.message) for record in self.records)
        return next((Path(match[1]) for match in found if match), None)


def options(file: Path, jobs: str | None = None) -> list[str]:
    """Those that let Snakemake hold back in a file; a logger that the user chose comes after.

    Args:
        file: for what is held back.
        jobs: a file for notes on which jobs run, if somebody shows that.
    """
    noting = [f"--logger-repro-jobs={jobs}"] if jobs else []
    return ["--logger=repro", f"--logger-repro-file={file}", *noting]


def read(file: Path) -> HeldText:
    """What is in that file, which is not there where nothing was held back."""
    if not file.is_file():
        return HeldText(())
    entries = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    return HeldText(tuple(Record(**entry) for entry in entries))
