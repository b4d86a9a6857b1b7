"""What the rules ask before any job runs: files, commands, environments, refusals."""

import json
import shlex
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from repro.cli.options import parser
from repro.core import layout
from repro.core.config import Experiment, resolve
from repro.core.digest import sha256_bytes
from repro.core.errors import UserError
from repro.plan import cluster, environments, jobs, requests, results
from repro.plan.results import Wanted
from repro.plan.schedule import Schedule
from repro.record import manifest
from repro.record.installed import current_platform
from repro.record.statement import Making
from samples import configuration
from verdicts import ENVIRONMENT, INSTALLED


def digits(**changes: Any) -> Experiment:
    return resolve(configuration(**changes))["digits"]


def never(count: int) -> str:
    raise AssertionError(f"a look at {count} seeds")


def wanted(**changes: Any) -> Wanted:
    return results.wanted("digits", digits(**changes), never)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


OF_SEED = ("weights.safetensors", "trace.jsonl", "history.csv", "train.manifest.json",
           "metrics.json", "predictions.npz", "evaluate.manifest.json")  # fmt: skip


def test_what_is_compared() -> None:
    runs = ("original", "repeat")
    assert wanted().compared == [
        *(f"results/digits/{run}/data.manifest.json" for run in runs),
        *(f"results/digits/{run}/seed-0/{file}" for run in runs for file in OF_SEED),
    ]


def test_a_repeat_that_stops_early_is_compared_as_far_as_it_goes() -> None:
    found = wanted(repeat={"epochs": 2}).compared
    assert "results/digits/repeat/seed-0/trace.jsonl" in found
    assert not [file for file in found if "repeat" in file and "evaluate" in file]


MADE = st.fixed_dictionaries(
    {
        "seeds": st.lists(st.integers(0, 9), min_size=1, max_size=3, unique=True),
        "goal": st.sampled_from(["bitwise", "metrics", "documented"]),
        "repeat": st.sampled_from(["full", "off", {"epochs": 2}]),
        "repeats": st.integers(1, 3),
    }
)


@given(MADE)
def test_every_manifest_has_what_it_binds_beside_it(changes: dict[str, Any]) -> None:
    """Whatever is asked for, a step is asked for as a whole, by paths that the layout knows."""
    asked = wanted(**changes)
    made = set(asked.made)
    assert made >= set(asked.compared)
    for file in made:
        found = layout.place(file.removeprefix("results/"))
        assert found is not None, file
        assert f"results/{layout.manifest(found.step, found.names)}" in made
        for file in layout.STEPS[found.step].declared:
            name = layout.path(found.step, file, found.names)
            assert [one for one in made if f"{one}/".startswith(f"results/{name}/")], name


def test_everything_is_of_all_experiments_and_the_programs() -> None:
    experiments = [Wanted(name, Schedule.of(digits()), (), (0,)) for name in ("a", "b")]
    found = results.everything(experiments)
    assert found[:5] == [
        "results/index.html", "results/code.pyz", "results/judge.pyz", "results/report.pyz",
        "results/code.manifest.json",
    ]  # fmt: skip
    for name in ("a", "b"):
        for file in ("verdict.md", "report.html", "probe.json", "original/seed-0/history.csv",
                     "repeat/data/train/id.npy"):  # fmt: skip
            assert f"results/{name}/{file}" in found
    assert len(found) == len(set(found))


@pytest.fixture
def look(tmp_path: Path) -> Callable[..., Callable[[int], str]]:
    """Makes what gives the files of looks, which answer one after the other."""

    def made(*answers: object) -> Callable[[int], str]:
        left = list(answers)

        def of(count: int) -> str:
            file = tmp_path / f"look-{count}.json"
            answer = left.pop(0)
            file.write_text(answer if isinstance(answer, str) else json.dumps({"enough": answer}))
            return str(file)

        return of

    return made


AUTO = {"goal": "metrics", "seeds": "auto", "equivalence": {"budget": 32}}


@pytest.mark.parametrize(
    ("answers", "looks", "seeds"),
    [((True,), (8,), 8), ((False, True), (8, 16), 16), ((False, False), (8, 16), 32)],
)
def test_looks_decide_how_many_seeds_are_asked_for(
    answers: tuple[bool, ...], looks: tuple[int, ...], seeds: int, look: Any
) -> None:
    asked = results.wanted("digits", digits(**AUTO), look(*answers))
    assert (asked.looks, asked.seeds) == (looks, tuple(range(seeds)))
    files = [f"results/digits/look-{count}.json" for count in looks]
    bound = [f"results/digits/look-{count}.manifest.json" for count in looks]
    assert asked.compared[: 2 * len(looks)] == [*files, *bound]
    assert results.manifests(asked.compared)[: len(looks)] == bound


@pytest.mark.parametrize("text", ["", "{}", "[]", "7", '{"enough": tr'])
def test_a_look_that_cannot_be_read_is_named(text: str, look: Any) -> None:
    with pytest.raises(UserError, match=r"Expected what a look found in \S+look-8.json\. Received"):
        results.wanted("digits", digits(**AUTO), look(text))


def test_a_look_is_at_the_first_evaluations_of_all_runs() -> None:
    found = results.looked_at("digits", digits(**AUTO), 2)
    assert found == [
        f"results/digits/{run}/seed-{seed}/evaluate.manifest.json"
        for run in ("original", "repeat")
        for seed in (0, 1)
    ]


def test_the_overhead_is_there_with_its_manifest_or_not_at_all(here: Path) -> None:
    folder = here / "results" / "digits"
    folder.mkdir(parents=True)
    (folder / "cost.json").touch()
    assert results.measured("digits", "cost.json") == []
    (folder / "cost.manifest.json").touch()
    assert results.measured("digits", "cost.json") == ["results/digits/cost.json"]
    assert results.measured("digits", "cost.manifest.json") == ["results/digits/cost.manifest.json"]


@pytest.mark.parametrize("run", ["original", "repeat", "repeat-2"])
def test_the_program_understands_how_it_is_launched(run: str) -> None:
    chosen = digits(training={"threads": {"intra": 3}}, factors={"clock": False})
    words = shlex.split(jobs.launch("results/code.pyz", chosen, run))
    assert words[:4] == ["python", "-I", "-B", "results/code.pyz"]
    found = parser().parse_args([*words[4:], "train"])
    factors = list(chosen.factors) if run != "original" else []
    assert (found.step, found.run, found.intra, found.vary) == ("launch", run, 3, factors)
    assert "clock" not in found.vary
    assert found.arguments == ["train"] or found.arguments == ["--", "train"]


@pytest.mark.parametrize(("every", "word"), [(60, "60"), (0, "0"), ("off", "off")])
def test_seconds_between_checkpoints_are_text(every: object, word: str) -> None:
    assert jobs.checkpoint_interval(digits(training={"checkpoint": every})) == word


def test_of_a_folder_all_files_are_inputs(here: Path) -> None:
    for name in ("raw/b.csv", "raw/inner/a.csv", "raw/__pycache__/a.pyc", "labels.csv"):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).touch()
    source = {"sha256": "0" * 64}
    data = {"x": {"path": "raw", **source}, "y": {"path": "labels.csv", **source}}
    chosen = digits(data=data)
    assert jobs.data_files(chosen) == ["raw/b.csv", "raw/inner/a.csv", "labels.csv"]
    assert jobs.data_inputs(chosen) == ["data:x=raw", "data:y=labels.csv"]
    assert jobs.data_inputs(digits()) == ["data=data.csv"]


def test_a_program_that_snakemake_compares_by_time_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "code.pyz"
    file.write_bytes(bytes(100))
    jobs.refuse_by_time(str(file), 100)
    with pytest.raises(UserError, match=r"of 100 bytes, as .* a limit of 99, beyond which"):
        jobs.refuse_by_time(str(file), 99)


def test_the_experiment_to_measure() -> None:
    names = ["a", "b"]
    assert requests.to_measure({}, names) == "a"
    assert requests.to_measure({"cost": "b"}, names) == "b"
    with pytest.raises(UserError, match=r"to measure: a, b\. Received c\. Correct it\."):
        requests.to_measure({"cost": "c"}, names)


def test_which_of_several_is_measured_must_be_named() -> None:
    assert requests.unnamed({}, ["a"]) == []
    assert requests.unnamed({"cost": "b"}, ["a", "b"]) == []
    with pytest.raises(UserError, match=r"`--config cost=NAME` with one of a, b\. Received none"):
        requests.unnamed({}, ["a", "b"])


def test_all_trainings_are_compared_with_the_present(here: Path) -> None:
    paths = [f"results/{path}/train.manifest.json" for path in
             ("b/original/seed-0", "b/repeat/seed-10", "gone/original/seed-0")]  # fmt: skip
    for path in (*paths, "results/b/original/data.manifest.json"):
        (here / path).parent.mkdir(parents=True, exist_ok=True)
        (here / path).touch()
    # What is no longer in the configuration starts as the first that is.
    assert requests.drifting({}, ["a", "b"]) == dict(zip(paths, ["b", "b", "a"], strict=True))
    named = "elsewhere/b/train.manifest.json"
    assert requests.drifting({"manifest": named}, ["a", "b"]) == {named: "b"}


def test_what_an_archive_holds_of_the_original_is_made_again(here: Path) -> None:
    with pytest.raises(UserError, match=r"`--config archived=FOLDER` .* `\./run rerun FILE` does"):
        requests.made_again({}, "a")
    config = {"archived": "old"}
    with pytest.raises(UserError, match=r"results of a in old\. Received none\. Name the folder"):
        requests.made_again(config, "a")
    for path in ("original/data", "original/seed-0/train", "repeat/data", "verdict"):
        file = here / "old" / "a" / f"{path}.manifest.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    assert requests.made_again(config, "a") == [
        "results/a/original/data.manifest.json",
        "results/a/original/seed-0/train.manifest.json",
    ]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of a Snakefile, with the files of one environment for each channel."""
    lock = tmp_path / "conda-lock.yml"
    lock.write_text("lock\n")
    head = f"# lock: sha256:{sha256_bytes(lock.read_bytes())}\n"
    for folder in (tmp_path / "workflow" / "envs", tmp_path / ".tools" / "local" / "envs"):
        folder.mkdir(parents=True)
        for end in ("yaml", f"{current_platform()}.pin.txt", "post-deploy.sh"):
            (folder / f"keras.{end}").write_text(head)
    return tmp_path


@pytest.mark.parametrize(
    ("forced", "remembered", "folder"),
    [
        (None, None, "workflow/envs"),
        (None, "local\n", ".tools/local/envs"),
        ("locked", "local\n", "workflow/envs"),
        ("local", None, ".tools/local/envs"),
    ],
)
def test_a_forced_channel_goes_before_the_remembered_one(
    forced: str | None, remembered: str | None, folder: str, home: Path
) -> None:
    if remembered:
        (home / ".tools" / "channel").write_text(remembered)
    found = environments.environment_file(home, forced, "keras")
    assert found == str(home / folder / "keras.yaml")


def test_an_environment_of_no_such_name_is_refused(home: Path) -> None:
    with pytest.raises(UserError, match=r"`environment` to be one of keras\. Received torch\. Cor"):
        environments.environment_file(home, None, "torch")


def test_an_environment_of_another_lock_is_refused(home: Path) -> None:
    (home / "conda-lock.yml").write_text("another\n")
    with pytest.raises(UserError, match=r"rendered from conda-lock\.yml as it is now"):
        environments.environment_file(home, None, "keras")


def refuse(
    experiments: dict[str, Experiment],
    arrays: str = "train",
    status: str = "squeue",
    most: int = sys.maxsize,
) -> None:
    cluster.refuse(experiments, arrays, status, most)


def test_a_job_array_is_refused_where_experiments_ask_for_other_resources() -> None:
    one, other = digits(), digits(resources={"time": 5})
    assert (other.resources.time, other.resources.memory) == (5, one.resources.memory)
    refuse({"one": one, "two": one})
    refuse({"one": one, "two": other}, arrays="")
    threads = {"intra": one.training.threads.intra + 1}
    training = {"epochs": 1, "batch_size": 8, "threads": threads}
    for unequal in (other, digits(training=training)):
        with pytest.raises(UserError, match="Received others in two than in one"):
            refuse({"one": one, "two": unequal})


def test_resources_are_no_parameter_of_any_step() -> None:
    one, other = digits(), digits(resources={"memory": 9, "gpu": 1, "partition": "long"})
    for step in ("prepare", "train", "evaluate", "probe", "compare"):
        assert one.parameters(step) == other.parameters(step)


def test_a_job_array_is_refused_where_repeats_ask_for_another_node() -> None:
    with pytest.raises(UserError, match="Received it in one"):
        refuse({"one": digits(repeat={"elsewhere": True})})


def test_a_job_array_is_refused_where_not_all_jobs_may_be_submitted() -> None:
    refuse({"one": digits()}, arrays="", most=5)
    with pytest.raises(UserError, match="Received 5"):
        refuse({"one": digits()}, most=5)


def test_sacct_is_refused_where_slurm_keeps_no_accounts(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sacct = here / "sacct"
    sacct.touch(0o755)
    monkeypatch.setenv("PATH", f"{here}:/usr/bin:/bin")
    for text, refused in (("Slurm accounting storage is disabled", True), ("later", False)):
        sacct.write_text(f"#!/bin/sh\necho {text} >&2; exit 1\n")
        refuse({"one": digits()}, status="squeue")
        with pytest.raises(UserError, match="squeue") if refused else nullcontext():
            refuse({"one": digits()}, status="sacct")


SINFO = """#!/bin/sh
case "$*" in *--partition=small*) echo one ;; *) printf 'one\\ntwo\\n' ;; esac
"""


@pytest.fixture
def original(here: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The manifest of a step that ran on node `one`, beside a Slurm of two nodes."""
    (here / "sinfo").write_text(SINFO)
    (here / "sinfo").chmod(0o755)
    monkeypatch.setenv("PATH", f"{here}:/usr/bin:/bin")
    path = here / "data.manifest.json"
    making = Making(
        names={"step": "prepare", "experiment": "digits", "run": "original"}, parameters={},
        inputs={}, installed=INSTALLED, environment=ENVIRONMENT, process={"node": "one"},
    )  # fmt: skip
    (here / "data.txt").touch()
    manifest.write(path, making, [here / "data.txt"])
    cluster.nodes.cache_clear()
    return str(path)


def test_a_repeat_that_asks_for_another_node_keeps_off_the_originals(original: str) -> None:
    elsewhere = digits(repeat={"elsewhere": True})
    assert cluster.kept_off(elsewhere, original) == "--exclude=one"
    assert cluster.kept_off(elsewhere, None) is None
    assert cluster.kept_off(elsewhere, f"{original}.missing") is None
    assert cluster.kept_off(digits(), original) is None


def test_where_there_is_no_other_node_none_is_kept_off(original: str) -> None:
    asked = {"repeat": {"elsewhere": True}, "resources": {"partition": "small"}}
    assert cluster.kept_off(digits(**asked), original) is None
