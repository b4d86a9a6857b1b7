"""Where things lie below results/: from a step to its paths and back, and as the rules have it."""

import doctest
import re
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from repro.core import layout
from repro.core.layout import STEPS, SUFFIX
from repro.plan.schedule import ORIGINAL, RUN

RULES = Path(__file__).parents[2] / "workflow" / "rules"
NAMES = st.fixed_dictionaries(
    {
        "experiment": st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]*", fullmatch=True),
        "run": st.from_regex(RUN, fullmatch=True),
        "seed": st.integers(0, 2**63 - 1),
        "seeds": st.integers(1, 10**6),
    }
)


def wildcards(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@given(NAMES, st.sampled_from(sorted(STEPS)))
def test_from_a_step_to_its_paths_and_back(names: dict[str, Any], step: str) -> None:
    row = STEPS[step]
    needed = wildcards(f"{row.folder}/{row.stem}")
    manifest = layout.manifest(step, names)
    for path in (manifest, *layout.made(step, names)):
        found = layout.place(path)
        assert found is not None, path
        assert found.step == step
        assert found.names == {name: str(names[name]) for name in needed}
        assert path in (layout.manifest(step, found.names), *layout.made(step, found.names))
        assert layout.claimant(path) == manifest


@given(NAMES, st.lists(st.sampled_from("abcn."), min_size=1).map("".join))
def test_all_that_lies_in_a_folder_belongs_to_the_step_that_makes_it(
    names: dict[str, Any], name: str
) -> None:
    (folder,) = layout.made("prepare", names)
    found = layout.place(f"{folder}/train/{name}")
    assert found is not None
    assert found.step == "prepare"


def test_no_two_steps_write_to_the_same_path() -> None:
    names = {"experiment": "a", "run": "original", "seed": 0, "seeds": 8}
    every = [path for s in STEPS for path in (layout.manifest(s, names), *layout.made(s, names))]
    assert len(every) == len(set(every)) > 2 * len(STEPS)


@pytest.mark.parametrize(
    "path",
    ["", "index.html", "a/notes.txt", "a/original/seed-0/notes.txt", "a/original/data.txt",
     "a/look.json", "a/original/database/x.npy", "a/b/original/data/x.npy"],
)  # fmt: skip
def test_what_no_step_writes_belongs_to_none(path: str) -> None:
    assert layout.place(path) is None
    assert layout.claimant(path) == path


@given(st.integers(0, 2**63 - 1))
def test_a_folder_of_a_seed_tells_the_seed(seed: int) -> None:
    assert layout.seed_of(layout.seed_folder(seed)) == seed


@pytest.mark.parametrize("name", ["data", "seed-", "seed-x", "seed-1.old", "0"])
def test_other_folders_are_of_no_seed(name: str) -> None:
    assert layout.seed_of(name) is None


@given(NAMES)
def test_each_input_lies_where_the_step_before_wrote_it(names: dict[str, Any]) -> None:
    for step, row in STEPS.items():
        for name in row.uses:
            place = layout.input_at(step, name, names)
            assert place is not None
            assert layout.place(place) is not None, place
            if name.endswith(".manifest"):
                assert place == layout.claimant(place)
                assert place.endswith(SUFFIX)


def test_what_measures_without_a_run_reads_the_originals_data() -> None:
    for step in ("probe", "cost"):
        assert layout.input_at(step, "data", {"experiment": "a"}) == "a/original/data"


@pytest.mark.parametrize(
    ("step", "name", "place"),
    [
        ("prepare", "data", None),
        ("prepare", "data:labels", None),
        ("train", "experiment", None),
        ("train", "conda-lock.yml", None),
        ("code", "weights", None),
        ("train", "code", "code.pyz"),
        ("compare", "judge", "judge.pyz"),
        ("compare", "repeat/seed-0/train.manifest.json", "a/repeat/seed-0/train.manifest.json"),
        ("look", "original/seed-0/evaluate.manifest.json",
         "a/original/seed-0/evaluate.manifest.json"),
    ],
)  # fmt: skip
def test_inputs_from_outside_lie_nowhere_among_the_results(
    step: str, name: str, place: str | None
) -> None:
    assert layout.input_at(step, name, {"experiment": "a", "run": "repeat"}) == place


def test_a_step_that_lacks_a_name_lies_nowhere_and_says_why() -> None:
    assert "(run missing)" in layout.manifest("prepare", {"experiment": "a"})
    assert layout.manifest("train", {"experiment": "a", "run": "original"}) == (
        "a/original/seed-(seed missing)/train.manifest.json"
    )


@pytest.mark.parametrize("path", ["data.manifest.json", "a/repeat/data.manifest.json"])
def test_a_manifest_of_data_binds_a_whole_folder(path: str) -> None:
    assert layout.whole_folder(path) == "data"


def test_a_manifest_of_a_training_binds_the_folder_of_what_it_wrote_by_itself() -> None:
    assert layout.whole_folder("a/original/seed-0/train.manifest.json") == "files"
    found = layout.place("a/original/seed-0/files/logs/train/events")
    assert found is not None
    assert (found.step, found.names["seed"]) == ("train", "0")


@pytest.mark.parametrize("name", ["evaluate.manifest.json", "code.manifest.json", "metrics.json"])
def test_other_manifests_bind_single_files(name: str) -> None:
    assert layout.whole_folder(name) is None


@given(st.from_regex(r"([A-Za-z_][A-Za-z0-9_]*)?", fullmatch=True))
def test_raw_data_are_an_input_by_their_name(source: str) -> None:
    assert layout.source_of(layout.source_input(source)) == source


SPELT = [
    (file.name, path)
    for file in sorted(RULES.glob("*.smk"))
    for path in sorted(set(re.findall(r'"results/([^" ]+)"', file.read_text())))
]


@pytest.mark.parametrize(("file", "path"), SPELT)
def test_the_rules_spell_the_same_paths(file: str, path: str) -> None:
    """A wildcard of a rule stands where the layout has the name; `{PRICED}` is an experiment."""
    if path == layout.INDEX:
        return  # made from verdicts, and of no manifest
    found = layout.place(path.replace("{PRICED}", "{experiment}"))
    assert found is not None, f"{file}: {path}"
    for name, spelt in found.names.items():
        assert spelt == f"{{{name}}}" or (name, spelt) == ("run", ORIGINAL)


def test_the_rules_declare_every_file_and_every_manifest() -> None:
    spelt = {path for _, path in SPELT}
    names = {name: f"{{{name}}}" for name in ("experiment", "run", "seed", "seeds")}
    for step in STEPS.keys() - {"cost"}:  # it declares no output, so that it always measures
        row = STEPS[step]
        for path in (layout.path(step, name, names) for name in (row.manifest, *row.declared)):
            assert [own for own in spelt if f"{own}/".startswith(f"{path}/")], path


def test_the_examples() -> None:
    assert doctest.testmod(layout).attempted > 0
    assert doctest.testmod(layout).failed == 0
