"""What the page on nondeterminism says of TensorFlow and Keras: its own snippets show it.

All of them run in one process, in which nothing else was seeded or set: in the page's order, each
with names of its own. And the experiments that pages show are experiments.
"""

import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "nondeterminism.md"
BLOCK = re.compile(
    r"(?P<needs>^<!-- needs: [^\n]+ -->\n)?^(?P<indent> *)```python\n(?P<text>.*?)^ *```$",
    re.M | re.S,
)
RUN = """
import json, sys
import keras, random, zipfile
import numpy as np
import tensorflow as tf
for number, text in enumerate(json.loads(sys.argv[1])):
    names = {"keras": keras, "random": random, "zipfile": zipfile, "np": np, "tf": tf}
    exec(compile(text, f"snippet {number}", "exec"), names)
print("all ran")
"""


def test_each_snippet_shows_what_it_says(tmp_path: Path) -> None:
    blocks = list(BLOCK.finditer(PAGE.read_text("utf-8")))
    texts = [textwrap.dedent(block["text"]) for block in blocks if not block["needs"]]
    assert len(texts) >= 10
    command = [sys.executable, "-P", "-c", RUN, json.dumps(texts)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.endswith("all ran\n"), done.stderr


EXPERIMENT = re.compile(r"^```python\n(# [\w/-]+\.py\n.*?^def dataset\(.*?)^```$", re.M | re.S)


@pytest.mark.parametrize("page", ["README.md", "docs/how-to/from-fit-to-an-experiment.md"])
def test_an_experiment_on_a_page_reads_its_data_and_predicts(page: str) -> None:
    found = EXPERIMENT.search((ROOT / page).read_text("utf-8"))
    assert found
    names: dict[str, Any] = {}
    exec(compile(found[1], page, "exec"), names)
    data = ROOT / "workflow" / "experiments" / "digits.csv.gz"
    examples = names["dataset"](data, {"units": 32}, len)
    network = names["model"]({"units": 32}, len)
    assert len(examples["x"]) == len(examples["y"]) == 1797
    loss, _ = network.evaluate(examples["x"][:64], examples["y"][:64], verbose=0)
    assert 0 < loss < 10
