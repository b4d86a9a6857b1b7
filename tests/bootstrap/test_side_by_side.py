"""./run compare: two results side by side, and what differs in how they were made."""

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import small_results
from earlier import compare, store
from repro.audit.results import read
from repro.core.digest import sha256_file
from repro.core.errors import UserError
from repro.core.schema import checked
from small_archive import archived, furnish
from small_results import Project, write

VARIABLES = ["dense/kernel", "dense/bias"]
Answer = Callable[..., tuple[int, str]]


@dataclass
class Training:
    """What the small project's training comes to."""

    weights: tuple[float, float] = (0.5, 0.25)
    steps: int = 4
    other_from: int = 99
    accuracy: float = 0.75


class Trained(Project):
    """A small project whose results are like real ones."""

    training: Training

    def __init__(self, folder: Path, training: Training | None = None) -> None:
        self.training = training or Training()
        super().__init__(folder)

    def trained(self) -> dict[str, str | bytes]:
        header = {
            name: {"dtype": "F32", "shape": [1], "data_offsets": [4 * n, 4 * n + 4]}
            for n, name in enumerate(VARIABLES)
        }
        text = json.dumps(header).encode()
        weights = struct.pack("<Q", len(text)) + text + struct.pack("<2f", *self.training.weights)
        return {
            "weights.safetensors": weights,
            "trace.jsonl": self.trace(),
            "history.csv": "loss\n1\n",
        }

    def trace(self) -> str:
        states = {"weights": {}, "optimizer": {}, "seeds": {}}
        lines: list[dict[str, Any]] = [
            {"version": 1, "digest": "d", "order": "o", "variables": VARIABLES, "initial": states}
        ]
        for step in range(self.training.steps):
            other = "other" if step >= self.training.other_from else "same"
            shared = {"ids": "i", "batch": "b", "lr": 0.1, "loss": "l"}
            lines.append({"epoch": 0, "step": step, **shared, "weights": ["same", other]})
        lines.append({"epoch": 0, **states})
        return "".join(f"{json.dumps(line)}\n" for line in lines)

    def train_seed(self, seed: int) -> None:
        """One more seed of the original."""
        here, data = f"tiny/original/seed-{seed}", self.results / "tiny/original"
        used = {"data": data / "data", "data.manifest": data / "data.manifest.json"}
        for name, content in self.trained().items():
            write(self.results / here / name, content)
        names = {"run": "original", "seed": seed}
        self.claim("train", names, {**self.always(), **used}, here, "train", *self.trained())

    def evaluated(self) -> dict[str, str | bytes]:
        metrics = {"accuracy": self.training.accuracy, "loss": 0.5}
        return {"metrics.json": json.dumps({"metrics": metrics})}


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Trained]:
    """Makes a project in a folder of that name."""

    def made(name: str, **training: Any) -> Trained:
        return Trained(tmp_path / name, Training(**training))

    return made


@pytest.fixture
def one(make: Callable[..., Trained], monkeypatch: pytest.MonkeyPatch) -> Trained:
    """A project, in which we are."""
    here = make("one")
    monkeypatch.chdir(here.folder)
    return here


@pytest.fixture
def answer(capsys: pytest.CaptureFixture[str]) -> Answer:
    """The exit status and what is printed."""

    def answered(*arguments: object) -> tuple[int, str]:
        status = compare.main([*map(str, arguments)])
        said = capsys.readouterr().out
        assert compare.main([*map(str, arguments), "--json"]) == status
        as_json = capsys.readouterr().out
        assert checked(json.loads(as_json), "comparison", "it")["same"] is (status == 0)
        return status, as_json if "--json" in arguments else said

    return answered


def test_the_same_results_are_the_same(
    one: Trained, make: Callable[..., Trained], answer: Answer
) -> None:
    other = make("other")
    for side in (other.folder, other.results, other.results / "tiny"):
        status, said = answer(".", side)
        assert status == 0, said
        assert "The same results, bit for bit." in said
        assert "Nothing differs in how they were made." in said


@pytest.mark.parametrize("place", [".", "results"])
def test_an_experiment_or_a_folder_may_have_the_name_of_a_run(
    place: str, one: Trained, make: Callable[..., Trained], answer: Answer
) -> None:
    other = make("other")
    (other.folder / place / "original").mkdir()
    write(other.folder / place / "original/verdict.json", "{}")
    status, said = answer(".", other.folder / place)
    assert status == 0, said


def test_metrics_weights_and_the_first_divergence_are_told(
    one: Trained, make: Callable[..., Trained], answer: Answer
) -> None:
    other = make("other", weights=(0.5, 0.375), other_from=2, accuracy=0.5)
    status, said = answer(".", other.folder)
    assert status == 1
    assert "first divergence at epoch 0, step 2, in the weights (dense/bias)" in said
    assert "  accuracy                 0.75  0.5  -0.25\n" in said
    assert "  loss                     0.5   0.5  same\n" in said
    assert "weights.safetensors: 1 variable differs; largest difference absolute 0.12" in said
    assert "Nothing differs in how they were made." in said


def test_what_differs_in_how_they_were_made_is_told_whatever_came_of_it(
    one: Trained, make: Callable[..., Trained], answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make("other")
    other.configuration = {"experiments": {"tiny": other.entry(settings={"size": 4})}}
    write(other.folder / "tiny/layers.py", "SIZE = 4\n")
    write(other.folder / "workflow/lib/repro/model/training.py", "EPOCHS = 4\n")
    monkeypatch.setitem(small_results.WHEEL, "version", "2.5.0")
    monkeypatch.setitem(small_results.ENVIRONMENT["cpu"], "model", "another processor")
    other.make()
    status, said = answer(".", other.folder)
    assert status == 0
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert "settings.size none 4" in lines
    assert "experiment's code: layers.py" in lines
    assert "workflow's files: workflow/lib/repro/model/training.py" in lines
    assert any(line.startswith("processor: model a processor another processor") for line in lines)
    assert any(line.startswith("package numpy (version) 2.4.6 2.5.0") for line in lines)
    status, said = answer(".", other.folder, "--json")
    found = json.loads(said)
    assert found["same"] is True
    assert found["origins"]["configuration"] == {"settings.size": ["none", "4"]}


def test_weights_from_elsewhere_that_differ_are_told(
    one: Trained, make: Callable[..., Trained], answer: Answer
) -> None:
    other = make("other")
    for side, content in ((one, "base"), (other, "another")):
        file = write(side.folder / "base.weights.h5", content)
        asked = {"path": file.name, "sha256": sha256_file(file)}
        side.configuration = {"experiments": {"tiny": side.entry(pretrained=asked)}}
        side.make()
    lines = [" ".join(line.split()) for line in answer(".", other.folder)[1].splitlines()]
    assert "weights from elsewhere: pretrained" in lines


def test_a_stored_run_is_found_by_its_name_and_by_its_beginning(
    one: Trained, answer: Answer
) -> None:
    stored = store.put_aside(read(one.results), one.configuration, "tiny")
    one.training = Training(weights=(0.5, 0.0), other_from=0)
    one.make()
    for name in (stored.folder, stored.folder.name, stored.folder.name[:-4]):
        status, said = answer(name, "results")
        assert status == 1
        assert f"A: tiny ({name})" in said
        assert "epoch 0, step 0" in said


def test_a_beginning_that_several_stored_runs_share_is_refused(
    one: Trained, answer: Answer
) -> None:
    names = [
        store.put_aside(read(one.results), one.configuration, "tiny").folder.name,
        "tiny-20010101T000000Z-01234567",
    ]
    (one.folder / "runs" / names[1]).mkdir()
    with pytest.raises(UserError, match="Expected a name that one stored run") as raised:
        answer("tiny-", ".")
    assert all(name in str(raised.value) for name in names)
    with pytest.raises(UserError, match="Expected a folder with results, a stored run"):
        answer("tiny**", ".")


def test_an_archive_is_a_side(
    one: Trained, make: Callable[..., Trained], answer: Answer, tmp_path: Path
) -> None:
    archive = archived(furnish(make("other")), tmp_path / "tiny.crate.zip")
    assert answer(archive, ".")[0] == 0
    content = archive.read_bytes()
    archive.write_bytes(content.replace(b"SIZE = 3", b"SIZE = 4"))
    with pytest.raises(UserError, match="whole archive"):
        answer(archive, ".")


def test_seeds_of_an_experiment_are_sides(one: Trained, answer: Answer) -> None:
    one.training = Training(weights=(0.5, 0.375), other_from=1)
    one.train_seed(1)
    status, said = answer("0", "1", "--experiment", "tiny")
    assert status == 1
    assert "A: tiny, seed 0 (0)\nB: tiny, seed 1 (1)\n" in said
    assert "Seed 0 and 1: first divergence at epoch 0, step 1, in the weights" in said
    assert ["seeds", "0", "1"] in [line.split() for line in said.splitlines()]
    assert answer("1", "1")[0] == 0
    with pytest.raises(UserError, match=r"Expected a seed of tiny .*: 0, 1\. Received 7"):
        answer("0", "7")


def test_a_seed_is_held_against_the_same_seed_of_a_side_that_has_several(
    one: Trained, make: Callable[..., Trained], answer: Answer
) -> None:
    other = make("other")
    for side in (one, other):
        side.training = Training(weights=(0.5, 0.375), other_from=1)
        side.train_seed(1)
    for sides in (("1", other.folder), (other.folder, "1")):
        status, said = answer(*sides)
        assert status == 0, said
        assert "Seed 1: all that both have is the same" in said


def test_what_only_one_side_has_is_no_sameness(
    one: Trained, make: Callable[..., Trained], answer: Answer
) -> None:
    other = make("other")
    for file in (other.results / "tiny/original/seed-0").glob("*"):
        if file.name in ("metrics.json", "evaluate.manifest.json"):
            file.unlink()
    status, said = answer(".", other.folder)
    assert status == 1
    assert "only . has results of evaluate" in said


def test_a_longer_training_diverges_where_the_other_ends(
    one: Trained, make: Callable[..., Trained], answer: Answer
) -> None:
    status, said = answer(".", make("other", steps=6).folder)
    assert status == 1
    assert "epoch 0, its end, in the length of the training" in said


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nothing", "Expected a folder with results, a stored run, an archive or a seed."),
        ("config", "Expected results of an experiment at config. Received none."),
        ("raw data.csv", "Expected a whole archive"),
    ],
)
def test_a_mistake_has_its_sentence(name: str, words: str, one: Trained, answer: Answer) -> None:
    with pytest.raises(UserError) as raised:
        answer(name, ".")
    assert words in str(raised.value)


def test_an_experiment_that_is_not_there_or_one_of_several_is_refused(
    one: Trained, answer: Answer
) -> None:
    with pytest.raises(UserError, match=r"Expected other at \.\. Received tiny"):
        answer(".", ".", "--experiment", "other")


def test_a_result_that_was_changed_is_refused(one: Trained, answer: Answer) -> None:
    write(one.results / "tiny/original/seed-0/metrics.json", '{"metrics": {"loss": 0.1}}')
    with pytest.raises(UserError, match=r"evaluate\.manifest\.json"):
        answer(".", ".")


def test_without_numpy_weights_are_compared_by_their_bytes(
    one: Trained, make: Callable[..., Trained], answer: Answer, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    python = write(tmp_path / "python", "#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    monkeypatch.setattr(compare, "_python", lambda: str(python))
    status, said = answer(".", make("other", weights=(0.5, 0.0)).folder)
    assert status == 1
    assert "weights.safetensors: " in said
    assert "byte" in said
