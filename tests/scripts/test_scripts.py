"""The command that counts: its table, its patches, what is found and right; with a fake check."""

import ast
import os
import re
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import pytest
import scripts
import twins
from lean_python import lean
from outcomes import Answer, figures, judged, patch_figures, table, times
from table import CLEAN, PAIRS, Kind, Step, Twin, chosen, right_lines, six

CASE = next(case for case in PAIRS if case.name == "noise_without_a_seed")
SILENT = next(case for case in PAIRS if case.error == "frozen noise")
ALONE = CLEAN[0]
[LINE] = right_lines(CASE)
FILE = f"/somewhere/{CASE.name}.py"


def report(answer="same", divergence=None, void=None, errors=(), seconds=(10.0, 12.0)):
    return {
        "answer": answer,
        "runs": [{"name": "run", "seconds": value} for value in seconds],
        "steps": {"void": void, "agreed": 0, "divergence": divergence},
        "silent_errors": list(errors),
    }


def diverging(step=1, line=LINE, file=FILE, **changes):
    call = line and {"source": "seed", "call": "default_rng", "file": file, "line": line}
    return {"step": step, "model": "m", "variable": "v", "what": "batch", "call": call, **changes}


def error(name, line=1, file=FILE):
    return {"name": name, "sentence": "So it is.", "file": file, "line": line}


def differs(**changes):
    return Answer(1, report("not the same", diverging(**changes)), 50)


SAME = Answer(0, report(), 40, 22)


def test_the_table_names_28_faults_7_silent_errors_15_clean_scripts_and_all_that_lie_here():
    kinds = [case.kind for case in PAIRS]
    assert (len(kinds), kinds.count(Kind.SILENT), len(CLEAN)) == (35, 7, 15)
    cases = {file.stem for file in (twins.HERE / "cases").iterdir()}
    assert cases == {case.name for case in PAIRS}
    assert {file.stem for file in (twins.HERE / "clean").iterdir()} == {c.name for c in CLEAN}


def test_ci_runs_six_scripts_three_with_faults_of_different_kinds_and_three_clean():
    faulty = [case for case in six() if case.twins == {Twin.FAULTY}]
    clean = [case for case in six() if case.twins == {Twin.CLEAN}]
    assert len({case.name for case in (*faulty, *clean)}) == 6
    assert (len(faulty), len(clean)) == (3, 3)
    assert {case.kind for case in faulty} == {Kind.WEIGHTS, Kind.DATA, Kind.SILENT}
    assert {Kind.NONE} < {case.kind for case in clean}


CALL_ADDED = {"digits_without_a_seed", "seed_set_after_the_model", "augmentation_in_parallel"}
"""Those that lack a call, so that no line that is to blame changes."""


@pytest.mark.parametrize("case", PAIRS, ids=lambda case: case.name)
def test_each_patch_mends_a_line_that_is_to_blame(case, tmp_path):
    place = twins.make(case, tmp_path / "mended", mended=True)
    mended = (place.folder / place.script).read_text("utf-8")
    ast.parse(mended)
    before = case.script.read_text("utf-8").splitlines()
    gone = {number for number, line in enumerate(before, 1) if line not in mended.splitlines()}
    blamed = right_lines(case)
    assert blamed
    assert blamed & gone or case.name in CALL_ADDED


def test_the_faulty_twin_is_the_script_as_it_stands(tmp_path):
    place = twins.make(CASE, tmp_path / "faulty", mended=False)
    assert (place.folder / place.script).read_bytes() == CASE.script.read_bytes()


def test_a_twin_in_the_work_tree_of_a_repository_is_mended_too(tmp_path):
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True, timeout=60)
    place = twins.make(CASE, tmp_path / "mended", mended=True)
    assert (place.folder / place.script).read_bytes() != CASE.script.read_bytes()


def test_a_twin_has_its_data_and_a_home_of_its_own(tmp_path):
    case = next(case for case in PAIRS if case.home)
    place = twins.make(case, tmp_path, mended=False)
    assert (place.folder / "digits.csv").is_file()
    [(name, text)] = case.home.items()
    assert (tmp_path / "home" / name).read_text() == text
    assert place.environment["HOME"] == str(tmp_path / "home")


def test_the_daily_tables_are_a_day_apart_in_the_order_of_their_names(tmp_path):
    case = next(case for case in PAIRS if "days" in case.data)
    files = sorted((twins.make(case, tmp_path, mended=False).folder / "days").iterdir())
    times = [file.stat().st_mtime for file in files]
    assert [later - earlier for earlier, later in pairwise(times)] == [86_400] * 11


def test_an_unknown_script_is_told():
    with pytest.raises(SystemExit, match="Received no_such_script"):
        chosen(["no_such_script"])


def test_a_text_that_stands_in_two_lines_is_refused():
    with pytest.raises(ValueError, match="in one line of noise_without_a_seed"):
        right_lines(replace(CASE, lines=("import",)))


@pytest.mark.parametrize(
    ("fault", "found", "step", "line"),
    [
        (differs(), True, True, True),
        (differs(step=2), True, False, True),
        (differs(line=LINE + 1), True, True, False),
        (differs(line=None), True, True, False),
        (differs(file="/keras/src/noise.py"), True, True, False),
        (Answer(1, report("not the same"), 9), True, False, False),
        (Answer(1, {**report("not the same"), "steps": None}, 9), True, False, False),
        (Answer(1, report("not the same", diverging(), void="changed"), 9), True, False, False),
        (SAME, False, False, False),
        (Answer(3, report("cannot tell"), 9), False, False, False),
        (Answer(0, report("not the same", diverging()), 9), False, False, False),
        (Answer(-11, None, 9), False, False, False),
        (Answer(None, None, 9), False, False, False),
    ],
)
def test_found_is_not_the_same_and_right_are_step_and_line(fault, found, step, line):
    outcome = judged(CASE, fault, SAME)
    assert (outcome.found, outcome.step, outcome.line) == (found, step, line)


def test_a_race_may_show_at_any_step():
    assert judged(replace(CASE, step=Step.ANY), differs(step=7), SAME).step


def test_a_silent_error_is_found_by_its_name_though_the_runs_agree():
    [line] = list(right_lines(SILENT))[:1]
    file = f"/somewhere/{SILENT.name}.py"
    named = Answer(1, report(errors=[error("frozen noise", line, file)]), 9)
    elsewhere = Answer(1, report(errors=[error("frozen noise", line + 9, file)]), 9)
    other = Answer(1, report(errors=[error("overlapping splits", line, file)]), 9)
    outcomes = [judged(SILENT, answer, SAME) for answer in (named, elsewhere, other, SAME)]
    assert [(o.found, o.step, o.line) for o in outcomes] == [
        (True, True, True), (True, True, False), (False, False, False), (False, False, False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("clean", "alarm"),
    [
        (SAME, ""),
        (differs(), "not the same"),
        (Answer(3, report("cannot tell"), 9), "cannot tell"),
        (Answer(1, report(errors=[error("frozen noise")]), 9), "frozen noise"),
        (Answer(1, report(), 9), "exit status 1 with the answer 'same'"),
        (Answer(2, None, 9), "no report, exit status 2"),
        (Answer(None, report(), 9), "took too long"),
        (Answer(0, report("of course"), 9), "answered 'of course'"),
    ],
)
def test_whatever_is_not_the_same_without_a_warning_is_a_false_alarm(clean, alarm):
    assert judged(ALONE, None, clean).alarm == alarm
    assert judged(CASE, differs(), clean).alarm == alarm


def test_a_hook_that_changes_results_or_did_not_run_is_counted():
    void = Answer(0, report(void="the outputs differ"), 9)
    off = Answer(0, {**report(), "steps": None}, 9)
    assert [judged(ALONE, None, clean).hooked for clean in (SAME, void, off)] == [
        True, False, False,
    ]  # fmt: skip


def test_the_goals_are_95_percent_found_85_percent_in_their_place_and_no_alarm():
    right = judged(CASE, differs(), SAME)
    misplaced = judged(CASE, differs(line=None), SAME)
    missed = judged(CASE, SAME, SAME)
    alarming = judged(ALONE, None, differs())

    def enough(*outcomes):
        found, _, place, alarms, _ = figures(outcomes)
        return [found.enough, place.enough, alarms.enough]

    assert enough(*[right] * 17, *[misplaced] * 3) == [True, True, True]
    assert enough(*[right] * 16, *[misplaced] * 4) == [True, False, True]
    assert enough(*[right] * 19, missed) == [True, True, True]
    assert enough(*[right] * 18, *[missed] * 2) == [False, True, True]
    assert enough(*[right] * 19, alarming) == [True, True, False]


def test_clean_scripts_count_as_such_alone():
    outcomes = [judged(CASE, differs(), SAME), judged(ALONE, None, SAME)]
    assert [(figure.k, figure.n) for figure in figures(outcomes)] == [
        (1, 1), (1, 1), (1, 1), (0, 2), (2, 2),
    ]  # fmt: skip


def test_a_twin_that_did_not_run_is_counted_neither_way():
    outcomes = [judged(CASE, differs(), None), judged(CASE, None, SAME)]
    assert [(figure.k, figure.n) for figure in figures(outcomes)] == [
        (1, 1), (1, 1), (1, 1), (0, 1), (1, 1),
    ]  # fmt: skip
    assert [answer.seconds for each in outcomes for answer in each.answers] == [50, 40]
    rows = [[cell.strip() for cell in row.split("|")] for row in [*table(outcomes)][2:]]
    assert [(row[3], row[7], row[8]) for row in rows] == [("yes", "", "50"), ("", "same", "40")]


@pytest.mark.parametrize("twin", Twin)
def test_of_a_pair_only_the_twin_that_is_asked_for_runs(twin, fake, tmp_path):
    case = replace(CASE, twins=frozenset({twin}))
    [found] = scripts.run_all([case], fake(), "python", tmp_path, jobs=1)
    assert [folder.name for folder in (tmp_path / CASE.name).iterdir()] == [twin.value]
    assert (found.found, found.alarm) == ((True, None) if twin is Twin.FAULTY else (None, ""))


def test_patches_are_counted_of_faults_that_differ_and_none_may_change_a_clean_script():
    patch = {"confirmed": True, "changes": ["it"]}
    mended = Answer(1, {**report("not the same", diverging()), "patch": patch}, 50)
    refused = Answer(1, {**mended.report, "patch": {**patch, "confirmed": False}}, 50)
    changed = Answer(0, {**report(), "patch": patch}, 50)

    def counts(*outcomes):
        return [(figure.k, figure.n, figure.enough) for figure in patch_figures(outcomes)]

    silent = judged(SILENT, Answer(0, report(errors=[error("frozen noise")]), 9), SAME)
    held = [replace(mended, holds=each) for each in (True, False)]
    assert counts(*(judged(CASE, each, None) for each in held))[3] == (1, 2, False)
    assert counts(judged(CASE, mended, SAME), judged(CASE, refused, SAME), silent) == [
        (2, 2, True), (1, 2, True), (0, 3, True), (0, 0, True),
    ]  # fmt: skip
    assert counts(judged(ALONE, None, changed))[2] == (1, 1, False)
    assert counts(judged(CASE, Answer(2, None, 9), None))[1] == (0, 1, True)


def test_times_are_medians_in_plain_runs_of_each_script():
    answers = [
        Answer(0, report(seconds=(plain,)), 50, first)
        for plain, first in ((10, 20), (5, 12), (2, 8))
    ]
    took = times([judged(ALONE, None, answer) for answer in answers])
    assert (took.seconds, took.whole, took.first) == (50, 10, 2.4)
    assert not took.enough


def test_nothing_that_ran_has_no_first_answer_and_is_not_enough():
    took = times([judged(ALONE, None, Answer(2, None, 3))])
    assert (took.whole, took.first, took.enough) == (None, None, False)


FAKE = """
import json, pathlib, sys, time
*options, python, name = sys.argv[1:]
assert options in (["--"], {further}), sys.argv
script = pathlib.Path(name)
{act}
different = "default_rng()" in script.read_text()
call = {{
    "source": "random numbers", "call": "numpy.random.default_rng",
    "file": str(script.resolve()), "line": {line},
}}
divergence = {{
    "step": 1, "after": 0, "epoch": None, "fit": None, "model": "m", "variable": "v", "others": [],
    "what": "batch", "call": call,
}}
pathlib.Path("check").mkdir()
pathlib.Path("check/report.json").write_text(json.dumps({{
    "answer": "not the same" if different else "same",
    "sentence": "So it is.", "details": [], "command": sys.argv[2:], "outputs": [],
    "runs": [{{"name": "run 1", "seconds": 10, "status": 0, "stopped": None, "varied": {{}},
              "not_varied": {{}}, "containment": "copy"}}],
    "nondeterministic": None, "factor": None, "searched": None, "cause": None, "left_out": [],
    "patch": {{
        "confirmed": True, "changes": ["seeds it"], "diff": "", "variables": {{"TZ": "UTC"}},
        "agreed": 2, "needed": 2, "tried": 1, "complete": True, "new_silent_errors": [],
        "by_hand": None,
    }} if different else None,
    "steps": {{
        "void": None, "agreed": 0, "not_compared": 0,
        "divergence": divergence if different else None,
    }},
    "silent_errors": [],
}}))
pathlib.Path("check/fix.patch").write_text({patch!r})
print("Not the same: it differs." if different else "The same: it does not differ.")
sys.exit(different)
"""


@pytest.fixture
def fake(tmp_path):
    """A program in the place of `check`, which does something first."""

    def write(act="", patch=None):
        file = tmp_path / "check.py"
        further = [
            "--only",
            "outputs",
            "--runs",
            "11",
            "--budget",
            "1h",
            "--keep",
            "time zone",
            "--",
        ]
        file.write_text(
            FAKE.format(act=act, line=LINE, patch=patch or CASE.patch.read_text(), further=further)
        )
        return file

    return write


def figures_of(printed):
    return [line.split(" (")[0] for line in printed.splitlines() if line.startswith("- ")][:9]


def test_all_is_printed_and_the_status_is_0_where_the_goals_are_reached(fake, capsys):
    arguments = ["--program", str(fake()), "--python", "python", "--only", CASE.name, ALONE.name]
    status = scripts.main(arguments)
    printed = capsys.readouterr().out
    assert status == 0, printed
    assert figures_of(printed) == [
        "- faults found: 1 of 1",
        "- right step, or silent error named: 1 of 1",
        "- right step and line: 1 of 1",
        "- false alarms: 0 of 2",
        "- clean scripts whose hooked run equals the unhooked one: 2 of 2",
        "- first cause right: 1 of 1",
        "- patches verified: 1 of 1",
        "- patches that changed a clean script: 0 of 2",
        "- patches that did not hold in 10 further runs: 0 of 1",
    ]
    assert re.search(r"up to the first answer: 0\.\d plain runs", printed)


def test_a_patch_that_does_not_hold_in_further_runs_is_counted_and_the_status_is_1(fake, capsys):
    mends_nothing = (
        f"--- a/{CASE.name}.py\n+++ b/{CASE.name}.py\n@@ -1 +1,2 @@\n+# mended\n"
        f" {CASE.script.read_text().splitlines()[0]}\n"
    )
    program = fake(patch=mends_nothing)
    arguments = ["--program", str(program), "--python", "python", "--only", CASE.name]
    assert scripts.main(arguments) == 1
    assert figures_of(capsys.readouterr().out)[8] == (
        "- patches that did not hold in 10 further runs: 1 of 1"
    )
    assert scripts.main([*arguments, "--further", "0"]) == 0
    assert figures_of(capsys.readouterr().out)[8].endswith("0 of 0")


def test_a_program_that_crashes_finds_nothing_and_the_status_is_1(fake, capsys):
    program = fake('raise RuntimeError("broken")')
    assert scripts.main(["--program", str(program), "--python", "p", "--only", CASE.name]) == 1
    printed = capsys.readouterr().out
    assert "no report, exit status 1" in printed
    assert figures_of(printed)[0] == "- faults found: 0 of 1"
    assert figures_of(printed)[3] == "- false alarms: 1 of 1"


def test_a_program_that_never_ends_is_ended_with_its_children(fake, tmp_path):
    act = (
        "import subprocess\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "pathlib.Path('child').write_text(str(child.pid))\n"
        "time.sleep(600)"
    )
    place = twins.make(CASE, tmp_path / "twin", mended=False)
    answer = scripts.answered(fake(act), "python", place, limit=4)
    assert (answer.status, answer.fault) == (None, "took too long")
    child = int((place.folder / "child").read_text())
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(child)], capture_output=True, text=True)
    assert state.stdout.strip()[:1] in ("", "Z")


def test_the_first_answer_is_timed_and_all_is_written_down(fake, tmp_path):
    act = "print('Run 1 took 1 s.'); print('The same: so far.', flush=True); time.sleep(0.5)"
    place = twins.make(CASE, tmp_path / "twin", mended=False)
    answer = scripts.answered(fake(act), "python", place)
    assert answer.first <= answer.seconds - 0.5
    log = (tmp_path / "twin" / "check.log").read_text().splitlines()
    assert log == ["Run 1 took 1 s.", "The same: so far.", "Not the same: it differs."]


def test_a_report_that_is_cut_off_is_none(fake, tmp_path):
    act = (
        "pathlib.Path('check').mkdir(); pathlib.Path('check/report.json').write_text('{'); exit(0)"
    )
    place = twins.make(CASE, tmp_path / "twin", mended=False)
    answer = scripts.answered(fake(act), "python", place)
    assert answer.fault == "no report, exit status 0"


def test_the_program_is_made_of_the_source_that_is_here(tmp_path):
    program = scripts.packed(tmp_path)
    shown = subprocess.run(
        [sys.executable, program, "--help"], capture_output=True, text=True, timeout=60
    )
    assert shown.returncode == 0, shown.stderr
    assert "COMMAND" in shown.stdout


@pytest.mark.slow
def test_six_scripts_three_faulty_and_three_clean_are_told_apart_in_the_locked_environment(
    tmp_path, monkeypatch
):
    # They need nothing but TensorFlow and Keras, which then start sooner.
    monkeypatch.setenv("PYTHONPATH", lean(os.environ)["PYTHONPATH"])
    monkeypatch.setattr(twins, "INHERITED", (*twins.INHERITED, "PYTHONPATH"))
    program, found = scripts.packed(tmp_path), []
    for case in six():
        # Trying a patch takes three more runs, so only one of them gets one.
        options = [] if case.name == CASE.name else ["--only", "steps"]
        found.append(scripts.outcome(program, sys.executable, case, tmp_path, options))
    assert [outcome.case.name for outcome in found if outcome.verified] == [CASE.name]
    assert [count.n for count in figures(found)] == [3] * 5
    assert [count.text() for count in figures(found) if not count.enough] == [], [*table(found)]
