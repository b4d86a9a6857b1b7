"""The patch of an experiment: which line is changed, how, and that only what agreed is shown."""

import ast
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from repro.cause.experiment_patch import VARIED, TriedChange, tried_patch
from repro.cause.setting import Runs, Setting

UNSEEDED = "generator without a seed"


@dataclass
class Copies:
    """Trials that agree where the changed experiment has a text."""

    setting: Setting
    agreeing: str
    changed: list[str] = field(default_factory=list[str])

    @contextmanager
    def copied(self, _: Path, __: str, content: bytes) -> Generator[Any]:
        self.changed.append(content.decode())
        yield self

    def agree(self, factors: Sequence[str], runs: int) -> bool:
        assert (factors, runs) == (("clock",), VARIED)
        return self.agreeing in self.changed[-1]

    def as_far(self) -> str:
        return ", as far as to where the runs diverged"


def tried(
    folder: Path, text: str, call: tuple[str, str, int], agreeing: str = ""
) -> tuple[TriedChange | None, list[str]]:
    file = folder / "digits.py"
    file.write_text(text)
    setting = Setting(Runs("digits", Path(), {"experiment": str(file)}, Path()), "prepare")
    copies: Any = Copies(setting, agreeing)
    source, name, line = call
    calls = [{"source": source, "call": name, "file": "digits.py", "line": line}]
    return tried_patch(("digits.py", line), calls, copies, ("clock",)), copies.changed


@pytest.mark.parametrize(
    ("text", "call", "after"),
    [
        ("def dataset(data, settings, seeds):\n    return default_rng()\n",
         (UNSEEDED, "numpy.random.default_rng", 2), 'default_rng(seeds("default_rng"))'),
        ("def model(settings, seeds):\n    seed = int(time.time())\n    return Layer(seed=seed)\n",
         ("clock", "time.time", 2), 'seed = seeds("time")'),
        ("def dataset(data, settings, seeds):\n    return os.listdir(data)\n",
         ("listing order", "os.listdir", 2), "sorted(os.listdir(data))"),
        ("import os\n\n\ndef dataset(data, settings, seeds):\n    return hash('a')\n",
         ("hash", "hash", 5), "import zlib\nimport os\n\n\ndef dataset(data, settings, seeds):\n"
         "    return zlib.crc32(repr('a').encode())"),
        ("def dataset(data, settings, seeds):\n    return list({'a', data})\n",
         ("hash", "iteration over a set", 2), "sorted({'a', data})"),
        ("'''Doc.'''\nfrom __future__ import annotations\n\nimport os\n\nSIZE = hash('a')\n",
         ("hash", "hash", 6), "annotations\n\nimport zlib\nimport os\n"),
        # Two generators with one seed would give the same numbers.
        ("def dataset(data, *, settings, seeds):\n    default_rng(seeds('default_rng'))\n"
         "    return default_rng(), default_rng()\n",
         (UNSEEDED, "numpy.random.default_rng", 3),
         'default_rng(seeds("default_rng 2")), default_rng(seeds("default_rng 3"))'),
    ],
)  # fmt: skip
def test_a_line_of_the_experiment_is_mended_and_what_it_gives_comes_from_seeds(
    text: str, call: tuple[str, str, int], after: str, tmp_path: Path
) -> None:
    patch, changed = tried(tmp_path, text, call)
    assert patch
    assert after in changed[0]
    ast.parse(changed[0])
    assert patch.verified_runs == 1 + VARIED
    assert patch.diff.startswith("--- a/digits.py\n+++ b/digits.py\n")
    assert str(tmp_path) not in patch.diff + patch.sentence
    assert "3 times, as far as to where the runs diverged, 2 of them" in patch.sentence


@pytest.mark.parametrize(
    ("text", "call", "agreeing", "changes"),
    [
        ("def dataset(data, settings, seeds):\n    return default_rng()\n",
         (UNSEEDED, "numpy.random.default_rng", 2), "never", 1),
        # A number would be the same with every seed.
        ("def helper():\n    return default_rng()\n",
         (UNSEEDED, "numpy.random.default_rng", 2), "", 0),
        ("def dataset(data, settings, seeds):\n    return time.time()\n",
         ("clock", "time.time", 2), "", 0),
        ("def dataset(data, settings, seeds):\n    return hash((hash('a'), data))\n",
         ("hash", "hash", 2), "", 0),
        ("def dataset(:\n", ("clock", "time.time", 1), "", 0),
    ],
)  # fmt: skip
def test_what_does_not_agree_or_cannot_be_mended_gives_none(
    text: str, call: tuple[str, str, int], agreeing: str, changes: int, tmp_path: Path
) -> None:
    patch, changed = tried(tmp_path, text, call, agreeing)
    assert (patch, len(changed)) == (None, changes)
