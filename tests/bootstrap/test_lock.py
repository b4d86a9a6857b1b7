"""The lock: what it must and must not hold, and how it is made."""

import hashlib
import re
from pathlib import Path
from typing import Any

import project
import pytest
import yaml
from conda import lock, locked_half, reach, solve
from repro.core.errors import CouldNotRun, UserError

Content = dict[str, Any]

PLATFORMS = {"linux-64", "linux-aarch64", "osx-arm64"}


@pytest.fixture(scope="module")
def text() -> str:
    return project.LOCK.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def content(text: str) -> Content:
    return yaml.safe_load(text)


@pytest.fixture(scope="module")
def packages(content: Content) -> list[Content]:
    return content["package"]


def test_every_package_has_a_sha256(packages: list[Content]) -> None:
    bad = [p["name"] for p in packages if not re.fullmatch("[0-9a-f]{64}", p["hash"]["sha256"])]
    assert packages
    assert bad == []


def test_it_holds_three_platforms_and_three_categories(packages: list[Content]) -> None:
    main = {("python", "conda"), ("pip", "conda"), ("tensorflow", "pip"), ("keras", "pip")}
    for platform in PLATFORMS:
        here = [p for p in packages if p["platform"] == platform]
        assert main <= {(p["name"], p["manager"]) for p in here if p["category"] == "main"}
        assert {"pytest", "hypothesis"} <= {p["name"] for p in here if p["category"] == "dev"}
    cuda = [p for p in packages if p["category"] == "cuda"]
    assert {p["platform"] for p in cuda} == {"linux-64"}
    assert all(p["name"].startswith("nvidia-") for p in cuda)
    assert {p["platform"] for p in packages} == PLATFORMS


def test_it_names_one_host_and_no_place_of_a_machine(text: str, content: Content) -> None:
    assert set(re.findall(r"\w+://[^/\s]*", text)) == {"https://conda.anaconda.org"}
    urls = [package["url"] for package in content["package"]]
    assert all(url.startswith((lock.CHANNEL, "${PYPI_FILES_URL}/packages/")) for url in urls)
    metadata = content["metadata"]
    assert metadata["sources"] == ["environment.yml"]
    assert metadata["channels"] == [{"url": lock.CHANNEL.rstrip("/"), "used_env_vars": []}]
    assert text.endswith("\n")


def test_it_was_made_from_environment_yml_as_it_is(content: Content) -> None:
    source = hashlib.sha256(lock.SOURCE.read_bytes()).hexdigest()
    hashes = content["metadata"]["content_hash"]
    assert hashes == dict.fromkeys(PLATFORMS, source), "run ./run lock"


@pytest.mark.slow
def test_conda_lock_itself_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from conda_lock.lockfile import parse_conda_lock_file

    monkeypatch.setenv("PYPI_FILES_URL", "https://files.example")
    content = parse_conda_lock_file(project.LOCK)
    assert {str(platform) for platform in content.metadata.platforms} == PLATFORMS


def answer(url: str, manager: str = "pip", **digests: str) -> dict[str, Any]:
    digests = digests or {"sha256": "0" * 64}
    package = {"name": "a", "platform": "linux-64", "manager": manager, "url": url}
    return {"metadata": {"platforms": ["linux-64"]}, "package": [{**package, "hash": digests}]}


@pytest.mark.parametrize(
    ("url", "neutral"),
    [
        ("https://files.example/packages/ab/cd/ef/a.whl", "/packages/ab/cd/ef/a.whl"),
        ("https://me:secret@m.example:80/pypi/x/packages/ab/c/a.whl", "/packages/ab/c/a.whl"),
        ("http://mirror.example/team/+f/ab/a.whl", "/team/+f/ab/a.whl"),
    ],
)
def test_the_index_is_taken_out_of_addresses(url: str, neutral: str) -> None:
    (package,) = lock.neutral(answer(url), "00")["package"]
    assert package["url"] == "${PYPI_FILES_URL}" + neutral


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (answer("https://f.example/a.whl", md5="00"), "Expected a sha256 for a for linux-64."),
        (answer("https://f.example/a.whl", sha256="xy"), "Expected a sha256 for a for linux-64."),
        (answer("/opt/wheels/a.whl"), "Lock against an index on a server."),
        (answer("file:///opt/a.whl"), "Lock against an index on a server."),
        (answer("https://other.example/a.conda", "conda"), "Give `--channel` a copy"),
        (answer("file:///opt/a.conda", "conda"), "Give `--channel` a copy"),
    ],
)
def test_what_cannot_be_published_is_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=re.escape(sentence)):
        lock.neutral(given, "00")


def test_categories_become_files_of_their_own() -> None:
    environment = yaml.safe_load(lock.SOURCE.read_bytes())
    files = lock.sources(environment, "https://index.example/simple")
    assert list(files) == ["main.yml", "dev.yml", "cuda.yml"]
    main = yaml.safe_load(files["main.yml"])
    assert main["pip-repositories"] == ["https://index.example/simple"]
    assert "categories" not in main
    assert yaml.safe_load(files["cuda.yml"])["category"] == "cuda"
    selected = [line for line in files["cuda.yml"].splitlines() if "nvidia" in line]
    assert len(selected) == 12
    assert all(line.endswith("  # [linux64]") for line in selected)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder in which a lock may be made."""
    monkeypatch.setattr(project, "ROOT", tmp_path)
    monkeypatch.setattr(lock, "SOURCE", tmp_path / "environment.yml")
    monkeypatch.setattr(project, "LOCK", tmp_path / "conda-lock.yml")
    monkeypatch.setattr(solve, "LOG", tmp_path / "tools" / "lock.log")
    monkeypatch.setattr(project, "ENVS", tmp_path / "envs")
    return tmp_path


@pytest.fixture
def channel(tmp_path: Path, content: Content) -> Path:
    """The index of a channel that has what the lock has, at its true addresses."""
    folder = tmp_path / "a channel"
    folder.mkdir()
    locked_half.write(content, folder)
    return folder


ENVIRONMENT = """\
channels: [conda-forge]
platforms: [linux-64, osx-arm64]
dependencies: [python 3.11.*, pip, {pip: [six ==1.17.0]}]
categories:
  - {name: dev, pip: [iniconfig ==2.1.0], platforms: [linux-64]}
"""


@pytest.mark.slow
def test_it_is_made_whole_and_the_same_again(elsewhere: Path, channel: Path) -> None:
    lock.SOURCE.write_text(ENVIRONMENT)
    assert lock.main(["--channel", str(channel)]) == 0
    first = project.LOCK.read_bytes()
    moved = elsewhere / "moved"
    channel.rename(moved)
    assert lock.main(["--channel", moved.as_uri()]) == 0
    assert project.LOCK.read_bytes() == first
    assert str(elsewhere) not in first.decode()
    assert set(re.findall(r"\w+://[^/\s]*", first.decode())) == {"https://conda.anaconda.org"}
    made = yaml.safe_load(first)
    dev = {(p["name"], p["platform"]) for p in made["package"] if p["category"] == "dev"}
    assert dev == {("iniconfig", "linux-64")}
    assert {"six", "python"} <= {p["name"] for p in made["package"] if p["category"] == "main"}
    assert (project.ENVS / "keras-dev.linux-64.pin.txt").is_file()


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """No conda-forge, and no waiting for it."""
    monkeypatch.setattr(reach, "answers", lambda url, seconds: "conda" not in url)


def conda_half(lock_text: str) -> list[Content]:
    return [p for p in yaml.safe_load(lock_text)["package"] if p["manager"] == "conda"]


@pytest.mark.slow
@pytest.mark.usefixtures("unreachable")
def test_without_conda_forge_wheels_change_and_its_half_stays(
    elsewhere: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lock.SOURCE.write_text(ENVIRONMENT)
    project.LOCK.write_text(text)
    assert lock.main([]) == 0
    first = project.LOCK.read_text()
    assert capsys.readouterr().err == (
        "https://conda.anaconda.org/conda-forge/ does not answer within 5 seconds: its packages "
        "stay as they are locked, and only wheels are chosen again.\n"
    )
    kept = [package for package in conda_half(text) if package["platform"] != "linux-aarch64"]
    assert conda_half(first) == kept
    lock.SOURCE.write_text(ENVIRONMENT.replace("six ==1.17.0", "six ==1.16.0"))
    assert lock.main([]) == 0
    second = project.LOCK.read_text()
    assert conda_half(second) == kept
    versions = [
        {p["version"] for p in yaml.safe_load(one)["package"] if p["name"] == "six"}
        for one in (first, second)
    ]
    assert versions == [{"1.17.0"}, {"1.16.0"}]
    assert str(elsewhere) not in second


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("3.11.*", "3.12.*", "python 3.12.* for linux-64"),
        ("pip,", "pip, ffmpeg,", "ffmpeg for linux-64"),
        ("osx-arm64", "linux-aarch64", "python 3.11.* for linux-aarch64"),
    ],
)
@pytest.mark.usefixtures("elsewhere", "unreachable")
def test_without_conda_forge_what_is_out_of_reach_is_said_in_a_sentence(
    old: str, new: str, wanted: str, content: Content
) -> None:
    left = {"linux-64", "osx-arm64"}
    content = {**content, "package": [p for p in content["package"] if p["platform"] in left]}
    project.LOCK.write_text(yaml.safe_dump(content))
    lock.SOURCE.write_text(ENVIRONMENT.replace(old, new, 1))
    with pytest.raises(CouldNotRun) as refused:
        lock.main([])
    assert str(refused.value) == (
        "Expected https://conda.anaconda.org/conda-forge/ to answer, of which environment.yml asks "
        f"{wanted}, and which conda-lock.yml does not hold. Received no answer within 5 seconds. "
        "Make it reachable, name with `--channel` a place that has it, or change wheels alone."
    )
    assert yaml.safe_load(project.LOCK.read_text()) == content


@pytest.mark.usefixtures("elsewhere", "unreachable")
def test_without_conda_forge_what_names_no_package_is_said_in_a_sentence(text: str) -> None:
    project.LOCK.write_text(text)
    lock.SOURCE.write_text(ENVIRONMENT.replace("3.11.*", ">=>3", 1))
    with pytest.raises(UserError, match=r"Expected a conda package .* Received python >=>3 \("):
        lock.main([])
    assert project.LOCK.read_text() == text


@pytest.mark.slow
@pytest.mark.usefixtures("elsewhere", "unreachable")
def test_an_index_that_does_not_answer_is_named_without_its_password(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(solve, "index", lambda: "http://me:secret@127.0.0.1:9/simple")
    project.LOCK.write_text(text)
    lock.SOURCE.write_text(ENVIRONMENT)
    with pytest.raises(CouldNotRun) as refused:
        lock.main([])
    assert str(refused.value).startswith(
        "Expected the package index at 127.0.0.1 to answer, of which wheels are taken. Received "
        "ConnectionError. Make it reachable"
    )
    assert "secret" not in str(refused.value)
    assert project.LOCK.read_text() == text


@pytest.mark.slow
@pytest.mark.usefixtures("elsewhere")
def test_what_has_no_solution_changes_nothing(channel: Path) -> None:
    lock.SOURCE.write_text(ENVIRONMENT.replace("3.11.*", "2.5.*"))
    project.LOCK.write_text("as it was")
    with pytest.raises(UserError, match=r"Expected conda-lock to find versions .*lock\.log\."):
        lock.main(["--channel", str(channel)])
    assert project.LOCK.read_text() == "as it was"
    assert not project.ENVS.exists()
    assert solve.LOG.is_file()


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("channels:", "chanels:", "'channels' is a required property"),
        ("linux-64, ", "linux-32, ", r"\$.platforms\[0\]"),
        ("name: dev", "nam: dev", r"\$.categories\[0\]"),
        ("categories:", "category:", "'category' was unexpected"),
        ("[conda-forge]", "[conda-forge", "Expected YAML"),
        ("[conda-forge]", "[bioconda]", r"\$.channels"),
    ],
)
@pytest.mark.usefixtures("elsewhere")
def test_a_mistake_in_environment_yml_is_named(old: str, new: str, sentence: str) -> None:
    lock.SOURCE.write_text(ENVIRONMENT.replace(old, new, 1))
    with pytest.raises(UserError, match=sentence):
        lock.main([])
    assert not project.LOCK.exists()
