"""Environment variables of the user's that reach the steps: named, passed, and known by digest."""

import hashlib
import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from repro.audit import against_present
from repro.audit.results import Results
from repro.cli.options import parser
from repro.cli.program import main
from repro.core.canonical_json import canonical, decoded
from repro.core.config import Experiment, filled, resolve
from repro.core.errors import UserError
from repro.core.parameters import BY_STEP
from repro.drift.effects import BITS
from repro.drift.environment_differences import drift
from repro.launch import launcher
from repro.plan import jobs
from repro.record.environment import environment
from repro.record.step import Step
from samples import Fresh, configuration, step_of

STARTED = ("prepare", "train", "evaluate", "probe", "cost")
SECRET = "a token; with 'quotes' and é"
DIGEST = f"sha256:{hashlib.sha256(SECRET.encode()).hexdigest()}"


def digits(*names: str) -> Experiment:
    return resolve(configuration(environment_variables=list(names)))["digits"]


@pytest.fixture(autouse=True)
def shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_TOKEN", SECRET)
    monkeypatch.delenv("UNSET", raising=False)


@pytest.mark.parametrize("step", BY_STEP)
def test_what_is_started_depends_on_their_digests_and_tells_no_value(step: str) -> None:
    plain, found = (resolve(configuration())["digits"], digits("A_TOKEN"))
    text = canonical(found.parameters(step))
    assert SECRET not in text
    expected = {"environment_variables": {"A_TOKEN": DIGEST}} if step in STARTED else {}
    assert json.loads(text) == {**plain.parameters(step).json(), **expected}
    assert decoded(BY_STEP[step], json.loads(text)) == found.parameters(step)
    assert canonical(digits().parameters(step)) == canonical(plain.parameters(step))


def test_a_configuration_without_any_says_nothing_of_them() -> None:
    entry = filled(configuration(), "digits")["experiments"]
    assert "environment_variables" not in canonical(entry)


def test_another_value_is_another_job(monkeypatch: pytest.MonkeyPatch) -> None:
    before = canonical(digits("A_TOKEN").parameters("train"))
    monkeypatch.setenv("A_TOKEN", f"{SECRET}x")
    assert canonical(digits("A_TOKEN").parameters("train")) != before


@pytest.mark.parametrize("names", ["A", [1], ["A", "A"], ["A=B"], ["A B"], ["1A"], [""], ["Ä"]])
def test_what_is_no_list_of_names_is_refused(names: Any) -> None:
    with pytest.raises(UserError, match=r"experiments\.digits\.environment_variables"):
        resolve(configuration(environment_variables=names))


@pytest.mark.parametrize(
    "name", ["PATH", "HOME", "TZ", "PYTHONHASHSEED", "PYTHONPATH", "OMP_NUM_THREADS", "REPRO_RUN"]
)
def test_what_the_launcher_sets_or_passes_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=rf"yours alone to choose\. Received {name}, .* Remove it"):
        jobs.refuse_variables({"digits": digits("A_TOKEN", name)})


def test_one_that_is_not_set_is_refused_before_anything_runs() -> None:
    jobs.refuse_variables({"digits": digits("A_TOKEN")})
    with pytest.raises(UserError) as error:
        jobs.refuse_variables({"digits": digits("A_TOKEN", "UNSET")})
    sentence = "variable UNSET to be set, since `experiments.digits.environment_variables`"
    assert sentence in str(error.value)
    assert SECRET not in str(error.value)


def test_the_job_is_told_the_names_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANOTHER", "b")
    command = jobs.launch("code.pyz", digits("A_TOKEN", "ANOTHER"), "original")
    assert command == jobs.launch("code.pyz", digits("ANOTHER", "A_TOKEN"), "original")
    words = shlex.split(command)
    options = parser().parse_args([*words[words.index("launch") :], "train"])
    assert sorted(options.passed) == ["ANOTHER", "A_TOKEN"]
    assert SECRET not in command
    assert "--pass" not in jobs.launch("code.pyz", digits(), "original")


PROGRAM = """
import json, os, sys
from repro.cli.program import main
sys.argv[0] = {program!r}
sys.exit(main(["launch", "--run", sys.argv[1], "--intra", "2", "--vary", sys.argv[2],
               "--pass", "A_TOKEN,GONE", "--", "step"]))
"""


@pytest.mark.parametrize(("run", "vary"), [("original", ""), ("repeat", "hash seed,home")])
def test_they_reach_the_step_in_every_run(
    run: str, vary: str, fresh: Fresh, tmp_path: Path
) -> None:
    program = tmp_path / "program.py"
    program.write_text("import json, os; print(json.dumps(dict(os.environ)))")
    more = {"A_TOKEN": SECRET, "ANOTHER": "b"}
    done = fresh(PROGRAM.format(program=str(program)), run, vary, **more)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["A_TOKEN"] == SECRET
    assert not {"ANOTHER", "GONE"} & set(found)


@pytest.mark.parametrize("value", [None, f"{SECRET} "])
def test_a_step_refuses_another_value_than_was_planned_with(
    value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, setting in launcher.settings(2).items():
        monkeypatch.setenv(name, setting)
    launcher.check(2, {"A_TOKEN": DIGEST})
    if value is None:
        monkeypatch.delenv("A_TOKEN")
    else:
        monkeypatch.setenv("A_TOKEN", value)
    with pytest.raises(UserError, match=f"variable A_TOKEN to have the .*{DIGEST}") as error:
        launcher.check(2, {"A_TOKEN": DIGEST})
    assert SECRET not in str(error.value)


def test_every_kind_of_step_looks_at_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name, setting in launcher.settings(2).items():
        monkeypatch.setenv(name, setting)
    experiment = digits("A_TOKEN")
    monkeypatch.setenv("A_TOKEN", "another")
    for step in (*STARTED, "environment"):
        asked = canonical(experiment.parameters("train" if step == "environment" else step))
        named = ["--experiment", "e", "--run", "original"] if step in STARTED[:4] else []
        cost = ["--variant", "plain", "--seconds", "1"] if step == "cost" else []
        status = main([step, *named, *cost, "--parameters", asked, "--out",
                       str(tmp_path / "out"), "--log", str(tmp_path / "log")])  # fmt: skip
        assert status == 2, step
        assert "variable A_TOKEN to have the value" in capsys.readouterr().err, step


def test_the_manifest_has_the_digest_and_drift_reports_another() -> None:
    before, plain = environment(["A_TOKEN"]), environment()
    assert before["variables"] == {**plain["variables"], "A_TOKEN": DIGEST}
    now = {**before, "variables": {**before["variables"], "A_TOKEN": "sha256:0"}}
    (difference,) = drift(before, now)
    assert (difference.what, difference.effect) == ("environment variable A_TOKEN", BITS)


def trained(experiment: Experiment) -> Step:
    step = step_of("train", "original", 0, environment={"installed": {}})
    called = {"step": "train", "run": "original", "experiment": "digits",
              "parameters": experiment.parameters("train").json()}  # fmt: skip
    definition = {**step.value["predicate"]["buildDefinition"], "externalParameters": called}
    predicate = {**step.value["predicate"], "buildDefinition": definition}
    return replace(step, value={**step.value, "predicate": predicate})


@pytest.mark.parametrize(("value", "now"), [("b", "sha256:3e23e816"), (None, "not set")])
def test_a_check_of_the_files_reports_another_value(
    value: str | None, now: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = trained(digits("A_TOKEN"))
    results = Results(Path("results"), {}, {"train.manifest.json": step}, {})

    def found() -> list[Any]:
        entries = {"digits": digits("A_TOKEN")}
        return list(against_present.configuration(results, entries, "config.yaml"))

    assert found() == []
    if value is None:
        monkeypatch.delenv("A_TOKEN")
    else:
        monkeypatch.setenv("A_TOKEN", value)
    (difference,) = found()
    assert difference.path == "config.yaml: experiments.digits.environment_variables.A_TOKEN"
    assert now in difference.what
    assert DIGEST in difference.what
