"""What is rendered from the lock: for each environment a pin file per platform, and its scripts.

Synopsis:
    texts = render(parse(Path("conda-lock.yml").read_text()))      # file names and texts
    write(texts, project.ENVS)

The fall-back, NAME.yaml, is what Snakemake identifies an environment by, and what it would solve
again if a pin file failed. It holds no wheels, and the post-deploy script refuses whatever it
leads to, unless that is the lock's, digest by digest.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import project
import yaml
from post_deploy import finish

from conda.lock_file import CondaPackage, Lock, Wheel, parse

TEMPLATE = project.BOOTSTRAP / "post_deploy" / "post-deploy.sh.in"
# What the post-deploy script needs, and carries: Snakemake looks at the script alone.
_OF_LIBRARY = ("repro/record/environment_lock.py", "repro/record/installed.py")
_OF_BOOTSTRAP = (
    "cache.py", "display/progress.py", "locks.py", "requirements-uv.txt", "wheels/pip_command.py",
    "wheels/store.py", "wheels/install.py", "wheels/ahead.py", "post_deploy/beside.py",
    "post_deploy/against_lock.py", "post_deploy/contents.py",
    "post_deploy/bytecode.py", "post_deploy/finish.py", "post_deploy/imported.txt",
)  # fmt: skip
CARRIED = {
    **{name: project.LIBRARY / name for name in _OF_LIBRARY},
    **{name: project.BOOTSTRAP / name for name in _OF_BOOTSTRAP},
}

MAIN = "keras"  # the environment of the main category alone


def render(lock: Lock) -> dict[str, str]:
    """Render every environment of a lock: `keras`, and with category NAME on top `keras-NAME`."""
    files: dict[str, str] = {}
    for category in sorted({"main", *(w.category for w in lock.wheels)}):
        wanted = {"main", category}
        wheels = [w for w in lock.wheels if w.category in wanted]
        # an environment exists where its categories do
        platforms = sorted(
            platform
            for platform in lock.conda
            if wanted <= {w.category for w in wheels if w.platform == platform}
        )
        if platforms:
            name = MAIN if category == "main" else f"{MAIN}-{category}"
            files |= _environment(name, lock, platforms, wheels)
    return files


def render_local(packages: Sequence[CondaPackage], folder: Path) -> None:
    """Render the environments with all packages of a local channel, and the lock's wheels.

    Raises:
        OSError: there is no lock, or the folder cannot be written.
    """
    lock = parse(project.LOCK.read_text(encoding="utf-8"))
    (platform,) = {p.subdir for p in packages} - {"noarch"}
    source = packages[0].url.rpartition("/")[0].rpartition("/")[0]
    write(render(Lock(lock.sha256, "local", source, {platform: packages}, lock.wheels)), folder)


def write(files: Mapping[str, str], folder: Path) -> None:
    """Write rendered files into a folder."""
    for name, text in files.items():
        project.write(folder / name, text)


def _environment(
    name: str, lock: Lock, platforms: Sequence[str], wheels: Sequence[Wheel]
) -> dict[str, str]:
    conda = {p: sorted(lock.conda[p], key=lambda package: package.name) for p in platforms}
    files = {f"{name}.{p}.pin.txt": _pins(lock, conda[p]) for p in platforms}
    # What `./run` fetches ahead, while the tools are made: the very text that is asked for later.
    ahead = {p: finish.requirements(_entries(wheels, p)) for p in platforms}
    files |= {f"{name}.{p}.wheels.txt": text for p, text in ahead.items()}
    files[f"{name}.yaml"] = _fall_back(name, lock, conda)
    files[f"{name}.post-deploy.sh"] = _post_deploy(name, lock, conda, wheels)
    return files


def _pins(lock: Lock, packages: Sequence[CondaPackage]) -> str:
    lines = ["@EXPLICIT", _lock_line(lock), *(f"{p.url}#sha256:{p.sha256}" for p in packages)]
    return "\n".join([*lines, ""])


def _fall_back(name: str, lock: Lock, conda: Mapping[str, Sequence[CondaPackage]]) -> str:
    """Name what every platform has alike, as exactly as it is alike."""
    counts = Counter(
        spec
        for packages in conda.values()
        for p in packages
        for spec in (f"{p.name}={p.version}", f"{p.name}={p.version}={p.build}")
    )
    alike = {spec for spec, count in counts.items() if count == len(conda)}
    exact = sorted(s for s in alike if not any(other.startswith(f"{s}=") for other in alike))
    return (
        "# Rendered from conda-lock.yml by bootstrap/conda/render.py (`./run lock`); do not edit.\n"
        f"{_lock_line(lock)}\n"
        f"# What is installed is in {name}.<platform>.pin.txt. This list, of what all platforms\n"
        f"# have in common, cannot replace it: {name}.post-deploy.sh refuses other packages.\n"
        + yaml.safe_dump({"channels": [lock.source, "nodefaults"], "dependencies": exact})
    )


def _post_deploy(
    name: str, lock: Lock, conda: Mapping[str, Sequence[CondaPackage]], wheels: Sequence[Wheel]
) -> str:
    packages = {
        platform: [_entry("conda", p.name, p.version, p.sha256, p.build) for p in conda[platform]]
        + _entries(wheels, platform)
        for platform in conda
    }
    facts = {"environment": name, "channel": lock.channel, "lock": f"sha256:{lock.sha256}"}
    values = {
        "@LOCK_LINE@": _lock_line(lock).removeprefix("# "),
        "@NAME@": name,
        "@FOLDERS@": " ".join(sorted({f'"$code/{Path(name).parent}"' for name in CARRIED})),
        "@FILES@": "\n".join([*map(_carried, CARRIED), ""]),
        "@LOCK@": _json({**facts, "packages": packages}),
    }
    text = TEMPLATE.read_text(encoding="utf-8")
    for key, value in values.items():
        text = text.replace(key, value)
    return text


def _carried(name: str) -> str:
    text = CARRIED[name].read_text(encoding="utf-8")
    return f"cat >\"$code/{name}\" <<'END_OF_FILE' || room\n{text}END_OF_FILE\n"


def _entries(wheels: Sequence[Wheel], platform: str) -> list[dict[str, str]]:
    of_platform = sorted(
        (w for w in wheels if w.platform == platform), key=lambda wheel: wheel.name
    )
    return [_entry("pip", w.name, w.version, w.sha256) for w in of_platform]


def _entry(manager: str, name: str, version: str, sha256: str, build: str = "") -> dict[str, str]:
    entry = {"manager": manager, "name": name, "version": version, "sha256": sha256}
    return entry | ({"build": build} if build else {})


def _json(content: Mapping[str, Any]) -> str:
    """Write JSON with one package a line."""
    packages = ",\n".join(
        f'"{platform}": [\n' + ",\n".join(json.dumps(p) for p in entries) + "\n]"
        for platform, entries in content["packages"].items()
    )
    facts = ", ".join(f'"{k}": {json.dumps(v)}' for k, v in content.items() if k != "packages")
    return f'{{{facts}, "packages": {{\n{packages}\n}}}}\n'


def _lock_line(lock: Lock) -> str:
    return f"# lock: sha256:{lock.sha256}"
