"""Pages in a real browser: nothing is asked for, nothing too wide, and axe-core is content.

Skipped, aloud, where there is no Chromium or no axe-core; `.ci/run` brings both.
"""

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from pages import Sample, text_of
from repro.check.page import page as check_page
from repro.webpage.index import index
from test_webpage import SAMPLES

CHROMIUM = shutil.which("chromium")
NPM = shutil.which("npm")
SERIOUS = ("serious", "critical")
LOOK = """
<script>{axe}</script>
<script>
document.querySelectorAll("details").forEach(part => part.open = true);
const wide = document.documentElement.scrollWidth - innerWidth;
const asked = performance.getEntriesByType("resource").map(entry => entry.name);
const dark = matchMedia("(prefers-color-scheme: dark)").matches;
axe.run().then(found => {{
  const told = document.createElement("pre");
  told.id = "told";
  told.textContent = JSON.stringify({{wide, asked, dark, violations: found.violations.map(
    one => [one.impact, one.id, one.nodes[0].html])}});
  document.body.append(told);
}});
</script>
"""


def axe() -> Path | None:
    """The file of axe-core that `npm install --global` laid down, if it did."""
    if NPM is None:
        return None
    done = subprocess.run([NPM, "root", "--global"], capture_output=True, text=True, check=False)
    file = Path(done.stdout.strip(), "axe-core", "axe.min.js")
    return file if file.is_file() else None


def looked(text: str, folder: Path, scheme: int, width: int) -> dict[str, Any]:
    """What a browser finds of a page."""
    file = axe()
    if CHROMIUM is None or file is None:
        pytest.skip("needs Chromium, and axe-core by npm")
    look = LOOK.format(axe=file.read_text("utf-8"))
    (folder / "page.html").write_text(text.replace("</body>", f"{look}</body>"), "utf-8")
    done = subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000",
            f"--user-data-dir={folder / 'profile'}", f"--window-size={width},900",
            f"--blink-settings=preferredColorScheme={scheme}", "--dump-dom",
            (folder / "page.html").as_uri(),
        ],
        capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    told = re.search(r'<pre id="told">(.*?)</pre>', done.stdout, re.DOTALL)
    assert told, done.stdout[-2000:]
    return json.loads(unescape(told[1]))


def sound(found: dict[str, Any]) -> None:
    assert found["asked"] == []
    assert found["wide"] <= 0
    assert [one for one in found["violations"] if one[0] in SERIOUS] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a divergence", "hostile names"])
@pytest.mark.parametrize(("scheme", "width"), [(1, 1280), (0, 390)], ids=["light", "dark, narrow"])
def test_the_page_of_an_experiment(name: str, scheme: int, width: int, tmp_path: Path) -> None:
    found = looked(text_of(tmp_path, SAMPLES[name]), tmp_path, scheme, width)
    assert found["dark"] is (scheme == 0)
    sound(found)


def test_the_overview(tmp_path: Path) -> None:
    text_of(tmp_path, Sample())
    text = index([tmp_path / "results/digits/verdict.json"])
    sound(looked(text, tmp_path, 1, 1280))


def test_the_page_of_a_check(tmp_path: Path) -> None:
    value = {
        "answer": "not the same", "sentence": "Not the same: 1 of 1 outputs differs.",
        "details": ["out.npy: 3 of 4 differ"], "command": ["python", "train.py"], "steps": None,
        "silent_errors": [], "runs": [], "left_out": ["standard error"],
        "patch": {
            "confirmed": True, "changes": ["gives it a seed"], "diff": "--- a\n+++ b\n-x\n+y\n",
            "variables": {}, "agreed": 2, "needed": 2, "tried": 1, "complete": True,
            "new_silent_errors": [], "by_hand": None,
        },
        "outputs": [
            {
                "name": "out.npy", "kind": "NumPy", "same": False, "how": "by tensor", "masked": [],
                "largest": {"place": "a", "left": "1", "right": "2"},
            }
        ],
    }  # fmt: skip
    sound(looked(check_page(value), tmp_path, 0, 390))


def test_what_is_wrong_with_a_page_is_found(tmp_path: Path) -> None:
    """So that a silent browser is not taken for a content one."""
    bad = '<html><body><p style="width: 3000px">a</p><img src="x.png"></body></html>'
    found = looked(bad, tmp_path, 1, 1280)
    assert found["wide"] > 0
    assert [one for one in found["violations"] if one[0] in SERIOUS]
