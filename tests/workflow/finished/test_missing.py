"""What is missing among the results is made again, and nothing else; what is others is named."""

import os
from collections import Counter
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

JOBS = ("code", "prepare", "train", "evaluate", "probe", "compare", "page", "overview")


@pytest.fixture(scope="module")
def done(finished):
    """A project whose whole job has run."""
    return finished("whole")


def planned(made, *arguments: str) -> dict[str, int]:
    """How many jobs of each rule a target would run."""
    said = made.run("--dry-run", "--quiet", "host", "--", *arguments).stdout
    if "Nothing to be done" in said:
        return {}
    words = said.partition("Job stats: job count ")[2].partition(" total ")[0].split()
    return {name: int(words[words.index(name) + 1]) for name in JOBS if name in words}


FILES = {
    "small/original/data/test/id.npy": {"prepare": 1, "train": 1, "evaluate": 1, "probe": 1},
    "small/repeat/data.manifest.json": {"prepare": 1, "train": 1, "evaluate": 1},
    "small/original/seed-0/history.csv": {"train": 1, "evaluate": 1},
    "small/repeat/seed-0/train.manifest.json": {"train": 1, "evaluate": 1},
    "small/repeat/seed-0/metrics.json": {"evaluate": 1},
    "small/probe.manifest.json": {"probe": 1},
    "small/verdict.md": {"compare": 1},
    "small/verdict.manifest.json": {"compare": 1},
    "small/report.html": {"page": 1},
    "index.html": {"overview": 1},
}
# Two of which neither asks for a job of the other are missing at once: their jobs add up.
GONE = [
    ("small/original/data/test/id.npy", "small/repeat/seed-0/train.manifest.json"),
    ("small/original/seed-0/history.csv", "small/repeat/data.manifest.json"),
    ("small/repeat/seed-0/metrics.json", "small/probe.manifest.json"),
    ("small/verdict.md",),
    ("small/verdict.manifest.json",),
    ("small/report.html", "index.html"),
]


@pytest.mark.parametrize(
    ("names", "target"), [*((names, "all") for names in GONE), (("small/verdict.md",), "verify")]
)
def test_each_file_that_is_missing_is_asked_for(
    done, names: tuple[str, ...], target: str, tmp_path: Path
):
    for number, name in enumerate(names):
        (done.results / name).rename(tmp_path / str(number))
    try:
        found = planned(done, target)
    finally:
        for number, name in enumerate(names):
            (tmp_path / str(number)).rename(done.results / name)
    expected = sum((Counter(FILES[name]) for name in names), Counter())
    # A verdict is made again of whatever was made again below it; Snakemake tells so beforehand.
    assert found.items() >= expected.items()
    assert found.keys() <= {*expected, "compare", "page", "overview"}


def test_what_is_gone_is_made_again_with_the_same_bytes_and_the_rest_is_left(done):
    """The results of one step, a page and a program are removed, as by hand."""

    def state() -> dict[str, tuple[int, bytes]]:
        files = [file for file in done.results.rglob("*") if file.is_file()]
        return {
            file.relative_to(done.results).as_posix(): (file.stat().st_mtime_ns, file.read_bytes())
            for file in files
        }

    before = state()
    for file in (done.results / "small" / "original" / "seed-0").iterdir():
        file.unlink()
    for name in ("small/verdict.md", "code.pyz"):
        (done.results / name).unlink()
    result = done.run("--cores", "2", "all")
    assert result.returncode == 0, result.stdout
    after = state()
    again = {name for name in before if after[name][0] != before[name][0]}
    removed = ("small/original/seed-0/", "small/verdict", "small/report", "index.", "code.")
    removed += ("judge.", "report.")
    own = {name for name in before if name.startswith(removed)}
    assert (after.keys(), again) == (before.keys(), own)
    others = ("manifest.json", "model.keras", "report.html")
    assert [n for n in own if after[n][1] != before[n][1] and not n.endswith(others)] == []
    assert "Nothing to be done" in done.run("all").stdout


def test_a_program_that_is_gone_is_packed_again_and_nothing_is_trained(done):
    def times() -> dict[str, int]:
        files = (done.results / "small").rglob("*")
        return {str(file): file.stat().st_mtime_ns for file in files if file.is_file()}

    before = times()
    for name in ("code.pyz", "judge.pyz", "report.pyz", "code.manifest.json"):
        (done.results / name).unlink()
        result = done.run("--cores", "2", "all")
        assert result.returncode == 0, result.stdout
        assert (done.results / name).exists()
        assert times() == before


@pytest.mark.parametrize("name", ["small/original/data/train/x.npy", "small/verdict.json"])
def test_verify_names_what_is_gone_or_edited_where_snakemake_sees_nothing(done, name: str):
    file = done.results / name
    content, times = file.read_bytes(), (file.stat().st_atime_ns, file.stat().st_mtime_ns)
    if name.endswith(".npy"):  # no rule declares it
        file.unlink()
    else:
        file.write_bytes(content.replace(b'"verdict": "met"', b'"verdict": "not met"'))
        os.utime(file, ns=times)
    result = done.run("verify")
    file.write_bytes(content)
    os.utime(file, ns=times)
    assert result.returncode == 1
    said = "Expected verdicts, and what they rest on, as they were written. Received "
    assert f"{said}results/{name} (" in result.stdout


def test_verify_is_content_again_when_all_is_as_it_was(done):
    assert done.run("verify").returncode == 0
