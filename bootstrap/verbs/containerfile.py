"""What ./run containerfile does: write down an image, for Docker and Podman, and for Apptainer.

Synopsis:
    ./run containerfile [--out FOLDER] [--base IMAGE:bookworm-DAY@sha256:...]

Both files are rendered from one list of steps, and so do the same. The same lock and base give the
same bytes.
"""

import argparse
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import project
from repro.core.errors import UserError
from repro.record.environment_files import check_renders

# The index of all platforms, as the publisher of the image lists it:
# https://github.com/docker-library/repo-info/blob/master/repos/debian/remote/bookworm-20260918-slim.md
BASE = (
    "docker.io/library/debian:bookworm-20260918-slim"
    "@sha256:3783cc01769c7b2b1b83a5c5ad96c815348e28ed7da68e2e3687004faa906251"
)
HOME = "/repro"
# What a clone has, and nothing that lies about in it.
FILES = (
    "CITATION.cff", "LICENSE", "README.md", "Snakefile", "bootstrap", "conda-lock.yml", "config",
    "environment.yml", "profiles", "run", "workflow",
)  # fmt: skip
PACKAGES = ("ca-certificates", "python3.11", "python3.11-venv")
# So that whoever runs the image finds its environments, which need not be writable.
VARIABLES = {"REPRO_CACHE": f"{HOME}/.cache"}
_AND = " \\\n    && "
# In Debian's images a comment above each place of packages names that place as of the image's day.
SOURCES = "/etc/apt/sources.list.d/debian.sources"


@dataclass(frozen=True)
class Base:
    """The image to begin with; `day` is the one of which Debian's packages are taken."""

    name: str
    day: str
    digest: str

    @property
    def pinned(self) -> str:
        """Without the tag: not every tool takes both."""
        return f"{self.name}@{self.digest}"


@dataclass(frozen=True)
class BuildStep:
    """Commands of which none runs after one that failed, and why they are there."""

    why: str
    commands: tuple[str, ...]


def main(argv: Sequence[str]) -> int:
    """Write Containerfile and repro.def.

    Raises:
        UserError: the base has no digest, or the files in workflow/envs are not the lock's.
    """
    parser = argparse.ArgumentParser(
        prog="./run containerfile",
        description="Write the definitions of an image that holds the workflow and its locked "
        "environments: Containerfile (Docker, Podman) and repro.def (Apptainer).",
    )
    parser.add_argument("--out", type=Path, default=Path(), metavar="FOLDER", help="else here")
    parser.add_argument(
        "--base", default=BASE, metavar="IMAGE",
        help="another Debian 12, by day and digest (else %(default)s)",
    )  # fmt: skip
    options = parser.parse_args(argv)
    out: Path = options.out
    texts = rendered(base(options.base))
    for name, text in texts.items():
        project.write(out / name, text)
    print(
        f"Made {' and '.join(str(out / name) for name in texts)}. In the clone's folder:\n"
        f"    podman build --tag repro --file {out / 'Containerfile'} .\n"
        f"    apptainer build repro.sif {out / 'repro.def'}"
    )
    return 0


def base(text: str) -> Base:
    """Read the name of an image: its place, a tag with a day, and its digest.

    Raises:
        UserError: it does not say of what day it is, or it has no digest.
    """
    match = re.fullmatch(
        r"(?P<name>[a-z0-9][\w.:/-]*?):bookworm-(?P<day>\d{8})(-slim)?@(?P<digest>sha256:[0-9a-f]{64})",
        text,
    )
    if match is None:
        raise UserError(
            "Expected an image of Debian 12 by its day and digest, such as "
            f"{BASE.partition('@')[0]}@sha256:…: a tag alone may be another image tomorrow, and "
            f"Debian's packages are taken as of that day. Received {text}. Correct `--base`."
        )
    return Base(match["name"], match["day"], match["digest"])


def steps(lock_sha256: str, day: str) -> tuple[BuildStep, ...]:
    """Return what makes the image of Debian's packages of a day, once the clone's files are in."""
    return (
        BuildStep(
            "Debian's packages of the image's own day, signed by Debian.",
            (
                f"sed -i -E '/^# http/{{N;s/^# (\\S+)\\nURIs:.*/URIs: \\1/}}' {SOURCES}",
                f"test \"$(grep -c '^URIs: .*/{day}T000000Z$' {SOURCES})\" = 2",
                "apt-get -o Acquire::Check-Valid-Until=false update",
                f"apt-get install --yes --no-install-recommends {' '.join(PACKAGES)}",
                "rm -rf /var/lib/apt/lists/*",
            ),
        ),
        BuildStep(
            "Refuses another lock than the one that this file was rendered from.",
            (
                f"cd {HOME}",
                f"echo '{lock_sha256}  {project.LOCK.name}' | sha256sum --check --strict",
            ),
        ),
        BuildStep(
            "Tools by sha256, environments by the lock; then each package is compared with it.",
            (f"cd {HOME}", "./run setup --config channel=locked", "rm -rf .cache/wheels"),
        ),
    )


def rendered(image: Base) -> dict[str, str]:
    """Render both files.

    Raises:
        UserError: the files in workflow/envs are not rendered from the lock as it is.
    """
    check_renders(project.LOCK, project.ENVS, "keras", "linux-64")
    lock = hashlib.sha256(project.LOCK.read_bytes()).hexdigest()
    head = (
        f"# Rendered from {project.LOCK.name} (sha256:{lock}) by `./run containerfile`; do not "
        "edit.\n"
        f"# Debian 12 of {image.day}. Debian's packages are checked by signature, all others by\n"
        "# digest. Build it in the folder of a clone.\n"
    )
    build_steps = steps(lock, image.day)
    return {
        "Containerfile": head + _containerfile(image, build_steps),
        "repro.def": _definition(image, build_steps, head),
    }


def _containerfile(image: Base, build_steps: Sequence[BuildStep]) -> str:
    copied = "".join(f"COPY {name} {HOME}/{name}\n" for name in FILES)
    runs = "".join(f"# {step.why}\nRUN {_AND.join(step.commands)}\n" for step in build_steps)
    variables = "".join(f"ENV {name}={value}\n" for name, value in VARIABLES.items())
    entry = f'ENTRYPOINT ["{HOME}/run"]\nCMD ["--help"]\n'
    return f"FROM {image.pinned}\n{copied}{variables}{runs}{entry}"


def _definition(image: Base, build_steps: Sequence[BuildStep], head: str) -> str:
    copied = "".join(f"    {name} {HOME}/{name}\n" for name in FILES)
    variables = "".join(f"export {name}={value}\n" for name, value in VARIABLES.items())
    # A line each: a shell that stops at errors overlooks those before the last `&&`.
    runs = "".join("\n".join([f"# {step.why}", *step.commands, ""]) for step in build_steps)
    return (
        f"Bootstrap: docker\nFrom: {image.pinned}\n\n{head}\n%files\n{copied}\n"
        f"%environment\n{variables}\n%post\nset -eu\n{variables}{runs}\n"
        f'%runscript\nexec {HOME}/run "$@"\n'
    )
