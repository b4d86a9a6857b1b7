"""./run check-files: whatever is broken on purpose is found and named, and a clean run is not."""

import os
import py_compile
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import project
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from repro.audit import check as module
from repro.audit.check import Report, check
from repro.core.errors import UserError
from repro.record import manifest
from small_results import CONFIGURATION, PACK, SOURCES, Project, write
from verbs import check_files

TRAIN = "results/tiny/original/seed-0/train.manifest.json"
WEIGHTS = "results/tiny/original/seed-0/weights.safetensors"
TRACE = "results/tiny/original/seed-0/trace.jsonl"
TRAINING = "workflow/lib/repro/model/training.py"


def checked(small: Project) -> Report:
    return check(small.results, small.folder, small.configuration, CONFIGURATION)


def found(small: Project) -> dict[str, str]:
    """The kind of each finding, by what it names."""
    return {finding.path: finding.kind for finding in checked(small).findings}


def outdated(small: Project) -> dict[str, tuple[str, ...]]:
    return {finding.path: finding.outdated for finding in checked(small).findings}


def configure(small: Project, **changed: Any) -> None:
    small.configuration = {"experiments": {"tiny": small.entry(**changed)}}


def test_a_clean_run_is_as_it_should_be(small_once: Project) -> None:
    report = checked(small_once)
    assert (report.findings, report.outdated, report.whole) == ((), 0, True)
    assert report.text().startswith(f"All {len(report.digests)} files under results/ are as their")
    assert len(report.digests) == sum(path.is_file() for path in small_once.results.rglob("*"))


def test_times_rights_and_snakemakes_stamps_are_no_content(small: Project) -> None:
    for path in small.folder.rglob("*"):
        path.chmod(0o755)
        os.utime(path, (10**9, 10**9))
    write(small.results / "tiny/.snakemake_timestamp", "")
    (small.results / "an empty folder").mkdir()
    assert found(small) == {}


Break = Callable[[Project], object]


def moved(small: Project) -> None:
    shutil.move(small.folder / TRAIN, small.results / "tiny/repeat/seed-0/train.manifest.json")


def claimed_twice(small: Project) -> None:
    names = {"run": "original", "seed": 0}
    place = ("tiny/original/seed-0", "evaluate", "metrics.json", "weights.safetensors")
    small.claim("evaluate", names, small.always(), *place)


def retrained(small: Project) -> None:
    """Other weights with a manifest of their own, after the evaluation."""
    write(small.folder / WEIGHTS, "others")
    data = small.results / "tiny/original/data"
    used = {**small.always(), "data": data, "data.manifest": data.with_name("data.manifest.json")}
    made = ("train", "weights.safetensors", "trace.jsonl")
    small.claim("train", {"run": "original", "seed": 0}, used, "tiny/original/seed-0", *made)


BROKEN: dict[str, tuple[Break, dict[str, str]]] = {
    "changed, of the same size and time": (
        lambda p: (write(p.folder / WEIGHTS, "v" * 50), os.utime(p.folder / WEIGHTS, (1, 1))),
        {WEIGHTS: "changed"},
    ),
    "emptied": (lambda p: write(p.folder / WEIGHTS, ""), {WEIGHTS: "changed"}),
    "missing": (lambda p: (p.folder / WEIGHTS).unlink(), {WEIGHTS: "missing"}),
    "program changed": (
        lambda p: write(p.results / "judge.pyz", "x"), {"results/judge.pyz": "changed"},
    ),
    "unclaimed": (
        lambda p: write(p.results / "tiny/original/data/test/odd.npy", ""),
        {"results/tiny/original/data/test/odd.npy": "unclaimed"},
    ),
    "half-written": (
        lambda p: write(p.results / ".partial.code.pyz", ""),
        {"results/.partial.code.pyz": "unclaimed"},
    ),
    "a folder in place of a file": (
        lambda p: ((p.folder / WEIGHTS).unlink(), (p.folder / WEIGHTS).mkdir()),
        {WEIGHTS: "missing"},
    ),
    "a link to nothing": (
        lambda p: ((p.folder / WEIGHTS).unlink(), (p.folder / WEIGHTS).symlink_to("nowhere")),
        {WEIGHTS: "changed"},
    ),
    "a pipe": (lambda p: os.mkfifo(p.results / "pipe"), {"results/pipe": "unclaimed"}),
    "a link round about": (
        lambda p: (p.results / "tiny/round").symlink_to(p.results),
        {"results/tiny/round": "unclaimed"},
    ),
    "a manifest truncated": (
        lambda p: write(p.folder / TRAIN, (p.folder / TRAIN).read_bytes()[:-2]),
        {TRAIN: "damaged"},
    ),
    "a manifest gone": (
        lambda p: (p.folder / TRAIN).unlink(),
        {TRAIN: "missing", WEIGHTS: "unclaimed", TRACE: "unclaimed"},
    ),
    "a manifest in another's place": (
        moved,
        {TRAIN: "missing", "results/tiny/repeat/seed-0/train.manifest.json": "damaged",
         WEIGHTS: "unclaimed", TRACE: "unclaimed"},
    ),
    "a source changed": (
        lambda p: write(p.folder / TRAINING, "EPOCHS = 4\n"), {TRAINING: "changed"},
    ),
    "a source gone": (lambda p: (p.folder / TRAINING).unlink(), {TRAINING: "missing"}),
    "a source added": (
        lambda p: write(p.folder / "workflow/lib/repro/new.py", ""),
        {"workflow/lib/repro/new.py": "added"},
    ),
    "what packs cannot be run": (lambda p: write(p.folder / PACK, "%"), {PACK: "changed"}),
    "the lock changed": (
        lambda p: write(p.folder / "conda-lock.yml", "other"), {"conda-lock.yml": "changed"},
    ),
    "the lock gone": (
        lambda p: (p.folder / "conda-lock.yml").unlink(), {"conda-lock.yml": "missing"},
    ),
    "raw data changed": (
        lambda p: write(p.folder / "raw data.csv", "1,2\n"), {"raw data.csv": "changed"},
    ),
    "raw data gone": (lambda p: (p.folder / "raw data.csv").unlink(), {"raw data.csv": "missing"}),
    "a file of the experiment changed": (
        lambda p: write(p.folder / "tiny/layers.py", "SIZE = 4\n"), {"tiny/layers.py": "changed"},
    ),
    "a file of the experiment added": (
        lambda p: write(p.folder / "tiny/more.py", ""), {"tiny/more.py": "added"},
    ),
    "the experiment gone": (lambda p: shutil.rmtree(p.folder / "tiny"), {"tiny": "missing"}),
    "another setting": (
        lambda p: configure(p, training={"epochs": 7}),
        {f"{CONFIGURATION}: experiments.tiny.training.epochs": "changed"},
    ),
    "another seed": (
        lambda p: configure(p, seeds=[1]), {f"{CONFIGURATION}: experiments.tiny.seeds": "changed"},
    ),
    "no repeat asked for": (
        lambda p: configure(p, repeat="off"),
        {f"{CONFIGURATION}: experiments.tiny.{key}": "changed" for key in ("repeat", "repeats")},
    ),
    "a shorter repeat": (
        lambda p: configure(p, repeat={"epochs": 2}),
        {f"{CONFIGURATION}: experiments.tiny.repeat{key}": "changed" for key in ("", ".epochs")},
    ),
    "another environment": (
        lambda p: configure(p, environment="keras-cuda"),
        {f"{CONFIGURATION}: experiments.tiny.environment": "changed"},
    ),
    "another experiment": (
        lambda p: p.configuration.update(experiments={"other": p.entry()}),
        {f"{CONFIGURATION}: experiments.tiny": "missing"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_broken_is_found_and_named_and_nothing_else(case: str, small: Project) -> None:
    change, named = BROKEN[case]
    change(small)
    assert found(small) == named


def test_two_claims_of_one_file_are_told(small: Project) -> None:
    claimed_twice(small)
    assert found(small)[WEIGHTS] == "contested"


def test_an_unreadable_file_is_told(small: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> str:
        if path.name == "weights.safetensors":
            raise PermissionError(13, "Permission denied", str(path))
        return "0" * 64

    monkeypatch.setattr(module, "sha256_file", refuse)
    lines = checked(small).text().splitlines()
    assert f"changed   {WEIGHTS}  (cannot be read: Permission denied)" in lines


def test_results_that_a_later_step_did_not_use_are_told_with_what_is_outdated(
    small: Project,
) -> None:
    retrained(small)
    after = outdated(small)
    assert set(after) == {TRAIN, WEIGHTS}
    assert after[WEIGHTS] == (
        "results/tiny/original/seed-0/evaluate.manifest.json",
        "results/tiny/original/seed-0/metrics.json",
        "results/tiny/report.html",
        "results/tiny/report.manifest.json",
        "results/tiny/verdict.json",
        "results/tiny/verdict.manifest.json",
        "results/tiny/verdict.md",
    )


def test_what_rests_on_a_source_is_outdated(small: Project) -> None:
    write(small.folder / TRAINING, "EPOCHS = 4\n")
    assert outdated(small) == {TRAINING: ("results/",)}
    assert checked(small).whole
    write(small.folder / TRAINING, SOURCES[TRAINING])
    judging = "workflow/lib/repro/cli/judge.py"
    write(small.folder / judging, "def main():\n    return 1\n")
    names = ("report.html", "report.manifest.json", "verdict.json", "verdict.manifest.json")
    names = (*names, "verdict.md")
    judged = ("results/judge.pyz", *(f"results/tiny/{name}" for name in names))
    assert outdated(small) == {judging: judged}
    # Without its last newline it is another file, but no other program.
    write(small.folder / judging, SOURCES[judging].rstrip("\n"))
    assert outdated(small) == {judging: ()}


def test_steps_before_a_changed_setting_are_not_outdated(small: Project) -> None:
    configure(small, training={"epochs": 7})
    (names,) = outdated(small).values()
    assert "results/tiny/repeat/seed-0/" in names
    assert not [name for name in names if "/data" in name or "pyz" in name]


def test_repeats_that_stop_early_are_judged_by_their_own_settings(small: Project) -> None:
    configure(small, repeat={"epochs": 2}, repeats=2, seeds=[0])
    small.make()
    assert found(small) == {}


def test_what_a_look_found_is_a_result(small: Project) -> None:
    evaluated = small.results / "tiny/original/seed-0/evaluate.manifest.json"
    used = {"original/seed-0/evaluate.manifest.json": evaluated}
    look = write(small.results / "tiny/look-8.json", '{"enough": true}\n')
    small.claim("look", {"seeds": 8}, used, "tiny", "look-8", look.name)
    assert found(small) == {}
    write(look, '{"enough": null}\n')
    assert found(small) == {"results/tiny/look-8.json": "changed"}


def test_the_sentence_counts(small: Project) -> None:
    write(small.folder / WEIGHTS, "")
    write(small.results / "a\nb", "")
    lines = checked(small).text().splitlines()
    assert lines[1] == "unclaimed 'results/a\\nb'"
    assert (
        lines[2]
        == f"Of {len(checked(small).digests)} files under results/: 1 changed, 1 unclaimed."
    )


def test_a_compiled_file_stands_for_no_program(small: Project) -> None:
    source = small.folder / PACK
    before = source.read_bytes()
    changed = before.replace(b"(1980, 1, 1", b"(1981, 1, 1")
    assert len(changed) == len(before)
    # Python takes this for the compiled form of the source: it has the same size and time.
    write(source, changed)
    os.utime(source, (10**9, 10**9))
    py_compile.compile(str(source))
    write(source, before)
    os.utime(source, (10**9, 10**9))
    assert found(small) == {}


@settings(deadline=None, max_examples=30)
@given(st.data())
def test_any_byte_of_any_result_is_named(small_once: Project, data: st.DataObject) -> None:
    files = sorted(p for p in small_once.results.rglob("*") if p.is_file())
    path = data.draw(st.sampled_from(files))
    before = path.read_bytes()
    place = data.draw(st.integers(0, len(before) - 1))
    flip = data.draw(st.integers(1, 255))
    write(path, before[:place] + bytes([before[place] ^ flip]) + before[place + 1 :])
    try:
        assert path.relative_to(small_once.folder).as_posix() in found(small_once)
    finally:
        write(path, before)


def remembered(small: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has the same bytes is read once, so that 200 checks take seconds."""
    experiments = {"tiny": small.experiment}
    monkeypatch.setattr(module, "resolve", lambda _: experiments)
    known: dict[tuple[str, bytes], Any] = {}
    plain = manifest.read

    def read(path: Path) -> Any:
        key = (path.name, path.read_bytes())
        if key not in known:
            known[key] = plain(path)
        return known[key]

    monkeypatch.setattr(manifest, "read", read)


@pytest.mark.slow
def test_200_random_bytes_of_results_manifests_lock_code_and_inputs_are_all_named(
    small: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    remembered(small, monkeypatch)
    names = [*SOURCES, PACK, "tiny/__init__.py", "tiny/layers.py", "raw data.csv"]
    files = [small.folder / name for name in names]
    files += sorted(path for path in small.results.rglob("*") if path.is_file())
    chance = random.Random(0)
    missed: list[tuple[str, int, int]] = []
    for _ in range(200):
        path = chance.choice([file for file in files if file.stat().st_size])
        before = path.read_bytes()
        place, flip = chance.randrange(len(before)), chance.randrange(1, 256)
        path.write_bytes(before[:place] + bytes([before[place] ^ flip]) + before[place + 1 :])
        name = path.relative_to(small.folder).as_posix()
        if name not in found(small):
            missed.append((name, place, flip))
        path.write_bytes(before)
    assert missed == []
    assert found(small) == {}


ODD = ["a b", "back\\slash", "new\nline", "\r", "é", "-n", "'", os.fsdecode(b"\xff")]


def test_sha256sum_accepts_what_is_written(
    small: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ODD:
        write(small.results / name, name.encode(errors="surrogateescape"))
    monkeypatch.setattr(project, "ROOT", small.folder)
    monkeypatch.chdir(small.folder)
    for place in ("sums.txt", "results/sums.txt"):
        assert check_files.main(["--write", place]) == 1  # for the odd ones no manifest claims
        done = subprocess.run(
            ["sha256sum", "-c", "--strict", place], capture_output=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, b"")
        others = [f for f in small.results.rglob("*") if f.is_file() and f.name != "sums.txt"]
        assert done.stdout.count(b": OK\n") == len(others)
    assert "sums.txt" not in capsys.readouterr().out
    write(small.folder / WEIGHTS, "")
    assert subprocess.run(["sha256sum", "-c", "sums.txt"], capture_output=True).returncode == 1


def test_no_sums_are_written_of_what_is_wrong(
    small: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(small.folder / WEIGHTS, "")
    monkeypatch.setattr(project, "ROOT", small.folder)
    monkeypatch.chdir(small.folder)
    with pytest.raises(UserError, match="Expected results that are as their manifests say"):
        check_files.main(["--write", "sums.txt"])
    assert not (small.folder / "sums.txt").exists()


@pytest.fixture
def here(small: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr(project, "ROOT", small.folder)
    monkeypatch.chdir(small.folder)
    return small


def test_the_status_tells(here: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert check_files.main([]) == 0
    write(here.folder / "conda-lock.yml", "other")
    assert check_files.main([]) == 1
    assert "changed   conda-lock.yml  (sha256 " in capsys.readouterr().out


def test_another_configuration_file_is_laid_over_the_first_as_snakemake_does(
    here: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    more = {"experiments": {"tiny": {"training": {"epochs": 9}}}}
    write(here.folder / "more.yaml", yaml.safe_dump(more))
    assert check_files.main(["--configfile", "more.yaml"]) == 1
    told = capsys.readouterr().out
    assert "changed   more.yaml: experiments.tiny.training.epochs  (9 in place of 20)" in told


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: shutil.rmtree(p.results), r"Expected results in results/. Received none"),
        (lambda p: write(p.folder / CONFIGURATION, "- a"), "Expected a configuration in config/"),
        (lambda p: write(p.folder / CONFIGURATION, "a: ["), "Expected a configuration in config/"),
        (lambda p: (p.folder / CONFIGURATION).unlink(), "Expected a configuration in config/"),
        (lambda p: write(p.folder / CONFIGURATION, b"\xff"), "Expected a configuration in config/"),
        (lambda p: write(p.folder / CONFIGURATION, "a: 1"), "Expected only known keys"),
    ],
)
def test_a_mistake_is_one_sentence(change: Break, words: str, here: Project) -> None:
    change(here)
    with pytest.raises(UserError, match=words):
        check_files.main([])


def test_a_check_that_is_itself_broken_names_the_source(
    here: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any) -> None:
        raise NameError("name 'x' is not defined")

    monkeypatch.setattr(module, "check", fail)
    with pytest.raises(NameError):  # nothing was changed: a bug of ours
        check_files.main([])
    write(here.folder / TRAINING, "EPOCHS = 4\n")
    assert check_files.main([]) == 1
    assert capsys.readouterr().out.startswith(f"changed   {TRAINING}\nNothing more is known")


def test_a_check_made_blind_still_names_the_source(
    here: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clean = checked(here)
    write(here.folder / TRAINING, "EPOCHS = 4\n")
    monkeypatch.setattr(module, "check", lambda *_: clean)
    assert check_files.main([]) == 1
    assert f"changed   {TRAINING}\n" in capsys.readouterr().out
