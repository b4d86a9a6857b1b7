"""What a user may get wrong: told in one sentence, and nothing half-made is left."""

import pytest

UNSEEDED = "np.random.default_rng()"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        (
            'table[:, :-1], "y"',
            f'table[:, :-1] + {UNSEEDED}.random((len(table), 4), "float32") / 1e6, "y"',
            r"parts from the original at the prepared data (test/x.npy)",
        ),
        (
            "stddev=0.01), y",
            f"stddev=0.01) + {UNSEEDED}.random(dtype='float32'), y",
            "parts from the original at epoch 0, step 0, in the batch content",
        ),
    ],
    ids=["dataset", "augment"],
)
def test_an_unseeded_generator_is_found_and_placed(new_project, old, new, place):
    made = new_project("unseeded")
    few = {"training": {"epochs": 1, "batch_size": 32}, "search": {"trials": 4}}
    made.configure(small=made.entry(**few))
    made.edit(old, new)
    result = made.run("verify")
    assert result.returncode != 0
    assert place in result.stdout, result.stdout
    assert made.verdict("small")["verdict"] == "not met"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"epochs": 3}, "Expected only known keys in `experiments.small`. Received `epochs`."),
        ({"trainig": {}}, "Did you mean `training`?"),
        ({"seeds": ["a"]}, "Expected `experiments.small.seeds.0` to be a value of type integer"),
        ({"split": {"train": 0.8, "validation": 0.1, "test": 0.2}}, "which sum to 1.1."),
        ({"code": "gone.py"}, "Expected a file or folder at `experiments.small.code`."),
        ({"environment": "none"}, "Expected `environment` to be one of keras"),
    ],
)
def test_a_wrong_configuration_is_refused_before_anything_is_written(
    new_project, changes, sentence
):
    made = new_project("refused")
    made.configure(small=made.entry(**changes))
    result = made.run("all")
    assert result.returncode != 0
    assert sentence in result.stdout
    assert "Traceback" not in result.stdout
    assert not made.results.exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"y": table', '"y": table[1:]', "Expected the dataset's arrays to have one length."),
        ("def dataset", "def data", "Expected a function `dataset` in experiment.py."),
        ("import numpy as np", "import numpy as np\n1 / 0", "ZeroDivisionError (division by zero)"),
        ('astype("int32")', 'astype("float32") / 0 * 0', "Expected finite numbers in `y`"),
    ],
    ids=["lengths", "function", "import", "labels"],
)
def test_wrong_code_is_told_in_a_sentence_with_its_log(new_project, old, new, sentence):
    made = new_project("wrong")
    made.edit(old, new)
    result = made.run("--cores", "1", "results/small/original/data.manifest.json")
    assert result.returncode != 0
    assert sentence in result.stdout, result.stdout
    assert "(Log: logs/small/original/prepare.log)" in result.stdout
    assert "Traceback" not in result.stdout
    assert "Traceback" in (made.folder / "logs/small/original/prepare.log").read_text()
    assert [p for p in (made.results / "small").rglob("*") if p.is_file()] == []


@pytest.mark.slow
def test_data_with_another_digest_keeps_nothing_and_names_both(new_project):
    made = new_project("changed")
    expected = made.entry()["data"]["sha256"]
    (made.folder / "table.csv").open("a").write("0,0,0,0,1\n")
    result = made.run("--cores", "1", "results/small/original/data.manifest.json")
    assert result.returncode != 0
    assert expected in result.stdout
    assert made.entry()["data"]["sha256"] in result.stdout
    assert [p for p in (made.results / "small").rglob("*") if p.is_file()] == []


@pytest.mark.slow
def test_an_uncompiled_model_is_refused(new_project):
    made = new_project("uncompiled")
    made.edit("network.compile(", "(lambda *_, **__: None)(")
    result = made.run("--cores", "1", "results/small/original/seed-0/train.manifest.json")
    assert result.returncode != 0
    assert "Expected `model` to return a compiled model." in result.stdout
    assert not list(made.results.rglob("weights.safetensors"))


@pytest.mark.slow
def test_a_module_from_elsewhere_ends_the_step_without_outputs(new_project, tmp_path):
    (tmp_path / "borrowed.py").write_text("SCALE = 1\n")
    made = new_project("leak")
    path = f"import sys\nsys.path.append({str(tmp_path)!r})\nimport borrowed\n"
    made.edit("import numpy as np", f"import numpy as np\n{path}")
    result = made.run("--cores", "1", "results/small/original/data.manifest.json")
    assert result.returncode != 0
    assert "the module borrowed" in result.stdout, result.stdout
    assert "from outside it" in result.stdout
    assert [p for p in (made.results / "small").rglob("*") if p.is_file()] == []
