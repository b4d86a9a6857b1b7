"""What the page on nondeterminism says of TensorFlow and Keras: its own snippets show it.

All of them run in one process, in which nothing else was seeded or set: in the page's order, each
with names of its own.
"""

import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "nondeterminism.md"
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
