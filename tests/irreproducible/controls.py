"""Controls: runs every negative control and its correct twin, and counts what was found.

Synopsis:
    python tests/irreproducible/controls.py [--cases NAME,NAME] [--jobs 2] [--folder FOLDER]

Makes one project with two experiments a control, `NAME-fault` and `NAME-clean`, runs it with
real Snakemake, and prints a table, recall, right first causes and false alarms, each with its
exact 95 % interval. The exit status is 0 only where every fault was found, enough first causes
were right, and there was no false alarm.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bootstrap"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "shared"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import command_line
import project  # it makes the library importable
import tools
import yaml
from environments import places
from figures import Case, Outcome, figures, judged, read, table
from repro.core.digest import sha256_tree

HERE = Path(__file__).resolve().parent

TRAINING = {"epochs": 2, "batch_size": 8, "threads": {"intra": 1, "inter": 1}}
"""Small, since what takes time is starting each step; one thread, so that jobs run side by side."""


AT_ONCE = 8
"""How many controls, each with its twin, Snakemake is given at once."""


class _Offset(BaseHTTPRequestHandler):
    """What the controls take for a service somewhere in the network."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"0.25")

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@contextmanager
def _service() -> Generator[str]:
    """The address of a small web server on this machine, while it runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Offset)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def cases(names: Sequence[str] = ()) -> list[Case]:
    """The controls of `cases/`, all or those that are named.

    Raises:
        SystemExit: there is none of such a name.
    """
    known = {file.stem: file for file in sorted((HERE / "cases").glob("*.py"))}
    if odd := [name for name in names if name not in known]:
        sys.exit(f"Expected names of files in {HERE.name}/cases. Received {odd[0]}. Correct it.")
    return [read(known[name]) for name in names or known]


def _data(folder: Path) -> None:
    shutil.copy(HERE / "digits.csv", folder)
    rows = (folder / "digits.csv").read_text("utf-8").splitlines(keepends=True)
    pages = folder / "pages"
    pages.mkdir()
    for number in range(0, len(rows), 10):
        text = "".join(rows[number : number + 10])
        (pages / f"page-{number // 10:02}.csv").write_text(text, "utf-8")


def _entry(folder: Path, case: Case, fault: bool, service: str) -> dict[str, Any]:
    scratch = folder / "scratch" / f"{case.name}-{'fault' if fault else 'clean'}"
    scratch.mkdir(parents=True)
    entry: dict[str, Any] = {
        "code": f"cases/{case.name}.py",
        "data": {"path": "digits.csv"},
        "settings": {"fault": fault, "scratch": str(scratch), "service": service},
        "training": TRAINING,
    }
    for key, value in case.entry.items():
        merged = isinstance(value, Mapping) and key != "data"
        entry[key] = {**entry.get(key, {}), **value} if merged else value
    path = entry["data"]["path"]
    return {**entry, "data": {"path": path, "sha256": sha256_tree(folder / path)}}


def make(folder: Path, chosen: Sequence[Case], service: str) -> None:
    """Writes the project: data, the cases, and a configuration with two experiments for each.

    Args:
        folder: an empty folder.
        chosen: the controls.
        service: the address that they are given as that of a service.
    """
    _data(folder)
    (folder / "cases").mkdir()
    experiments: dict[str, Any] = {}
    for case in chosen:
        shutil.copy(HERE / "cases" / f"{case.name}.py", folder / "cases")
        for name, fault in ((f"{case.name}-fault", True), (f"{case.name}-clean", False)):
            experiments[name] = _entry(folder, case, fault, service)
    (folder / "config").mkdir()
    text = yaml.safe_dump({"experiments": experiments}, sort_keys=False)
    (folder / "config" / "config.yaml").write_text(text, "utf-8")


def run(folder: Path, jobs: int, chosen: Sequence[Case]) -> None:
    """Runs Snakemake up to the verdicts, goes on where one fails, and tells how far it is.

    Args:
        folder: a project; Snakemake's output goes to `snakemake.log` there.
        jobs: how many processors to use.
        chosen: the controls.
    """
    # Set, so that a repeat with another one has no more variables than the original.
    environment = {**tools.environment(), "TMPDIR": tempfile.gettempdir()}
    with (folder / "snakemake.log").open("w", encoding="utf-8") as log:
        # Some at once: with every job that ends, Snakemake's scheduler takes more processor time.
        for first in range(0, len(chosen), AT_ONCE):
            some = chosen[first : first + AT_ONCE]
            names = [f"{case.name}-{twin}" for case in some for twin in ("fault", "clean")]
            command = [
                "snakemake", "--snakefile", str(project.ROOT / "Snakefile"), "--keep-going",
                "--cores", str(jobs), "--conda-prefix", str(places.folder()),
                *(f"results/{name}/verdict.json" for name in names),
            ]  # fmt: skip
            subprocess.run(
                command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT,
                check=False,
            )  # fmt: skip
            print(f"{first + len(some)} of {len(chosen)}", file=sys.stderr, flush=True)


def _verdict(folder: Path, name: str) -> Mapping[str, Any] | None:
    file = folder / "results" / name / "verdict.json"
    return json.loads(file.read_text("utf-8")) if file.exists() else None


def _steps(folder: Path, name: str) -> int:
    """How many steps an epoch of that experiment's original has; 0 where it has no trace."""
    for trace in (folder / "results" / name / "original").glob("seed-*/trace.jsonl"):
        lines = [json.loads(line) for line in trace.read_text("utf-8").splitlines()[1:]]
        return sum(line["epoch"] == 0 and "step" in line for line in lines)
    return 0


def outcomes(folder: Path, chosen: Sequence[Case]) -> list[Outcome]:
    """What the verdicts of a project that ran say of each control."""
    return [
        judged(
            case,
            _verdict(folder, f"{case.name}-fault"),
            _verdict(folder, f"{case.name}-clean"),
            _steps(folder, f"{case.name}-fault"),
        )
        for case in chosen
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the controls and prints the figures.

    Args:
        arguments: the command line; by default that of the process.

    Returns:
        0 where every goal is reached, else 1.
    """
    parser = command_line.parser("controls.py", "Runs the negative controls.", jobs=2)
    parser.add_argument("--cases", default="", metavar="NAME,NAME", help="only these")
    options = parser.parse_args(arguments)
    chosen = cases([name for name in options.cases.split(",") if name])
    began = time.monotonic()
    with (
        command_line.working_folder(options.folder, "controls-") as folder,
        _service() as service,
    ):
        make(folder, chosen, service)
        run(folder, options.jobs, chosen)
        found = outcomes(folder, chosen)
    status = command_line.printed(table(found), figures(found))
    print(
        f"- {len(found)} controls with their twins took {(time.monotonic() - began) / 60:.0f} min"
    )
    return status


if __name__ == "__main__":
    sys.exit(main())
