"""What GitHub runs for this project is named by the digest of a commit, which nobody can move."""

import re

import project

USES = re.compile(r"uses:\s*(\S+)(.*)")
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")


def test_every_action_is_pinned_and_says_its_version() -> None:
    files = sorted((project.ROOT / ".github/workflows").glob("*.y*ml"))
    used = [found.groups() for file in files for found in USES.finditer(file.read_text())]
    assert used
    for action, comment in used:
        assert PINNED.fullmatch(action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), action
