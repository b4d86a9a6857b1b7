"""What is rendered from the lock: it is what is committed, and holds what it must."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import project
import pytest
import yaml
from conda import lock_file, render
from post_deploy import finish

NAMES = ("keras", "keras-dev", "keras-cuda")


@pytest.fixture(scope="module")
def parsed() -> lock_file.Lock:
    return lock_file.parse(project.LOCK.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def rendered(parsed: lock_file.Lock) -> dict[str, str]:
    return render.render(parsed)


def lock_in(script: str) -> dict[str, Any]:
    """What a post-deploy script carries of the lock."""
    start = "lock.json\" <<'END_OF_FILE' || room\n"
    return json.loads(script.partition(start)[2].partition("END_OF")[0])


def test_what_is_committed_is_what_the_lock_renders_to(rendered: dict[str, str]) -> None:
    committed = {file.name: file.read_text(encoding="utf-8") for file in project.ENVS.iterdir()}
    assert committed == rendered, "run ./run lock --keep"


def test_cuda_is_for_one_platform_and_the_others_for_three(rendered: dict[str, str]) -> None:
    platforms = {
        name: {f.split(".")[1] for f in rendered if f.startswith(f"{name}.") and f.endswith("txt")}
        for name in NAMES
    }
    three = {"linux-64", "linux-aarch64", "osx-arm64"}
    assert platforms == {"keras": three, "keras-dev": three, "keras-cuda": {"linux-64"}}


def test_each_category_of_the_lock_is_an_environment(parsed: lock_file.Lock) -> None:
    wheel = lock_file.Wheel("tabulate", "0.9.0", "linux-64", "tables", "1" * 64)
    files = render.render(replace(parsed, wheels=[*parsed.wheels, wheel]))
    assert {name for name in files if "tables" in name} == {
        "keras-tables.yaml", "keras-tables.linux-64.pin.txt", "keras-tables.post-deploy.sh",
        "keras-tables.linux-64.wheels.txt",
    }  # fmt: skip
    having = {name for name, text in files.items() if "tabulate" in text}
    assert having == {"keras-tables.post-deploy.sh", "keras-tables.linux-64.wheels.txt"}
    assert '"name": "tensorflow"' in files["keras-tables.post-deploy.sh"]


def test_pins_are_addresses_with_sha256(parsed: lock_file.Lock, rendered: dict[str, str]) -> None:
    for platform, packages in parsed.conda.items():
        first, second, *pins = rendered[f"keras.{platform}.pin.txt"].splitlines()
        assert first == "@EXPLICIT"
        assert second == f"# lock: sha256:{parsed.sha256}"
        assert set(pins) == {f"{p.url}#sha256:{p.sha256}" for p in packages}
        assert all(f"-{p.build}." in p.url and p.subdir in (platform, "noarch") for p in packages)


@pytest.mark.parametrize("name", NAMES)
def test_the_fall_back_holds_no_wheels(
    parsed: lock_file.Lock, rendered: dict[str, str], name: str
) -> None:
    fall_back = yaml.safe_load(rendered[f"{name}.yaml"])
    assert fall_back["channels"] == ["conda-forge", "nodefaults"]
    names = {spec.partition("=")[0] for spec in fall_back["dependencies"]}
    assert {"python", "pip"} <= names <= {p.name for p in parsed.conda["linux-64"]}
    assert all("=" in spec for spec in fall_back["dependencies"])


@pytest.mark.parametrize("name", NAMES)
def test_the_script_holds_the_lock_and_is_posix(
    parsed: lock_file.Lock, rendered: dict[str, str], name: str
) -> None:
    script = rendered[f"{name}.post-deploy.sh"]
    subprocess.run(["sh", "-n"], input=script, text=True, check=True)
    held = json.loads(
        script.partition("lock.json\" <<'END_OF_FILE' || room\n")[2].partition("END_OF")[0]
    )
    assert (held["environment"], held["channel"]) == (name, "locked")
    categories = {"main", name.partition("-")[2] or "main"}
    for platform, packages in held["packages"].items():
        wheels = {
            w.sha256 for w in parsed.wheels if w.platform == platform and w.category in categories
        }
        conda = {p.sha256 for p in parsed.conda[platform]}
        assert {p["sha256"] for p in packages if p["manager"] == "pip"} == wheels
        assert {p["sha256"] for p in packages if p["manager"] == "conda"} == conda


def test_the_local_channel_has_other_pins_and_the_same_wheels(
    parsed: lock_file.Lock, rendered: dict[str, str], tmp_path: Path
) -> None:
    base = (tmp_path / "a channel").as_uri()
    python = lock_file.CondaPackage(
        "python", "3.11.2", "0", "linux-64", f"{base}/linux-64/python-3.11.2-0.conda", "1" * 64
    )
    pip = lock_file.CondaPackage(
        "pip", "26.2", "0", "noarch", f"{base}/noarch/pip-26.2-0.conda", "2" * 64
    )
    render.render_local([python, pip], tmp_path / "envs")
    pins = (tmp_path / "envs" / "keras.linux-64.pin.txt").read_text().splitlines()
    assert pins[1] == f"# lock: sha256:{parsed.sha256}"
    assert pins[2:] == [f"{pip.url}#sha256:{pip.sha256}", f"{python.url}#sha256:{python.sha256}"]
    assert not list((tmp_path / "envs").glob("*osx*"))
    fall_back = yaml.safe_load((tmp_path / "envs" / "keras.yaml").read_text())
    assert fall_back["channels"] == [base, "nodefaults"]
    assert fall_back["dependencies"] == ["pip=26.2=0", "python=3.11.2=0"]
    local = (tmp_path / "envs" / "keras.post-deploy.sh").read_text()
    assert '"channel": "local"' in local

    def wheels(script: str) -> set[str]:
        return {line for line in script.splitlines() if line.startswith('{"manager": "pip"')}

    assert wheels(local) < wheels(rendered["keras.post-deploy.sh"])
    assert len(wheels(local)) == len({w.name for w in parsed.wheels if w.category == "main"})


def test_a_changed_conda_package_changes_every_file_but_the_lists_of_wheels(
    parsed: lock_file.Lock,
) -> None:
    text = project.LOCK.read_text(encoding="utf-8")
    digest = next(p.sha256 for p in parsed.conda["linux-64"] if p.name == "python")
    before = render.render(parsed)
    after = render.render(lock_file.parse(text.replace(digest, "f" * 64)))
    same = {name for name in before if before[name] == after[name]}
    assert same == {name for name in before if name.endswith(".wheels.txt")}
    assert "f" * 64 in after["keras.linux-64.pin.txt"]
    assert "f" * 64 in after["keras.post-deploy.sh"]


def test_what_is_fetched_ahead_is_what_the_script_will_ask_for(rendered: dict[str, str]) -> None:
    """To the letter, by which the wheels are found that are there already."""
    script = rendered["keras.post-deploy.sh"]
    held = json.loads(
        script.partition("lock.json\" <<'END_OF_FILE' || room\n")[2].partition("END_OF")[0]
    )
    asked = finish.requirements(held["packages"]["linux-64"])
    assert rendered["keras.linux-64.wheels.txt"] == asked


def test_nothing_rendered_names_a_place_of_this_machine(rendered: dict[str, str]) -> None:
    assert [name for name, text in rendered.items() if str(project.ROOT) in text] == []
