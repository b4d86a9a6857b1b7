"""Drift: another machine redoes the repeats alone, judges them as such, and shows in `drift`."""

import shutil
import subprocess
from pathlib import Path

import pytest

CPUINFO = Path("/proc/cpuinfo")


@pytest.fixture
def elsewhere(tmp_path: Path) -> tuple[str, ...]:
    """A command in front of another, which then sees a processor of another stepping."""
    if not CPUINFO.exists() or "stepping\t: " not in CPUINFO.read_text():
        pytest.skip("this system tells no stepping")
    other = tmp_path / "cpuinfo"
    other.write_text(CPUINFO.read_text().replace("stepping\t: ", "stepping\t: 9"))
    script = f'mount --bind "{other}" {CPUINFO} && exec "$@"'
    command = ("unshare", "-m", "sh", "-c", script, "sh")
    if not shutil.which("unshare") or subprocess.run([*command, "true"], check=False).returncode:
        pytest.skip("showing another processor needs root")
    return command


def made(results: Path) -> dict[str, int]:
    files = [*results.glob("small/*/seed-0/*"), *results.glob("small/*/data/*/*.npy")]
    return {str(file.relative_to(results)): file.stat().st_mtime_ns for file in files}


@pytest.mark.slow
def test_another_machine_redoes_the_repeat_and_is_told(
    finished, elsewhere: tuple[str, ...]
) -> None:
    project = finished("drift")
    assert "same bits, same setup. 1 repeat" in project.verdict("small")["sentence"]
    before = made(project.results)

    here = project.run("drift")
    assert here.returncode == 0, here.stdout
    assert "you can still claim all three" in here.stdout
    assert "Nothing to be done" in project.run("all", "--dry-run").stdout

    gone = project.run("drift", "--config", "manifest=results/none.json", before=elsewhere)
    assert gone.returncode != 0
    assert "Expected a manifest at none.json." in gone.stdout
    manifest = "results/small/original/seed-0/train.manifest.json"
    there = project.run("drift", "--config", f"manifest={manifest}", before=elsewhere)
    assert there.returncode != 0
    assert "Bits may change: processor: stepping: was " in there.stdout
    assert "you can still claim metrics and documented" in there.stdout

    redone = project.run("results/small/verdict.json", before=elsewhere)
    after = made(project.results)
    changed = {Path(file).parts[1] for file in before if before[file] != after[file]}
    assert changed == {"repeat"}, redone.stdout
    verdict = project.verdict("small")
    assert verdict["scope"].endswith("what differs: processor: stepping")
    assert "same setup" not in verdict["sentence"]
    # Bits depend on the stepping by name only here: they are the same, in two setups.
    assert verdict["verdict"] == "met"
    assert "same bits, other setup" in verdict["sentence"]
