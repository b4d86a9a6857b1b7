"""The command that counts: what it reads, what it counts as found and right, and a short run."""

import re

import controls
import pytest
from command_line import printed, working_folder
from counts import Figure, interval
from figures import Case, figures, judged, read
from repro.cause.causes import CAUSES
from repro.core.factor_table import FACTORS
from repro.core.seeding import Seeds
from repro.data.user_code import load
from repro.watch.call_recorder import watched

KNOWN = {*CAUSES, *(f"factor: {name}" for name in FACTORS)}
MISTAKES = {
    "one order for every epoch", "frozen noise", "a seed that changes nothing",
    "overlapping splits", "evaluation that changes weights", "predictions that depend on the batch",
    "a variable that is not saved",
}  # fmt: skip

CASE = Case("noisy", "a random layer", "dropout")


def verdict(answer, cause=None, where="", at=(None, None), what="weights", same=True, mistakes=()):
    divergence = {"what": what, "epoch": at[0], "step": at[1], "variable": None}
    parted = answer == "not met" and same
    return {
        "verdict": answer,
        "causes": [{"cause": cause, "where": where, "evidence": "seen"}] if cause else [],
        "per_seed": [{"seed": 0, "divergence": divergence if parted else None}],
        "inference": [{"same": same}],
        "mistakes": [{"mistake": mistake} for mistake in mistakes],
    }


MET = verdict("met")


def test_constants_are_read_without_running_the_file(tmp_path):
    file = tmp_path / "broken.py"
    file.write_text('CAUSE = "update"\nENTRY = {"seeds": [1]}\nraise SystemExit(1 / 0)\n')
    assert read(file) == Case("broken", "update", entry={"seeds": [1]})


@pytest.mark.parametrize("text", ["", 'CAUSE = "update"\nMISTAKE = "frozen noise"\n'])
def test_a_case_expects_a_cause_or_a_mistake(tmp_path, text):
    file = tmp_path / "odd.py"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"Expected either CAUSE or MISTAKE in odd\.py"):
        read(file)


def test_every_case_expects_what_there_is_and_has_a_fault_to_switch():
    chosen = controls.cases()
    assert len(chosen) >= 40
    for case in chosen:
        assert case.cause in KNOWN or case.mistake in MISTAKES, case.name
        text = (controls.HERE / "cases" / f"{case.name}.py").read_text()
        assert '["fault"]' in text, case.name


def test_an_unknown_case_is_told():
    with pytest.raises(SystemExit, match="Received no_such_case"):
        controls.cases(["no_such_case"])


@pytest.mark.parametrize(
    ("fault", "found", "right"),
    [
        (verdict("not met", "a random layer", "dropout/seed"), True, True),
        (verdict("not met", "a random layer", "noise/seed"), True, False),
        (verdict("not met", "gradient", "dropout/seed"), True, False),
        (verdict("not met"), True, False),
        (verdict("inconclusive", "a random layer", "dropout"), False, False),
        (verdict("met"), False, False),
        (None, False, False),
    ],
)
def test_found_is_not_met_and_right_is_the_first_cause_in_its_place(fault, found, right):
    outcome = judged(CASE, fault, MET, 20)
    assert (outcome.found, outcome.right) == (found, right)


def test_a_mistake_is_found_by_its_name_though_the_runs_agree():
    case = Case("frozen", mistake="frozen noise")
    named = judged(case, verdict("met", mistakes=["frozen noise"]), MET, 20)
    other = judged(case, verdict("met", mistakes=["overlapping splits"]), MET, 20)
    none = judged(case, MET, MET, 20)
    assert [(o.found, o.right) for o in (named, other, none)] == [
        (True, True), (True, False), (False, False),
    ]  # fmt: skip
    assert all(named.short.values())


@pytest.mark.parametrize(
    ("clean", "alarm"),
    [
        (MET, ""),
        (None, "no verdict"),
        (verdict("not met"), "not met"),
        (verdict("inconclusive"), "inconclusive"),
        (verdict("met", mistakes=["frozen noise"]), "frozen noise"),
    ],
)
def test_a_twin_that_is_not_met_or_warned_of_is_a_false_alarm(clean, alarm):
    assert judged(CASE, MET, clean, 20).alarm == alarm


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ({"what": "prepared data"}, (True, True, True)),
        ({"what": "initial seed states"}, (True, True, True)),
        ({"at": (0, 0)}, (True, True, True)),
        ({"at": (0, 1)}, (False, True, True)),
        ({"at": (0, 10)}, (False, False, True)),
        ({"at": (0, None)}, (False, False, True)),
        ({"at": (1, 0)}, (False, False, False)),
        ({"what": "predictions"}, (False, False, False)),
        ({"what": "weights"}, (False, False, False)),
        ({"same": False}, (True, True, True)),
    ],
)
def test_a_shorter_repeat_sees_what_it_reaches(fault, seen):
    outcome = judged(CASE, verdict("not met", **fault), MET, 20)
    assert tuple(outcome.short.values()) == seen


def test_the_goals_are_all_faults_85_percent_of_causes_and_no_alarm():
    right = judged(CASE, verdict("not met", "a random layer", "dropout"), MET, 20)
    wrong = judged(CASE, verdict("not met", "update"), MET, 20)
    missed = judged(CASE, MET, MET, 20)
    alarming = judged(CASE, verdict("not met", "a random layer", "dropout"), None, 20)

    def enough(*outcomes):
        return [figure.enough for figure in figures(outcomes)[:3]]

    assert enough(*[right] * 17, *[wrong] * 3) == [True, True, True]
    assert enough(*[right] * 16, *[wrong] * 4) == [True, False, True]
    assert enough(*[right] * 19, missed) == [False, True, True]
    assert enough(*[right] * 19, alarming) == [True, True, False]


@pytest.mark.parametrize("n", [1, 10, 45])
def test_intervals_are_exact(n):
    assert interval(n, n) == pytest.approx((0.025 ** (1 / n), 1))
    assert interval(0, n) == pytest.approx((0, 1 - 0.025 ** (1 / n)))


def test_a_figure_says_its_count_share_and_interval():
    assert Figure("faults found", 1, 1).text() == (
        "faults found: 1 of 1 (100.0%, 95 % interval 2.5% to 100.0%)"
    )


def test_a_goal_that_is_missed_is_named_and_decides_the_status(capsys):
    reached, missed = Figure("faults found", 1, 1), Figure("false alarms", 1, 1, enough=False)
    assert printed(["| a table |"], [reached]) == 0
    assert "not enough" not in capsys.readouterr().out
    assert printed(["| a table |"], [reached, missed]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["| a table |", ""]
    assert [line.endswith("– not enough") for line in lines[2:]] == [False, True]


def test_a_folder_that_was_asked_for_is_new_and_stays(tmp_path):
    with working_folder(None, "prefix-") as folder:
        assert folder.name.startswith("prefix-")
    assert not folder.exists()
    with working_folder(tmp_path / "new" / "inner", "prefix-") as folder:
        assert folder == tmp_path / "new" / "inner"
    assert folder.is_dir()
    with pytest.raises(FileExistsError), working_folder(folder, "prefix-"):
        pass


IN_DATASET = [
    case.name for case in controls.cases()
    if (case.cause or "").startswith("factor: ")
    and case.name not in (
        "average_of_listed_checkpoints", "branches_of_a_set", "learning_rate_by_processors",
        "pruned_in_the_order_of_a_set", "seed_of_a_layers_name", "seed_of_the_date",
        "statistics_left_behind",
        "views_summed_in_the_order_of_a_set", "weights_kept_in_a_cache",
    )
]  # fmt: skip
"""Controls in which a factor acts on `dataset`, not on the model or on its training."""


@pytest.mark.parametrize("name", IN_DATASET)
def test_the_call_through_which_a_factor_acts_has_a_line(name, tmp_path, monkeypatch):
    (case,) = controls.cases([name])
    monkeypatch.chdir(tmp_path)
    controls._data(tmp_path)
    data = tmp_path / case.entry.get("data", {}).get("path", "digits.csv")
    settings = {"fault": True, "scratch": str(tmp_path / "new"), "service": "http://127.0.0.1:9"}
    file = controls.HERE / "cases" / f"{name}.py"
    with watched(file, [data], "dataset") as calls:
        code, seeds = load(file), Seeds(0)
        for _ in range(2):  # the second time, what the first one kept is read
            code.module.dataset(data, settings, seeds)
    factor = FACTORS[case.cause.removeprefix("factor: ")]
    lines = {c["line"] for c in calls.report()["calls"] if c["source"] == factor.source}
    assert lines
    assert max(lines) <= len(file.read_text("utf-8").splitlines())


PITFALLS = {
    "only `tf.random.set_seed`": "only_the_seed_of_tensorflow",
    "a generator of one's own, unseeded": "jitter_without_a_seed",
    "the input pipeline forgotten": "shuffle_then_take_without_a_seed",
    "an augmentation unseeded": "noise_drawn_while_tracing",
}
"""Of five that tutorials warn of. The fifth, other hardware or versions blamed on the seed, is
`tests/unit/test_drift.py`, test_versions_and_hardware_are_named_where_the_seed_is_the_same."""

OTHERS = ("vocabulary_of_a_set", "sum_as_threads_finish", "dropout_of_system_entropy")


@pytest.mark.slow
def test_pitfalls_and_some_others_are_found_named_and_told_from_their_twins(capsys):
    names = (*PITFALLS.values(), *OTHERS)
    status = controls.main(["--cases", ",".join(names)])
    printed = capsys.readouterr().out
    assert status == 0, printed
    assert re.search(r"faults found: 7 of 7 ", printed)
    assert re.search(r"right first causes: 7 of 7 ", printed)
    assert re.search(r"false alarms: 0 of 7 ", printed)
