"""The benchmark of the repeat counts all that the right jobs made the processors do."""

import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import project
import pytest

sys.path.insert(0, str(project.ROOT / "tests" / "benchmarks"))

import repeat

BUSY = "import time\nwhile time.process_time() < 0.3: pass"
JOB = "set -euo pipefail; : {what}; {python} -c '{busy}' & wait; ( {python} -c '{busy}' ) | cat"


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("results/code.pyz launch --run repeat-2 --vary 'a,b' -- train --x", ("repeat-2", "train")),
        ("code.pyz launch --run original --intra 2 --vary '' -- probe", ("original", "probe")),
        ("python -I -B results/judge.pyz compare --experiment a", ("judge", "compare")),
        ("something else", None),
    ],
)
def test_a_jobs_time_is_that_of_all_that_it_waited_for(
    what: str, expected: tuple[str, str] | None, tmp_path: Path
) -> None:
    (tmp_path / "account").write_text(repeat.ACCOUNT)
    (tmp_path / "accounts").mkdir()
    command = JOB.format(what=what, python=sys.executable, busy=BUSY)
    names = {"BASH_ENV": "account", "REPRO_ACCOUNTS": "accounts"}
    paths = {name: str(tmp_path / file) for name, file in names.items()}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["bash", "-c", command], env={**os.environ, **paths}, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    whole = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    found = list(repeat.accounts(tmp_path / "accounts"))
    assert [one[:2] for one in found] == ([expected] if expected else [])
    for *_, spent in found:
        assert 0.6 <= spent <= whole + 0.01
        assert spent > 0.8 * whole


def test_the_originals_steps_are_not_beyond_it() -> None:
    jobs: list[Any] = [("original", step, 1000.0) for step in ("prepare", "train", "evaluate")]
    jobs += [("original", "probe", 1.0), ("judge", "compare", 2.0), ("judge", "verify", 4.0)]
    jobs += [("repeat", step, 8.0) for step in ("prepare", "train", "evaluate")]
    assert repeat.beyond(jobs) == 31
    row = repeat.row({"model": "MLP", "jobs": jobs})
    assert row == ("MLP", "1000.0", "31.0", "8.0", "23.0", "0.03")
    assert len(row) == len(repeat.COLUMNS)
