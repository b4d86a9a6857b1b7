"""What a user may get wrong: told in one sentence, and nothing half-made is left."""

import subprocess

import pytest
from conftest import Project
from repro.core.digest import sha256_file

DRAW = "np.random.default_rng()"
FITTED = f"""\
def fit_preprocessing(train, settings, seeds):
    mean = {DRAW}.normal(size=4).astype("float32")
    return {{"x": lambda x: x - mean}}


def augment("""
UNSEEDED = {
    "fitted": (
        "def augment(",
        FITTED,
        "first diverges from the original at the fitted preprocessing (x.mean)",
        "preprocessing",
    ),
    "augment": (
        "stddev=0.01), y",
        f"stddev=0.01) + {DRAW}.random(dtype='float32'), y",
        "first diverges from the original at epoch 0, step 0, in the batch content",
        "augmentation",
    ),
}


def written(made: Project, name: str, old: str, new: str) -> None:
    """Writes the experiment with one change to a file of its own."""
    text = (made.folder / "experiment.py").read_text()
    assert old in text
    (made.folder / f"{name}.py").write_text(text.replace(old, new))


@pytest.fixture(scope="module")
def unseeded(new_project):
    """What was found of experiments each with one generator that nobody seeds, in one go."""
    made = new_project("unseeded")
    short = {"training": {"epochs": 1, "batch_size": 32}}
    for name, (old, new, *_) in UNSEEDED.items():
        written(made, name, old, new)
    made.configure(
        # Two trials tell the draw, then a patch is tried; runs that part before training need
        # not train for long.
        fitted=made.entry(code="fitted.py", search={"trials": 4}, repeat={"steps": 1}, **short),
        # Two trials tell the draw, two look into operations, two keep their weights.
        augment=made.entry(code="augment.py", search={"trials": 6}, **short),
    )
    return made, made.by_run("verify", "--cores", "2")


@pytest.mark.slow
@pytest.mark.parametrize("name", UNSEEDED)
def test_an_unseeded_generator_is_found_and_placed(unseeded, name):
    made, result = unseeded
    *_, place, cause = UNSEEDED[name]
    assert result.returncode == 1  # of claims that do not hold
    assert place in " ".join(f"{result.stdout} {result.stderr}".split())
    verdict = made.verdict(name)
    assert verdict["verdict"] == "not met"
    assert verdict["causes"][0]["cause"] == cause
    (line,) = (n for n, text in enumerate(lines(made, name), 1) if DRAW in text)
    assert (verdict["causes"][0]["file"], verdict["causes"][0]["line"]) == (f"{name}.py", line)


def lines(made: Project, name: str) -> list[str]:
    return (made.folder / f"{name}.py").read_text().splitlines()


@pytest.mark.slow
def test_the_verdict_says_what_differs_and_how_the_difference_grows(unseeded):
    made, _ = unseeded
    verdict = made.verdict("augment")
    assert {"weights", "history", "predictions"} <= verdict["differences"]["repeat/seed-0"].keys()
    growth = verdict["per_seed"][0]["divergence"]["growth"]
    assert [(each["epoch"], each["step"]) for each in growth["steps"]] == [
        (0, step) for step in range(4)
    ]
    assert all(0 < each["relative"] <= 2 for each in growth["steps"])
    named = [each["variable"] for each in growth["first_variables"]]
    assert len(set(named)) == len(named) == 4
    assert growth["how"] == (
        "Taken in 2 further trainings from the original's inputs, with nothing varied."
    )
    assert "## How the difference grows" in (made.results / "augment" / "verdict.md").read_text()
    before = made.verdict("fitted")["per_seed"][0]["divergence"]["growth"]
    assert before["how"] == "Not taken, since the runs diverge before training."


@pytest.mark.slow
def test_only_verify_fails_where_a_claim_does_not_hold(unseeded):
    made, verified = unseeded
    assert verified.returncode == 1
    assert made.by_run("all", "--cores", "2").returncode == 0


@pytest.mark.slow
def test_the_patch_of_the_verdict_mends_the_experiment(unseeded):
    made, _ = unseeded
    patch = made.verdict("fitted")["causes"][0]["patch"]
    assert patch["verified_runs"] == 3
    page = (made.results / "fitted" / "verdict.md").read_text()
    assert {line.strip() for line in patch["diff"].splitlines()} <= {
        line.strip() for line in page.splitlines()
    }
    applying = ["patch", "-p1", "--forward"]
    subprocess.run(applying, cwd=made.folder, input=patch["diff"], text=True, check=True)
    data = [f"results/fitted/{run}/data.manifest.json" for run in ("original", "repeat")]
    done = made.run("--cores", "2", *data)
    assert done.returncode == 0, done.stdout
    original, repeat = ((made.folder / name).with_name("data") / "test/x.npy" for name in data)
    assert original.read_bytes() == repeat.read_bytes()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"trainig": {}}, "Did you mean `training`?"),
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


MIRRORED = """\
def model(settings, seeds):
    import tensorflow as tf

    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        return _model(settings, seeds)


def _model(settings, seeds):"""
WRONG = {
    "lengths": ('"y": table', '"y": table[1:]', "Expected the dataset's arrays to have one"),
    "function": ("def dataset", "def data", "Expected a function `dataset` in function.py."),
    "imports": ("import numpy as np", "import numpy as np\n1 / 0", "ZeroDivisionError (division"),
    "labels": (
        'astype("int32")', 'astype("float32") / 0 * 0', "Expected finite numbers in `y`",
    ),
    "leak": ("import numpy as np", "import numpy as np\nimport borrowed", "from outside it"),
    "changed": ("import", "import", "Expected the data"),
    "uncompiled": (
        "network.compile(", "(lambda *_, **__: None)(",
        "Expected `model` to return a compiled model.",
    ),
    "mirrored": (
        "def model(settings, seeds):", MIRRORED,
        "Received one that was made under MirroredStrategy. Make it outside",
    ),
}  # fmt: skip
LATER = ("uncompiled", "mirrored")
"""Those of which data are prepared all the same."""


@pytest.fixture(scope="module")
def wrong(new_project, tmp_path_factory):
    """A project with one mistake in each experiment, each of which was asked for its first run."""
    made = new_project("wrong")
    for name, (old, new, _) in WRONG.items():
        written(made, name, old, new)
    borrowed = tmp_path_factory.mktemp("elsewhere")
    (borrowed / "borrowed.py").write_text("SCALE = 1\n")
    path = f"import sys\nsys.path.append({str(borrowed)!r})\nimport borrowed\n"
    made.edit("import borrowed\n", path, "leak.py")
    entries = {name: made.entry(code=f"{name}.py") for name in WRONG}
    other = made.folder / "other.csv"
    other.write_text((made.folder / "table.csv").read_text() + "0,0,0,0,1\n")
    entries["changed"]["data"]["path"] = other.name
    made.configure(**entries)
    ends = {n: "seed-0/train" if n in LATER else "data" for n in WRONG}
    targets = [f"results/{name}/original/{end}.manifest.json" for name, end in ends.items()]
    result = made.run("--cores", "2", "--keep-going", *targets)
    assert result.returncode != 0
    assert "Traceback" not in result.stdout
    return made, result.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_told_in_a_sentence_with_its_log_and_leaves_nothing(wrong, name):
    made, said = wrong
    step = "train-0" if name in LATER else "prepare"
    folder = made.results / name / "original" / ("seed-0" if name in LATER else "")
    *_, sentence = WRONG[name]
    assert sentence in said, said
    log = f"logs/{name}/original/{step}.log"
    assert f"(Log: {log})" in said
    assert "Traceback" in (made.folder / log).read_text()
    assert [p for p in folder.rglob("*") if p.is_file()] == []


def test_a_module_from_elsewhere_is_named(wrong):
    assert "the module borrowed" in wrong[1]


def test_data_with_another_digest_are_told_with_both(wrong):
    made, said = wrong
    assert made.entry()["data"]["sha256"] in said
    assert sha256_file(made.folder / "other.csv") in said
