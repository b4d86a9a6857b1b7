"""The web page of an experiment: the same bytes, small, alone, and without a reader's surprise."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pages import Sample, made, text_of
from repro.core.errors import UserError
from repro.webpage.evidence import read
from repro.webpage.index import index
from repro.webpage.page import page

LARGEST = 300_000
HOSTILE = "<script>alert(\"x\")</script> & 'q' ![p](http://evil.example/a.png) " + "w" * 300
DIVERGED: dict[str, Any] = {
    "verdict": "not met",
    "per_seed": [
        {
            "seed": 0, "run": "repeat", "verdict": "not met",
            "divergence": {
                "what": "weights", "epoch": 1, "step": 2, "variable": HOSTILE,
                "growth": {
                    "how": "By two trainings.",
                    "first_variables": [{"epoch": 1, "step": 2, "variable": HOSTILE}],
                    "steps": [
                        {
                            "epoch": 1 + step // 4, "step": step % 4, "relative": 10.0**-step,
                            "variable": HOSTILE,
                        }
                        for step in range(2, 6)
                    ],
                },
            },
        }
    ],
    "causes": [
        {
            "cause": HOSTILE, "where": HOSTILE, "evidence": HOSTILE, "remedy": HOSTILE,
            "tested": True, "trials": 2, "file": "experiment.py", "line": 5,
        }
    ],
}  # fmt: skip


class Read(HTMLParser):
    """Tags with their attributes, and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def harmless(text: str) -> Read:
    """A page that runs nothing, asks for nothing, and says of each picture what it shows."""
    found = Read(text)
    tags = [tag for tag, _ in found.tags]
    assert {"script", "img", "iframe", "object", "embed", "base", "form"}.isdisjoint(tags)
    for tag, attributes in found.tags:
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
        for name in ("href", "src", "action"):
            address = attributes.get(name) or "#"
            assert address.startswith(("#", "data:,")) or address.endswith("/report.html"), address
    style = "".join(re.findall(r"<style>.*?</style>", text, re.DOTALL))
    assert "@import" not in style
    assert "url(" not in style
    ids = [attributes["id"] for _, attributes in found.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    pictures = [attributes for tag, attributes in found.tags if tag == "svg"]
    for picture in pictures:
        assert picture["role"] == "img"
        for name in (picture["aria-labelledby"] or "").split():
            assert name in ids
    assert tags.count("svg") == tags.count("desc")
    return found


SAMPLES = {
    "an example": Sample(),
    "one run alone": Sample(runs=("original",)),
    "several repeats": Sample(runs=("original", "repeat", "repeat-2"), moved=0.01),
    "one epoch": Sample(epochs=1),
    "no validation part": Sample(validation=False),
    "numbers": Sample(classes=0, metrics=("mae", "loss")),
    "one class": Sample(classes=1),
    "many classes": Sample(classes=30),
    "not a number": Sample(value=float("nan")),
    "infinite": Sample(value=float("inf"), classes=0),
    "no predictions": Sample(predicted=False),
    "no metrics": Sample(metrics=("loss",), changed={"results": {}}),
    "an older verdict": Sample(changed={"results": None, "metrics": None}),
    "a divergence": Sample(changed=DIVERGED, moved=0.1),
    "metrics": Sample(goal="metrics", seeds=range(6), moved=0.001),
    "hostile names": Sample(
        metrics=("loss", HOSTILE),
        changed={"sentence": HOSTILE, "scope": HOSTILE, "methods": HOSTILE, "warnings": [HOSTILE]},
    ),
}


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
def test_a_page_runs_nothing_asks_for_nothing_and_tells_what_it_shows(
    sample: Sample, tmp_path: Path
) -> None:
    found = harmless(text_of(tmp_path, sample))
    words = " ".join(found.words)
    assert "What this does not show" in words
    if sample is SAMPLES["hostile names"]:
        assert HOSTILE in words


def test_a_divergence_is_drawn_and_the_line_quoted(tmp_path: Path) -> None:
    text = text_of(tmp_path, SAMPLES["a divergence"])
    for name in ("step-line", "growth", "learning-0"):
        assert f'id="{name}-title"' in text
    assert "return np.random.rand()" in text
    assert HOSTILE in " ".join(Read(text).words)


def test_growth_is_drawn_alike_whether_steps_or_epochs_are_in_the_trace(tmp_path: Path) -> None:
    drawn: list[str] = []
    for traced in (0, 4):
        sample = replace(SAMPLES["a divergence"], traced=traced)
        text = text_of(tmp_path / str(traced), sample)
        drawn.append(text.partition('id="growth-title"')[2].partition("</svg>")[0])
    assert drawn[0] == drawn[1] != ""


def test_a_line_of_another_file_is_not_quoted(tmp_path: Path) -> None:
    causes = [{**DIVERGED["causes"][0], "file": "ment.py"}]
    sample = replace(SAMPLES["a divergence"], changed={**DIVERGED, "causes": causes})
    assert "return np.random.rand()" not in text_of(tmp_path, sample)


def test_another_line_than_the_one_that_ran_is_not_quoted(tmp_path: Path) -> None:
    folder = made(tmp_path, SAMPLES["a divergence"])
    code = tmp_path / "experiment.py"
    code.write_text("# edited\n" + code.read_text())
    assert "return np.random.rand()" not in page(read(folder), code)


def test_the_same_files_give_the_same_bytes_whatever_is_around(tmp_path: Path) -> None:
    folder = made(tmp_path, SAMPLES["a divergence"])
    (tmp_path / "matplotlibrc").write_text("font.size: 30\nlines.linewidth: 9\n")
    script = (
        "import sys; from pathlib import Path; from repro.webpage.evidence import read;"
        "from repro.webpage.page import page;"
        "sys.stdout.write(page(read(Path(sys.argv[1])), Path(sys.argv[2])))"
    )
    library = Path(__file__).parents[2] / "workflow" / "lib"

    def text(seed: str) -> bytes:
        done = subprocess.run(
            [sys.executable, "-B", "-c", script, str(folder), str(tmp_path / "experiment.py")],
            cwd=tmp_path, capture_output=True, check=True,
            env={"PYTHONPATH": str(library), "PYTHONHASHSEED": seed, "HOME": str(tmp_path),
                 "PYTHONUTF8": "1"},
        )  # fmt: skip
        return done.stdout

    here = page(read(folder), tmp_path / "experiment.py").encode()
    assert {text("1"), text("2")} == {here}


def test_ten_seeds_with_ten_long_trainings_each_are_small(tmp_path: Path) -> None:
    runs = ("original", *(f"repeat{'' if n == 1 else f'-{n}'}" for n in range(1, 10)))
    sample = Sample(
        seeds=range(10), runs=runs, epochs=300, moved=0.001, classes=10, goal="metrics",
        metrics=("loss", "accuracy", "auc", "precision", "recall"),
    )  # fmt: skip
    text = text_of(tmp_path, sample)
    assert len(text.encode()) < LARGEST
    harmless(text)


def test_the_overview_of_ten_experiments_leads_to_each(tmp_path: Path) -> None:
    names = [f"experiment {n} & <more>" for n in range(10)]
    first = (made(tmp_path, Sample(names[0], seeds=range(10))) / "verdict.json").read_text()
    verdicts = [tmp_path / name / "verdict.json" for name in names]
    for name, verdict in zip(names, verdicts, strict=True):
        verdict.parent.mkdir()
        verdict.write_text(first.replace(names[0], name))
    text = index(verdicts)
    assert text == index(verdicts)
    assert len(text.encode()) < LARGEST
    found = harmless(text)
    links = [attributes["href"] for tag, attributes in found.tags if tag == "a"]
    assert links == [f"experiment%20{n}%20%26%20%3Cmore%3E/report.html" for n in range(10)]
    assert [word for word in found.words if word in names] == names


def test_a_file_that_is_not_as_it_was_is_refused(tmp_path: Path) -> None:
    folder = made(tmp_path, Sample())
    file = folder / "original" / "seed-0" / "metrics.json"
    file.write_text(file.read_text().replace("0.9", "0.99"))
    with pytest.raises(UserError, match=r"Expected .*metrics\.json as it was"):
        page(read(folder), tmp_path / "experiment.py")


def test_numbers_on_the_page_are_those_of_the_verdict(tmp_path: Path) -> None:
    folder = made(tmp_path, Sample(seeds=(0, 1, 2), moved=0.01))
    results = json.loads((folder / "verdict.json").read_text())["results"]
    mean = np.mean(list(results["accuracy"]["runs"]["original"].values()))
    text = page(read(folder), tmp_path / "experiment.py")
    assert f"<strong>{mean:.5g}</strong>" in text
    assert results["accuracy"]["deviation"] == pytest.approx(0.001)
