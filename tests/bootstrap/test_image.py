"""./run containerfile: two definitions of one image, in which nothing is fetched unpinned."""

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import project
import pytest
from repro.core.errors import UserError
from verbs import containerfile

OTHER = f"registry.example:5000/debian:bookworm-20260105@sha256:{'1' * 64}"


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return containerfile.rendered(containerfile.base(containerfile.BASE))


def commands(texts: dict[str, str]) -> list[list[str]]:
    """The commands of each definition, as its own syntax has them."""
    runs = re.findall(r"^RUN ((?:.*\\\n)*.*)$", texts["Containerfile"], re.MULTILINE)
    post = texts["repro.def"].partition("\n%post\nset -eu\n")[2].partition("\n\n")[0]
    lines = [line for line in post.splitlines() if not line.startswith(("#", "export "))]
    return [[c for run in runs for c in run.split(" \\\n    && ")], lines]


def test_both_definitions_do_the_same(texts: dict[str, str]) -> None:
    docker, apptainer = commands(texts)
    assert docker == apptainer
    assert "./run setup --config channel=locked" in docker
    first, second = texts["Containerfile"], texts["repro.def"]
    assert re.findall(r"^FROM (.*)$", first, re.M) == re.findall(r"^From: (.*)$", second, re.M)
    copied = re.findall(r"^COPY (.*)$", first, re.MULTILINE)
    assert copied == re.findall(r"^    (\S+ /repro/\S+)$", second, re.MULTILINE) != []
    variables = {f"{name}={value}" for name, value in containerfile.VARIABLES.items()}
    assert set(re.findall(r"^ENV (.*)$", first, re.MULTILINE)) == variables
    assert set(re.findall(r"^export (.*)$", second, re.MULTILINE)) == variables


def test_the_same_lock_gives_the_same_bytes_and_another_base_is_taken(
    texts: dict[str, str],
) -> None:
    assert containerfile.rendered(containerfile.base(containerfile.BASE)) == texts
    other = containerfile.rendered(containerfile.base(OTHER))
    assert f"FROM registry.example:5000/debian@sha256:{'1' * 64}\n" in other["Containerfile"]
    assert "20260105T000000Z" in other["Containerfile"]
    assert containerfile.base(containerfile.BASE).day not in "".join(other.values())


PLACES = """\
Types: deb
# http://snapshot.example/archive/debian/DAYT000000Z
URIs: http://today.example/debian
Suites: bookworm bookworm-updates
Components: main

Types: deb
# http://snapshot.example/archive/debian-security/DAYT000000Z
URIs: http://today.example/debian-security
Suites: bookworm-security
Components: main
"""


@pytest.mark.parametrize(
    ("found", "right"),
    [
        (PLACES.replace("DAY", "20260918"), True),
        (PLACES.replace("DAY", "20260919"), False),
        (PLACES.replace("DAY", "20260918", 1), False),
        (re.sub("# .*\n", "", PLACES), False),
    ],
)
def test_debians_packages_are_taken_as_of_the_images_day_or_not_at_all(
    found: str, right: bool, texts: dict[str, str], tmp_path: Path
) -> None:
    places = tmp_path / "debian.sources"
    places.write_text(found)
    change, check = (
        command.replace(containerfile.SOURCES, str(places)) for command in commands(texts)[0][:2]
    )
    subprocess.run(["sh", "-c", change], check=True)
    done = subprocess.run(["sh", "-c", check], check=False)
    assert (done.returncode == 0) == right
    assert not right or "today.example" not in places.read_text()


def test_nothing_is_fetched_but_by_digest_or_day(texts: dict[str, str]) -> None:
    assert not any("://" in text for text in texts.values())
    (docker, _) = commands(texts)
    programs = {command.split()[0] for command in docker}
    assert programs == {"sed", "test", "apt-get", "rm", "cd", "echo", "./run"}


@pytest.mark.parametrize(
    "name",
    [
        "debian:bookworm-slim",
        "debian:bookworm-20260918-slim",
        f"debian:bookworm-slim@sha256:{'1' * 64}",
        f"debian:bookworm-20260918-slim@sha256:{'1' * 63}",
        f"debian:bookworm-20260918-slim@sha256:{'1' * 64}\nRUN true",
    ],
)
def test_a_base_that_may_be_another_one_tomorrow_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=r"Expected an image of Debian 12 by its day and digest"):
        containerfile.base(name)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What the image would get, in a folder whose name has a space."""
    root = tmp_path / "a clone"
    root.mkdir()
    for name in containerfile.FILES:
        source = project.ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy2
        copy(source, root / name)
    return root


def check_of_the_lock(texts: dict[str, str]) -> str:
    (found,) = [command for command in commands(texts)[0] if "sha256sum" in command]
    return found


def test_a_changed_lock_is_refused_when_rendering_and_when_building(
    texts: dict[str, str], clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = clone / "conda-lock.yml"
    monkeypatch.setattr(project, "LOCK", lock)
    assert containerfile.rendered(containerfile.base(containerfile.BASE)) == texts

    def build() -> int:
        told = subprocess.run(["sh", "-c", check_of_the_lock(texts)], cwd=clone, check=False)
        return told.returncode

    assert build() == 0
    lock.write_text(lock.read_text() + "# another\n")
    assert build() != 0
    with pytest.raises(UserError, match="one from another lock"):
        containerfile.rendered(containerfile.base(containerfile.BASE))


def test_the_command_writes_both_and_says_how_to_build(tmp_path: Path) -> None:
    done = subprocess.run(
        [project.ROOT / "run", "containerfile", "--out", tmp_path],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert sorted(file.name for file in tmp_path.iterdir()) == ["Containerfile", "repro.def"]
    assert f"apptainer build repro.sif {tmp_path / 'repro.def'}" in done.stdout
    sha256 = hashlib.sha256(project.LOCK.read_bytes()).hexdigest()
    assert sha256 in (tmp_path / "repro.def").read_text()


def test_what_is_copied_is_what_a_clone_tracks() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=project.ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    top = {name.split("/")[0] for name in tracked if name}
    beside = {
        ".ci", ".github", ".gitignore", ".readthedocs.yaml", ".snakemake-workflow-catalog.yml",
        "CHANGELOG.md", "CONTRIBUTING.md", "docs", "pyproject.toml", "tests", "typings",
    }  # fmt: skip
    assert top - set(containerfile.FILES) == beside
    assert set(containerfile.FILES) <= top
