"""./run clean: shows all, removes only what nobody uses, and says how much that was."""

from contextlib import ExitStack
from pathlib import Path

import locks
import pytest
import small_results
import tools
from environments import channel, places
from local_channel import renders
from post_deploy.beside import PINS, lock_of, path
from test_environments import make_environment
from verbs import clean

HERE, ELSEWHERE, USED = (f"{digit * 32}_" for digit in "abc")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with an environment that is needed here, one that is not, and one that a job uses."""
    cache = tmp_path / "a cache"
    monkeypatch.setattr(places, "SHARED", cache / "environments")
    monkeypatch.setattr(channel, "BUILT", cache / "channels")
    monkeypatch.setattr(renders, "LOCAL", tmp_path / "a clone" / "local")
    monkeypatch.setattr(clean, "WHEELS", cache / "wheels")
    monkeypatch.setattr(clean, "SCRIPTS", cache / "scripts")
    monkeypatch.setattr(tools, "UNPACKED", cache / "unpacked")
    for name in (HERE, ELSEWHERE, USED):
        make_environment(cache / "environments" / name)
    monkeypatch.setattr(places, "prefixes", lambda names, renders, within: {"keras": within / HERE})
    return cache


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def left(cache: Path) -> set[str]:
    return {path.name for path in (cache / "environments").iterdir() if path.is_dir()}


def test_without_a_yes_it_only_shows(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(cache.rglob("*"))
    lock = lock_of(cache / "environments" / USED)
    with locks.held(lock, locks.TOGETHER):
        assert clean.main([]) == 0
    lock.unlink()
    assert sorted(cache.rglob("*")) == before
    lines = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert [line[:3] for line in lines[:3]] == [["environment", "a", "(local)"]] * 3
    assert [line[-1] for line in lines[:3]] == ["here", "unused", "use"]
    assert lines[3][:2] == ["`--yes`", "removes"]


def test_what_is_used_or_needed_here_stays(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = sum(
        512 * path.lstat().st_blocks
        for path in (cache / "environments").rglob("*")
        if ELSEWHERE in str(path) and (path.is_file() or path.name == ELSEWHERE)
    )
    with locks.held(lock_of(cache / "environments" / USED), locks.TOGETHER):
        assert clean.main(["--yes"]) == 0
        assert left(cache) == {HERE, USED}
        assert beside(cache, ELSEWHERE) == [f"{ELSEWHERE}.lock"]  # which others may have open
        assert capsys.readouterr().out.endswith(f"\n{size:,} bytes are free again.\n")
        assert clean.main(["--yes", "--all"]) == 0
        assert left(cache) == {USED}
    assert clean.main(["--yes", "--all"]) == 0
    assert left(cache) == set()
    assert clean.main(["--yes", "--all"]) == 0
    assert capsys.readouterr().out.endswith("Nothing to remove.\n")


def test_one_that_is_used_by_the_time_stays(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with ExitStack() as job:

        def agreed(_: str) -> bool:
            lock = lock_of(cache / "environments" / ELSEWHERE)
            job.enter_context(locks.held(lock, locks.TOGETHER))
            return True

        monkeypatch.setattr("display.asking.agreed", agreed)
        assert clean.main([]) == 0
    assert left(cache) == {HERE, ELSEWHERE}
    said = capsys.readouterr()
    assert f"{ELSEWHERE} is in use by now, and stays." in said.err
    assert "environment a" in said.out


def beside(cache: Path, name: str) -> list[str]:
    """What begins with the name of an environment."""
    return sorted(path.name for path in (cache / "environments").glob(f"{name}*"))


def test_half_an_installation_goes_unless_somebody_installs(cache: Path) -> None:
    prefix = cache / "environments" / f"{'d' * 32}_"
    small_results.write(prefix.with_name(f"{prefix.name}.partial") / "prefix" / "a", "a")
    small_results.write(prefix.with_name(f"{prefix.name}.pin.txt"), "@EXPLICIT\n")
    small_results.write(prefix.with_name(f"{prefix.name}.wheels") / "work" / "a", "a")
    with locks.held(lock_of(prefix)):  # an installer
        assert clean.main(["--yes"]) == 0
        assert len(beside(cache, prefix.name)) > 1
    assert clean.main(["--yes"]) == 0
    assert beside(cache, prefix.name) == [f"{prefix.name}.lock"]


def test_a_channel_stays_with_the_environments_that_came_from_it(
    cache: Path, tmp_path: Path
) -> None:
    for name in ("of-a-b", "of-c", "of-nobody"):
        small_results.write(cache / "channels" / name / "noarch" / "pip-1-0.conda", name)
    pin = path(cache / "environments" / HERE, PINS)
    pin.write_text(f"{(cache / 'channels/of-a-b/noarch/pip-1-0.conda').as_uri()}#sha256:1\n")
    own = cache / "channels/of-c/noarch/pip-1-0.conda"
    small_results.write(renders.LOCAL / "envs" / "keras.linux-64.pin.txt", own.as_uri())
    assert clean.main(["--yes"]) == 0
    assert names(cache / "channels") == [".lock", "of-a-b", "of-c"]
    assert clean.main(["--yes", "--all"]) == 0
    assert names(cache / "channels") == [".lock"]


def test_wheels_that_no_lock_here_names_go(cache: Path) -> None:
    import project

    lock = (project.ROOT / "conda-lock.yml").read_text()
    needed = lock.rpartition("sha256: ")[2][:64].strip()
    for digest in (needed, "0" * 64):
        small_results.write(cache / "wheels" / digest / "a-1-py3-none-any.whl", digest)
    assert clean.main(["--yes"]) == 0
    assert names(cache / "wheels") == [needed]
    assert clean.main(["--yes", "--all"]) == 0
    assert names(cache / "wheels") == []


def test_the_environment_of_scripts_is_shown_and_goes_with_all(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python = cache / "scripts" / "0a1ea8df5f865862" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    assert clean.main(["--yes"]) == 0
    assert "for ./run scripts" in capsys.readouterr().out
    assert python.exists()
    assert clean.main(["--yes", "--all"]) == 0
    assert not python.parent.parent.exists()


def test_an_empty_cache_is_no_mistake(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "SHARED", tmp_path / "none")
    assert clean.main(["--yes"]) == 0
    assert left(cache) == {HERE, ELSEWHERE, USED}
