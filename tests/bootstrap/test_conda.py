"""The conda front end, called as Snakemake and conda-lock call it."""

import asyncio
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import project
import pytest
import tools
from conda import archives, front_end, install
from conda.pins import Pin
from display import progress
from display.notes import Notes
from environments import places
from repro.core.errors import UserError
from small_channel import Channel, Server, entries, flip

Serve = Callable[[Path], Server]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a space in its name, as a user's may have."""
    folder = tmp_path / "a place"
    folder.mkdir()
    return folder


def command(*arguments: str | Path) -> list[str]:
    return [
        sys.executable,
        "-Es",
        str(project.ROOT / "bootstrap" / "conda"),
        *map(str, arguments),
    ]


def conda(
    *arguments: str | Path, cache: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    more = {"CONDA_PKGS_DIRS": str(cache)} if cache else {}
    return subprocess.run(
        command(*arguments),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **more, **environment},
    )


def create(place: Path, *lines: str) -> subprocess.CompletedProcess[str]:
    pins = place / "env.pin.txt"
    pins.write_text("\n".join(["@EXPLICIT", *lines, ""]))
    options = (
        "--quiet",
        "--no-default-packages",
        "--file",
        pins,
        "--prefix",
        place / "env",
        "--yes",
    )
    return conda("create", *options, cache=place / "pkgs")


def assert_nothing_made(place: Path) -> None:
    assert entries(place) == ["env.pin.txt", "pkgs"]
    assert [name for name in entries(place / "pkgs") if name.endswith(".partial")] == []


def test_version_is_one_that_snakemake_accepts() -> None:
    answer = conda("--version").stdout
    assert tuple(map(int, answer.split()[1].split("."))) >= (24, 9, 0)


def test_info_names_the_prefix_so_that_an_unquoted_shell_can_source_it(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(project, "TOOLS", place)
    monkeypatch.setenv("CONDA_PKGS_DIRS", str(place / "pkgs"))
    assert front_end.main(["info", "--json"]) == 0
    known = json.loads(capsys.readouterr().out)
    assert shlex.split(known["conda_prefix"]) == [str(place)]
    assert known["platform"] == project.subdir()
    assert known["pkgs_dirs"] == [str(place / "pkgs")]


def test_channel_priority_is_strict() -> None:
    answer = json.loads(conda("config", "--get", "channel_priority", "--json").stdout)
    assert answer["get"]["channel_priority"] == "strict"


def test_it_notes_each_package_that_it_fetches_and_that_they_are_installed(
    place: Path, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(progress.FILE, str(place / "notes"))
    files = [channel.add(name) for name in "abc"]
    assert create(place, *map(channel.pin, files)).returncode == 0
    notes = Notes(place / "notes")
    found = notes.new()
    fetched = [note for note in found if note.what == "conda packages fetched"]
    assert {note.name for note in fetched} == {file.name for file in files}
    assert sorted({note.done for note in fetched}) == [0, 1, 2, 3]
    assert [(n.what, n.done, n.total) for n in found[len(fetched) :]] == [
        ("conda packages installed", 0, 3), ("conda packages installed", 3, 3),
    ]  # fmt: skip
    assert notes.unfinished() is None
    assert notes.refusal is None


def test_it_notes_why_it_refused_first(
    place: Path, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Snakemake then asks for what is refused as well, and shows the output of both."""
    monkeypatch.setenv(progress.FILE, str(place / "notes"))
    file = channel.add("a")
    pin = channel.pin(file)
    flip(file)
    assert create(place, pin).returncode == 1
    assert conda("env", "create", "--file", "env.yaml").returncode == 1
    notes = Notes(place / "notes")
    notes.new()
    assert notes.refusal
    assert notes.refusal.sentence.startswith(f"Expected the package {file.name} with sha256 ")
    assert notes.refusal.status == 2


@pytest.mark.parametrize("over", ["file", "http"])
def test_installs_exactly_what_is_pinned(
    over: str, place: Path, channel: Channel, serve: Serve
) -> None:
    a, b = channel.add("a"), channel.add("b")
    channel.add("c")
    base = serve(channel.folder).url if over == "http" else None
    lines = [channel.pin(a, base), channel.pin(b, base)]
    done = create(place, *lines)
    assert done.returncode == 0, done.stderr
    said = subprocess.run([place / "env/bin/say-a"], capture_output=True, text=True, check=True)
    assert said.stdout == f"a in {place / 'env'}\n"
    records = [json.loads(f.read_text()) for f in sorted((place / "env/conda-meta").glob("*.json"))]
    assert [f"{r['url']}#sha256:{r['sha256']}" for r in records] == lines
    listed = conda("list", "--explicit", "--prefix", place / "env").stdout.split()
    assert listed[-2:] == [line.partition("#")[0] for line in lines]
    assert entries(place) == ["env", "env.pin.txt", "pkgs"]


def test_a_noarch_package_and_an_md5_are_accepted(place: Path, channel: Channel) -> None:
    done = create(place, channel.pin(channel.add("a", subdir="noarch"), algorithm="md5"))
    assert done.returncode == 0, done.stderr
    assert (place / "env/bin/say-a").is_file()


@pytest.mark.parametrize("over", ["file", "http"])
def test_another_digest_is_refused(over: str, place: Path, channel: Channel, serve: Serve) -> None:
    a, b = channel.add("a"), channel.add("b")
    base = serve(channel.folder).url if over == "http" else None
    line = channel.pin(a, base)
    flip(a)
    received = channel.pin(a, base).partition(":")[2].rpartition(":")[2]
    done = create(place, channel.pin(b, base), line)
    assert done.returncode == 1
    for part in (a.name, line.rpartition(":")[2], received, "Nothing was installed"):
        assert part in done.stderr
    assert "Traceback" not in done.stderr
    assert_nothing_made(place)
    assert a.name not in entries(place / "pkgs")


@pytest.mark.parametrize(
    "fragment", ["", "#", "#sha256:abc", "#sha256:" + "a" * 32, "#" + "z" * 64]
)
def test_a_line_without_a_digest_is_refused(fragment: str, place: Path, channel: Channel) -> None:
    a = channel.add("a")
    done = create(place, a.as_uri() + fragment)
    assert done.returncode == 1
    assert "Expected #sha256:<64 hex digits> after each address" in done.stderr
    assert a.name in done.stderr
    assert entries(place) == ["env.pin.txt"]


def test_a_file_that_is_no_pin_file_is_refused(place: Path) -> None:
    pins = place / "env.pin.txt"
    pins.write_text("a\n")
    done = conda("create", "--file", pins, "--prefix", place / "env", "--yes")
    assert done.returncode == 1
    assert "Expected a pin file with an @EXPLICIT line" in done.stderr
    missing = conda("create", "--file", place / "none", "--prefix", place / "env", "--yes")
    assert "Expected a pin file with an @EXPLICIT line" in missing.stderr


def test_an_unpinned_environment_file_is_refused(place: Path) -> None:
    (place / "env.yaml").write_text("channels: [conda-forge]\ndependencies: [python]\n")
    options = ("--quiet", "--no-default-packages", "--file", place / "env.yaml")
    done = conda("env", "create", *options, "--prefix", place / "env")
    assert done.returncode == 1
    assert "Received an environment file, which would be solved again: refused" in done.stderr
    assert entries(place) == ["env.yaml"]


def test_specifications_are_not_installed(place: Path) -> None:
    done = conda("create", "--prefix", place / "env", "--yes", "python")
    assert done.returncode == 1
    assert "Received specifications or no file" in done.stderr


def test_a_prefix_that_exists_is_left_alone(place: Path, channel: Channel) -> None:
    (place / "env").mkdir()
    (place / "env" / "mine").touch()
    done = create(place, channel.pin(channel.add("a")))
    assert done.returncode == 1
    assert "Expected nothing at" in done.stderr
    assert entries(place / "env") == ["mine"]


def test_a_truncated_download_is_refused_and_a_whole_one_then_accepted(
    place: Path, channel: Channel, serve: Serve
) -> None:
    a = channel.add("a")
    server = serve(channel.folder)
    server.truncated.add(a.name)
    line = channel.pin(a, server.url)
    done = create(place, line)
    assert done.returncode == 1
    assert a.name in done.stderr
    assert_nothing_made(place)
    assert entries(place / "pkgs") == []
    server.truncated.clear()
    assert create(place, line).returncode == 0


def test_an_altered_cache_is_healed_by_a_new_download(
    place: Path, channel: Channel, serve: Serve
) -> None:
    a = channel.add("a")
    server = serve(channel.folder)
    line = channel.pin(a, server.url)
    assert create(place, line).returncode == 0
    (place / "env").rename(place.parent / "first")
    assert create(place, line).returncode == 0
    assert server.requested == [a.name]  # the second came from the cache
    (place / "env").rename(place.parent / "second")
    flip(place / "pkgs" / a.name)
    assert create(place, line).returncode == 0
    assert server.requested == [a.name, a.name]
    assert (place / "pkgs" / a.name).read_bytes() == a.read_bytes()


def test_an_altered_cache_is_refused_where_nothing_can_heal_it(
    place: Path, channel: Channel, serve: Serve
) -> None:
    a = channel.add("a")
    server = serve(channel.folder)
    line = channel.pin(a, server.url)
    assert create(place, line).returncode == 0
    (place / "env").rename(place.parent / "first")
    flip(place / "pkgs" / a.name)
    a.unlink()
    done = create(place, line)
    assert done.returncode == 1
    assert f"Expected the package {a.name}" in done.stderr
    assert_nothing_made(place)


def test_an_installation_that_is_killed_is_made_whole_by_the_next(
    place: Path, channel: Channel, serve: Serve
) -> None:
    a, b = channel.add("a"), channel.add("b")
    server = serve(channel.folder)
    server.held.add(b.name)
    lines = [channel.pin(a, server.url), channel.pin(b, server.url)]
    pins = place / "env.pin.txt"
    pins.write_text("\n".join(["@EXPLICIT", *lines, ""]))
    options = ("create", "--file", pins, "--prefix", place / "env", "--yes")
    environment = {**os.environ, "CONDA_PKGS_DIRS": str(place / "pkgs")}
    with subprocess.Popen(command(*options), env=environment) as process:
        assert server.reached.wait(60)
        process.send_signal(signal.SIGKILL)
    assert not (place / "env").exists()
    server.held.clear()
    (place / "env.partial" / "prefix").mkdir(parents=True)  # as one killed while it unpacks leaves
    (place / "env.partial" / "prefix" / "stale").touch()
    done = create(place, *lines)
    assert done.returncode == 0, done.stderr
    assert entries(place) == ["env", "env.pin.txt", "pkgs"]
    assert "stale" not in entries(place / "env")


@pytest.mark.slow
def test_a_server_that_hangs_is_given_up(
    place: Path, channel: Channel, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    a = channel.add("a")
    server = serve(channel.folder)
    server.held.add(a.name)
    monkeypatch.setattr(archives, "DOWNLOAD_SECONDS", 1)
    pin = Pin(*channel.pin(a, server.url).replace("#sha256:", " sha256 ").split())
    with pytest.raises(UserError, match=f"Expected the package {a.name} at"):
        install.create([pin], place / "env", place / "pkgs")
    assert entries(place) == ["pkgs"]


def test_clean_keeps_what_a_conda_would_install_from_again(
    place: Path, channel: Channel, serve: Serve
) -> None:
    a = channel.add("a")
    server = serve(channel.folder)
    assert create(place, channel.pin(a, server.url)).returncode == 0
    assert conda("clean", "-y", "--tarballs", cache=place / "pkgs").returncode == 0
    assert entries(place / "pkgs") == [a.name]
    assert conda("clean", "-y", "--tarballs", "--packages", cache=place / "pkgs").returncode == 0
    assert entries(place / "pkgs") == []


def solve(*arguments: str | Path, subdir: str) -> subprocess.CompletedProcess[str]:
    options = ("create", "--prefix", "/nowhere", "--dry-run", "--json", "--override-channels")
    return conda(*options, *arguments, CONDA_SUBDIR=subdir)


@pytest.mark.parametrize("over", ["folder", "file", "http"])
def test_solves_for_another_platform_as_conda_lock_asks(
    over: str, channel: Channel, serve: Serve, tmp_path: Path
) -> None:
    channel.add("a", subdir="osx-arm64", depends=("b", "__osx >=12"))
    b = channel.add("b", subdir="noarch")
    channel.add("c", subdir="osx-arm64")
    virtual = Channel(tmp_path / "virtual")
    (virtual.folder / "noarch").mkdir(parents=True)
    system = {"name": "__osx", "version": "13.0", "build": "0", "subdir": "osx-arm64"}
    package_of_system = {"__osx-13.0-0.tar.bz2": {**system, "build_number": 0, "depends": []}}
    (virtual.folder / "osx-arm64").mkdir()
    repodata = {"info": {"subdir": "osx-arm64"}, "packages": package_of_system}
    (virtual.folder / "osx-arm64" / "repodata.json").write_text(json.dumps(repodata))
    (virtual.folder / "noarch" / "repodata.json").write_text('{"packages": {}}')
    asyncio.run(_index(channel.folder))
    places = {
        "folder": str(channel.folder),
        "file": channel.folder.as_uri(),
        "http": serve(channel.folder).url,
    }
    channels = ("--channel", places[over], "--channel", virtual.folder.as_uri())
    done = solve(*channels, "a 1.*", subdir="osx-arm64")
    assert done.returncode == 0, done.stdout + done.stderr
    fetch = {r["name"]: r for r in json.loads(done.stdout)["actions"]["FETCH"]}
    assert set(fetch) - {"__osx"} == {"a", "b"}
    assert fetch["b"]["sha256"] == channel.pin(b).rpartition(":")[2]
    assert fetch["b"]["fn"] == b.name
    assert fetch["b"]["url"].endswith(f"/noarch/{b.name}")
    assert fetch["a"]["subdir"] == "osx-arm64"
    refused = solve("--channel", places[over], "a", subdir="osx-arm64")
    assert refused.returncode == 1  # nothing here says what that system has
    assert "__osx" in json.loads(refused.stdout)["message"]


async def _index(folder: Path) -> None:
    from rattler.index.index import index_fs

    await index_fs(folder, write_zst=False, write_shards=False)


def test_activate_runs_the_packages_scripts_in_a_strict_shell(tmp_path: Path) -> None:
    prefix = tmp_path / "an env"
    (prefix / "bin").mkdir(parents=True)
    (prefix / "etc/conda/activate.d").mkdir(parents=True)
    (prefix / "etc/conda/activate.d/a.sh").write_text('export FROM_A="a$NOT_SET"\n')
    activate = tmp_path / "activate"
    activate.write_text(tools.ACTIVATE)
    script = f"""set -euo pipefail; source {shlex.quote(str(activate))} {shlex.quote(str(prefix))}
        echo "$CONDA_PREFIX" "$FROM_A" "${{PATH%%:*}}"; echo "$NOT_SET" """
    done = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.defpath},
    )
    assert done.stdout == f"{prefix} a {prefix}/bin\n"
    assert "NOT_SET: unbound variable" in done.stderr  # strict again, as it was


_SNAKEFILE = """
rule b:
    input: "a"
    output: "b"
    conda: "env.yaml"
    shell: "cp {input} {output}"


rule a:
    output: "a"
    conda: "env.yaml"
    shell: 'say-a > {output}; cat "$CONDA_PREFIX/deployed" >> {output}'
"""


@pytest.fixture
def toy(place: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """A workflow of two rules with a pin file and a post-deploy script, run by Snakemake."""
    (place / "Snakefile").write_text(_SNAKEFILE)
    (place / "env.yaml").write_text("channels: [conda-forge]\ndependencies: [a=1.0=0]\n")
    # The first line is what Snakemake puts, unquoted, before the script's own path.
    first = """#!/bin/sh -c 'exec /bin/sh "$CONDA_PREFIX.post-deploy.sh"'"""
    lines = [first, 'echo deployed > "$CONDA_PREFIX/deployed"']
    deploy = "\n".join([*lines, ""])
    (place / "env.post-deploy.sh").write_text(deploy)

    def run() -> subprocess.CompletedProcess[str]:
        own = {"CONDA_PKGS_DIRS": str(place / "pkgs")}
        own[places.VARIABLE] = str(place / ".snakemake" / "conda")
        environment = {**tools.environment(), **own}
        return subprocess.run(
            ["snakemake", "b", "--cores", "1", "--software-deployment-method", "conda"],
            cwd=place,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.slow
@pytest.mark.skipif(tools.users_conda() is not None, reason="the user's own conda is used")
def test_snakemake_runs_a_workflow_with_it(
    place: Path,
    channel: Channel,
    serve: Serve,
    toy: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    a = channel.add("a")
    pins = place / f"env.{project.subdir()}.pin.txt"
    line = channel.pin(a, serve(channel.folder).url)
    pins.write_text(f"@EXPLICIT\n{line}\n")
    done = toy()
    assert done.returncode == 0, done.stderr
    prefix = next((place / ".snakemake/conda").glob("*_"))
    assert (place / "b").read_text() == f"a in {prefix}\ndeployed\n"


@pytest.mark.slow
@pytest.mark.skipif(tools.users_conda() is not None, reason="the user's own conda is used")
def test_snakemake_runs_no_job_after_a_wrong_digest(
    place: Path,
    channel: Channel,
    serve: Serve,
    toy: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    a = channel.add("a")
    line = channel.pin(a, serve(channel.folder).url)
    flip(a)
    (place / f"env.{project.subdir()}.pin.txt").write_text(f"@EXPLICIT\n{line}\n")
    done = toy()
    assert done.returncode != 0
    assert f"Expected the package {a.name} with sha256" in done.stderr
    assert "would be solved again: refused" in done.stderr
    assert not (place / "a").exists()
    assert list((place / ".snakemake/conda").glob("*_")) == []
