"""The price: ratios and ranges, what is not measurable or unknown, and whose price it is."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from repro.cli import cost
from repro.cli.cost import turns
from repro.cli.judge import main
from repro.core.canonical_json import pretty
from repro.core.schema import checked
from repro.overhead.breakdown import ALL, Figure, known, prices
from repro.overhead.epoch_timer import Timing
from repro.overhead.timed_training import VARIANTS, WHOLE
from repro.record import installed, manifest
from repro.record.statement import Making, resources
from repro.record.step import Step, read_step
from repro.report import overhead
from repro.report.overhead import page, section, summary
from repro.report.verdict_page import markdown
from test_manifest import ENVIRONMENT, INSTALLED
from test_render import heads, rows, verdict

NAMES = list(VARIANTS)
TRAINING = {"epochs": 3, "batch_size": 2, "loop": "auto", "trace": "step",
            "threads": {"intra": 2, "inter": 1}}  # fmt: skip
PARAMETERS: dict[str, Any] = {
    "settings": {"size": 1}, "training": TRAINING, "threads": TRAINING["threads"], "seed": 0,
}  # fmt: skip
SECONDS = st.lists(st.tuples(*[st.floats(1e-6, 1e3)] * 2), min_size=1, max_size=9)


def spent(wall: float, processor: float = 1.0, peak: int = 2**20) -> Timing:
    return Timing(wall, processor, peak, steps=4, epochs=2, loop="fit", gpus=())


def value(walls: dict[str, list[float]], **unknown: str) -> dict[str, Any]:
    """What cost.json holds after these times of a step, round by round."""
    rounds = {name: [spent(wall) for wall in walls.get(name, [1.0, 1.01])] for name in NAMES}
    found = {
        "experiment": "digits", "machine": "this machine (a processor)", "load": 0.25,
        "rounds": len(rounds[NAMES[0]]), "seconds": 5.0, "threads": TRAINING["threads"],
        "trace": "step", **prices(rounds, unknown),
    }  # fmt: skip
    return checked(json.loads(pretty(found)), "cost", "cost.json")


@given(SECONDS)
def test_a_ratio_of_medians_lies_within_the_range_of_the_rounds(pairs: Any) -> None:
    ratio = Figure.ratio(*zip(*pairs, strict=True))
    assert ratio.least <= ratio.median * (1 + 1e-9)
    assert ratio.median <= ratio.most * (1 + 1e-9)


@given(SECONDS, st.floats(1.01, 100))
def test_what_takes_longer_by_one_factor_in_every_round_costs_that_factor(
    pairs: Any, factor: float
) -> None:
    base = [one for one, _ in pairs]
    ratio = Figure.ratio([factor * one for one in base], base)
    assert [ratio.least, ratio.median, ratio.most] == pytest.approx([factor] * 3)
    assert ratio.shows()


@given(st.lists(st.floats(1e-3, 1e3), min_size=len(NAMES), max_size=len(NAMES)))
def test_the_parts_of_one_round_multiply_to_the_whole(walls: list[float]) -> None:
    found = prices({name: [spent(w)] for name, w in zip(NAMES, walls, strict=True)}, {})["prices"]
    product = 1.0
    for name in NAMES[1 : NAMES.index(WHOLE) + 1]:
        product *= found[name]["wall_s"]["median"]
    assert product == pytest.approx(found[ALL]["wall_s"]["median"])
    assert list(found) == [*NAMES[1:], ALL]


@pytest.mark.parametrize("rounds", [1, 3, 11])
def test_each_round_runs_every_variant_once_and_begins_with_the_next(rounds: int) -> None:
    order = turns(NAMES, rounds)
    assert [sorted(names) for names in order] == [sorted(NAMES)] * rounds
    assert [names[0] for names in order] == (NAMES * rounds)[:rounds]


def test_a_part_costs_what_it_adds_to_the_variant_before() -> None:
    found = value({"determinism": [1.5, 1.5, 1.5], "trace": [3, 3.3, 3], "loop": [1, 1, 1],
                   "plain": [2, 2, 2], "threads": [2, 2, 2],
                   "checkpoints": [4.5, 4.5, 4.5]})["prices"]  # fmt: skip
    ratios = {name: found[name]["wall_s"]["median"] for name in found}
    assert ratios == pytest.approx(
        {"threads": 1, "loop": 0.5, "determinism": 1.5, "trace": 2, "checkpoints": 1.5, ALL: 1.5}
    )
    assert found["trace"]["wall_s"]["most"] == pytest.approx(2.2)


def cells(found: dict[str, Any]) -> dict[str, list[str]]:
    return {row[0]: row[1:] for row in rows("\n".join(page(found)))}


def test_a_difference_smaller_than_that_of_the_rounds_is_not_measurable() -> None:
    found = value({"determinism": [1.0, 1.0], "trace": [1.05, 1.30]})
    assert cells(found)["the trace"][1] == "1.18 (1.05 to 1.30), not measurable here"
    assert "further apart than the ratio is from 1" in "\n".join(page(found))
    assert "; the trace 1.18 (1.05 to 1.30), not measurable here;" in summary(found)


def test_a_difference_larger_than_that_of_the_rounds_is_given_as_it_is() -> None:
    found = value({"determinism": [1.0, 1.0], "trace": [1.29, 1.31], "plain": [1.0, 1.0],
                   "threads": [1.0, 1.0], "loop": [1.0, 1.0],
                   "checkpoints": [1.29, 1.31]})  # fmt: skip
    assert cells(found)["the trace"][1] == "1.30 (1.29 to 1.31)"
    assert cells(found)["determinism"][1] == "1.00 (1.00 to 1.00)"
    assert "measurable" not in "\n".join(page(found))
    same = "1.00 (1.00 to 1.00)"
    every = ("determinism", "the trace", "a checkpoint after every epoch",
             "all but checkpoints, beside plain `fit`")  # fmt: skip
    others = "; ".join(f"{name} {same}" for name in every)
    assert summary(found) == (
        "digits: what is taken with each, as a multiple of what is taken without. Time: "
        f"determinism {same}; the trace 1.30 (1.29 to 1.31); a checkpoint after every epoch "
        f"{same}; all but checkpoints, beside plain `fit` 1.30 (1.29 to 1.31). Processor time: "
        f"{others}. Peak memory: {others}. Medians of 2 rounds, least to most."
    )


def test_what_one_checkpoint_takes_is_told_where_it_is_measurable() -> None:
    slower = {"trace": [1.0, 1.0], "checkpoints": [1.5, 1.5]}
    assert "A checkpoint takes 2e+03 ms." in "\n".join(page(value(slower)))  # of 4 steps
    assert "A checkpoint takes" not in "\n".join(page(value({"checkpoints": [1.0, 2.0]})))


def test_one_round_claims_no_range() -> None:
    found = value({name: [1.0 + place] for place, name in enumerate(NAMES)})
    assert cells(found)["the trace"][1] == "1.25 (once)"
    assert "One round does not show" in "\n".join(page(found))


def test_what_could_not_run_is_unknown_with_its_reason_and_the_rest_stands() -> None:
    found = value({"plain": [1.0, 1.0]}, loop="Expected a kernel. Received none.")
    assert {n for n, one in found["prices"].items() if one is None} == {"loop", "determinism"}
    text = "\n".join(page(found))
    assert "- this project's loop: unknown. Expected a kernel. Received none." in text
    assert cells(found)["this project's loop"] == ["unknown", "–", "–", "–"]
    assert "Time: determinism unknown;" in summary(found)
    assert found["prices"][ALL] is not None


@pytest.mark.parametrize(("load", "said"), [(0.9, False), (1.0, True)])
def test_other_work_beside_it_is_told(load: float, said: bool) -> None:
    assert ("Other work ran beside it" in "\n".join(page({**value({}), "load": load}))) == said


def test_every_variant_has_words() -> None:
    assert set(overhead._WORDS) == {*NAMES, ALL}


def test_the_verdicts_page_tells_the_price_and_is_silent_without() -> None:
    found = verdict(cost=value({}))
    every = heads(markdown(found))
    place = every.index("What it costs")
    assert every[place - 1 : place + 2 : 2] == ["What was done", "What to bear in mind"]
    assert "this machine (a processor), beside a load of 0.2" in markdown(found)
    assert list(section(verdict())) == []
    assert verdict()["cost"] is None


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    """An experiment's results with a measured price; returns its manifest."""
    for name in ("code.pyz", "experiment.py"):
        (tmp_path / name).write_text(name)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.npy").write_text("x")
    (tmp_path / "cost.json").write_text(pretty(value({})))
    return claimed(tmp_path, "cost", "cost.json")


def claimed(
    folder: Path, step: str, output: str, weights: str | None = None, **changed: Any
) -> Path:
    inputs = {"code": "code.pyz", "experiment": "experiment.py", "data": "data"}
    inputs |= {"pretrained:vgg": weights} if weights else {}
    making = Making(
        names={"step": step, "experiment": "digits", "run": "original"},
        parameters={**PARAMETERS, **changed}, installed=INSTALLED, environment=ENVIRONMENT,
        inputs=resources({name: folder / file for name, file in inputs.items()}),
    )  # fmt: skip
    manifest.write(folder / f"{step}.manifest.json", making, [folder / output])
    return folder / f"{step}.manifest.json"


def original(measured: Path, **changed: Any) -> list[Step]:
    path = claimed(measured.parent, "train", "data/x.npy", **changed)
    return [read_step(path)]


def test_the_price_of_the_trained_model_is_taken(measured: Path) -> None:
    assert known(measured, original(measured)) == (value({}), [])
    assert known(None, original(measured)) == (None, [])


CHANGES = {
    "experiment.py": "experiment's code", "code.pyz": "program", "data/x.npy": "data",
}  # fmt: skip


@pytest.mark.parametrize("file", CHANGES)
def test_the_price_of_another_training_is_left_out_and_said_to_be(
    file: str, measured: Path
) -> None:
    (measured.parent / file).write_text("edited")
    found, (sentence,) = known(measured, original(measured))
    assert found is None
    assert f"it is of another {CHANGES[file]}. Measure it again" in sentence


@pytest.mark.parametrize("weights", [("code.pyz", "experiment.py"), ("code.pyz", None)])
@pytest.mark.parametrize("turned", [False, True])
def test_the_price_with_other_weights_from_elsewhere_is_left_out(
    weights: tuple[str | None, str | None], turned: bool, measured: Path
) -> None:
    then, now = reversed(weights) if turned else weights
    claimed(measured.parent, "cost", "cost.json", then)
    found, (sentence,) = known(measured, original(measured, weights=now))
    assert (found, "it is of another pretrained weights." in sentence) == (None, True)


def test_the_price_with_other_environment_variables_is_left_out(measured: Path) -> None:
    changed = {"environment_variables": {"A": "sha256:0"}}
    found, (sentence,) = known(measured, original(measured, **changed))
    assert (found, "it is of another `environment_variables`." in sentence) == (None, True)


def test_the_price_of_other_settings_is_left_out(measured: Path) -> None:
    found, (sentence,) = known(measured, original(measured, settings={"size": 2}))
    assert (found, "it is of another `settings`." in sentence) == (None, True)


@pytest.mark.parametrize("content", [None, "", "{}", '{"experiment": "digits"}'])
def test_an_altered_price_is_left_out_and_said_to_be(content: str | None, measured: Path) -> None:
    steps, file = original(measured), measured.parent / "cost.json"
    if content is None:
        file.unlink()
    else:
        file.write_text(content)
    found, (sentence,) = known(measured, steps)
    assert found is None
    assert sentence.startswith("What was measured of the price is left out. Expected the files")


PROGRAM = """
import json, sys
from pathlib import Path

given = sys.argv[sys.argv.index("--") + 2 :]
options = dict(zip(given[::2], given[1::2]))
name, folder = options["--variant"], Path(__file__).parent
with (folder / "asked").open("a") as asked:
    asked.write(f"{name} {' '.join(sys.argv[1:7])}\\n")
Path(options["--log"]).write_text(f"the log of {name}\\n")
if name in FAILING:
    print(f"Expected a kernel. Received none. (Log: {options['--log']})", file=sys.stderr)
    raise SystemExit(2)
spent = {"wall_s": 1.0, "processor_s": 1.0, "peak_bytes": 9, "steps": 1, "epochs": 2}
Path(options["--out"]).write_text(json.dumps({**spent, "loop": "fit", "gpus": ["a GPU"]}))
"""


@pytest.fixture
def played(measured: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """Measures with a program that trains nothing; gives the status and what was shown."""
    folder = measured.parent
    found = {"surroundings": ENVIRONMENT, "require": installed.Installed(INSTALLED, {})}
    monkeypatch.setattr(installed, "require", lambda prefix: found["require"])
    monkeypatch.setattr(cost, "surroundings", lambda *_: found["surroundings"])
    for name in ("cost.json", "cost.manifest.json"):
        (folder / name).unlink()

    def play(*failing: str) -> tuple[int, str]:
        (folder / "program.py").write_text(PROGRAM.replace("FAILING", str(failing)))
        path = claimed(folder, "prepare", "data")
        path.rename(folder / "data.manifest.json")
        inputs = ["experiment=experiment.py", "data=data", "data.manifest=data.manifest.json"]
        status = main(
            ["cost", "--experiment", "digits", "--parameters", json.dumps(PARAMETERS),
             "--rounds", "2", "--program", "program.py", "--input", *inputs, "--folder", ".",
             "--log", "cost.log"]
        )  # fmt: skip
        return status, capfd.readouterr().err

    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.argv", [str(folder / "code.pyz")])
    return play


def test_the_measurement_is_written_with_its_manifest_and_shown(
    played: Any, tmp_path: Path
) -> None:
    status, shown = played()
    assert status == 0, shown
    assert "digits: round 2 of 2 (threads, loop," in shown
    assert "| the trace | 1,000 | 1.00 (1.00 to 1.00) |" in shown
    found = checked(json.loads((tmp_path / "cost.json").read_text()), "cost", "cost.json")
    assert "a GPU" in found["machine"]
    assert found["variants"]["plain"]["epochs"] == [2, 2]
    manifest.check_subjects(tmp_path / "cost.manifest.json")
    asked = [line.split() for line in (tmp_path / "asked").read_text().splitlines()]
    assert [words[0] for words in asked] == [*NAMES, *NAMES[1:], NAMES[0]]
    assert {tuple(words[1:]) for words in asked} == {
        ("launch", "--run", "trial", "--intra", "2", "--vary")
    }


def test_a_variant_that_fails_is_unknown_and_not_tried_again(played: Any, tmp_path: Path) -> None:
    status, shown = played("loop")
    assert status == 0, shown
    found = json.loads((tmp_path / "cost.json").read_text())["variants"]
    assert found["loop"] == {"unknown": "Expected a kernel. Received none."}
    assert "epochs" in found["plain"]
    assert (tmp_path / "asked").read_text().count("\nloop ") == 1


def test_where_nothing_can_run_it_is_the_users_mistake(played: Any, tmp_path: Path) -> None:
    status, shown = played(*NAMES)
    assert status == 2
    assert shown.splitlines()[-1].startswith("Expected a kernel. Received none. (Log: ")
    assert not (tmp_path / "cost.json").exists()
