"""The user's code: found, imported and called; a mistake in it is reported with its line."""

import json
import os
import py_compile
import sys
from pathlib import Path

import pytest
from repro.core.errors import UserError
from repro.data.prepared import call_model
from repro.data.user_code import load
from repro.launch.launcher import FACTORS

BOTH = "def dataset(data, settings, seeds): ...\ndef model(settings, seeds): ...\n"


def written(tmp_path: Path, text: str, name: str = "digits.py") -> Path:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as error:
        load(path)
    return str(error.value)


def test_a_file_is_loaded(tmp_path: Path) -> None:
    code = load(written(tmp_path, BOTH + "augment = None\n"))
    assert code.function("model") is not None
    assert code.function("augment") is None
    assert code.function("callbacks") is None


def test_a_folder_is_loaded_with_what_it_imports_from_itself(tmp_path: Path) -> None:
    written(tmp_path, "def dataset(data, settings, seeds): return 5\n", "mine/inner.py")
    path = written(
        tmp_path, "from .inner import dataset\ndef model(s, e): ...\n", "mine/__init__.py"
    )
    function = load(path.parent).function("dataset")
    assert function is not None
    assert function(1, 2, 3) == 5
    for name in [n for n in sys.modules if n.startswith("experiment")]:
        del sys.modules[name]


def test_missing_code_is_told(tmp_path: Path) -> None:
    assert "a Python file, at none.py. Received nothing" in refusal(tmp_path / "none.py")
    (tmp_path / "empty").mkdir()
    assert "a folder with an __init__.py, at empty" in refusal(tmp_path / "empty")


@pytest.mark.parametrize("name", ["dataset", "model"])
def test_a_missing_function_is_told(name: str, tmp_path: Path) -> None:
    sentence = refusal(written(tmp_path, BOTH.replace(f"def {name}(", "def other(")))
    assert f"Expected a function `{name}` in digits.py" in sentence
    assert f"Define `def {name}(...)`" in sentence
    assert f"`{name}`" in refusal(written(tmp_path, f"{BOTH}{name} = 5\n"))


TAKES = {
    "dataset(data, seeds, settings)": "`def dataset(data, settings, seeds)`. Received",
    "dataset(settings, seeds)": "`def dataset(data, settings, seeds)`. Received",
    "fit_preprocessing(train)": "`def fit_preprocessing(train, settings, seeds)`. Received",
    "model()": "`def model(settings, seeds)`; behind them `prepared` and `pretrained`, if wanted.",
    "model(seeds, settings)": "`def model(settings, seeds)`; behind",
    "model(settings, prepared, seeds)": "`def model(settings, seeds)`; behind",
    "model(settings, seeds, first, second)": "`def model(settings, seeds)`; behind",
    "model(settings, seeds, prepared, width)": "`def model(settings, seeds)`; behind",
    "callbacks(settings, seeds, model)": "`def callbacks(settings, seeds)`. Received",
    "class_weight(settings, y)": "`def class_weight(y, settings)`. Received",
}


@pytest.mark.parametrize("signature", TAKES)
def test_a_function_that_takes_something_else_is_told(signature: str, tmp_path: Path) -> None:
    sentence = refusal(written(tmp_path, f"{BOTH}def {signature}: ...\n"))
    assert f"Expected {TAKES[signature]}" in sentence
    assert f"Received `def {signature}` in digits.py" in sentence
    assert sentence.endswith("Give it these parameters, in this order.")


@pytest.mark.parametrize(
    "signature",
    [
        "model(s, e)", "model(settings, seeds, width=3)", "model(*given, **named)",
        "model(settings, seeds, /, data)", "model(settings, seeds, pretrained, data)",
        "model(settings, seeds, *, pretrained=None, prepared)", "dataset(path, _, __)",
        "class_weight(train_targets, settings)",
    ],
)  # fmt: skip
def test_names_are_the_users_own(signature: str, tmp_path: Path) -> None:
    load(written(tmp_path, f"{BOTH}def {signature}: ...\n"))


DECORATED = """\
import functools
def scaled(function):
    @functools.wraps(function)
    def given(settings, seeds):
        return function(settings, seeds, 3, 4)
    return given
@scaled
def model(settings, seeds, width, depth):
    return width + depth
"""


def test_a_decorator_may_give_some_of_the_parameters(tmp_path: Path) -> None:
    model = load(written(tmp_path, BOTH + DECORATED)).function("model")
    assert model is not None
    assert call_model(model, {}, None, tmp_path) == 7


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "x = 1\ndef f(:\n",
            "SyntaxError (invalid syntax (digits.py, line 2)) at digits.py, line 2",
        ),
        ("\n\n1 / 0\n", "ZeroDivisionError (division by zero) at digits.py, line 3"),
        ("raise ValueError\n", "ValueError (no message) at digits.py, line 1"),
        (
            "raise ValueError('one\\ntwo')\n",
            "one\ntwo\nExpected the import of the experiment's code to run. Received ValueError "
            "(one …; the whole message is above) at digits.py, line 1. ",
        ),
        ("import sys\nsys.exit(0)\n", "SystemExit (0) at digits.py, line 2"),
    ],
)
def test_a_failing_import_is_told_with_its_line(text: str, words: str, tmp_path: Path) -> None:
    sentence = refusal(written(tmp_path, text + BOTH))
    assert "Expected the import of the experiment's code to run." in sentence
    assert words in sentence
    assert sentence.endswith("Mend the code.")


def test_the_line_is_told_for_any_way_of_naming_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, "1 / 0\n")
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    for path in (Path("../digits.py"), tmp_path / "sub" / ".." / "digits.py"):
        assert "at digits.py, line 1" in refusal(path)


def test_the_file_within_a_folder_is_told(tmp_path: Path) -> None:
    written(tmp_path, "x = 1\ny = (\n", "mine/inner.py")
    path = written(tmp_path, "from . import inner\n", "mine/__init__.py")
    assert "inner.py, line 2" in refusal(path.parent)


def test_a_failing_call_is_told_with_the_users_own_line(tmp_path: Path) -> None:
    text = BOTH.replace("model(settings, seeds): ...", "model(settings, seeds):\n  import json\n"
                        "  return json.loads(settings)")  # fmt: skip
    code = load(written(tmp_path, text))
    function = code.function("model")
    assert function is not None

    def call() -> None:
        with code.blamed("model"):
            function("{", None)

    with pytest.raises(UserError, match=r"`model` of .* JSONDecodeError .* at digits\.py, line 4"):
        call()


def test_a_sentence_passes_as_it_is(tmp_path: Path) -> None:
    code = load(written(tmp_path, BOTH))

    def call() -> None:
        with code.blamed("model"):
            raise UserError("A sentence.")

    with pytest.raises(UserError, match=r"^A sentence\.$"):
        call()


def test_a_variable_that_no_step_sees_is_told_with_where_to_name_it(tmp_path: Path) -> None:
    said = refusal(written(tmp_path, f"import os\nos.environ['NO_SUCH_THING']\n{BOTH}"))
    assert said.startswith("Expected the environment variable NO_SUCH_THING. Received a step")
    assert "digits.py, line 2" in said
    assert "`environment_variables`" in said
    assert "KeyError ('a') at" in refusal(written(tmp_path, f"dict()['a']\n{BOTH}"))


@pytest.mark.parametrize(
    ("factor", "line", "hint"),
    [
        ("caches", "open('a.csv')", "sees nothing but its declared inputs"),
        ("working directory", "import beside", "sees nothing but its declared inputs"),
        ("network", "urllib.request.urlopen('http://localhost:1')", "has no network"),
        ("network", "raise Exception('fetch') from ConnectionError()", "has no network"),
        ("paths", "raise OSError(30, 'Read-only file system')", "may not write"),
    ],
)
def test_what_a_variation_may_have_to_do_with_an_error_is_told(
    factor: str, line: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, f"import urllib.request\n{line}\n{BOTH}")
    assert hint not in refusal(path)
    entry = {"factor": factor, "varied": True, "how": "so"}
    monkeypatch.setenv(FACTORS, json.dumps([entry]))
    assert hint in refusal(path)
    monkeypatch.setenv(FACTORS, json.dumps([{**entry, "factor": "clock"}]))
    assert hint not in refusal(path)
    monkeypatch.setenv(FACTORS, json.dumps([{**entry, "varied": False}]))
    assert hint not in refusal(path)


@pytest.mark.parametrize("name", ["digits.py", "digits/inner.py"])
def test_a_compiled_file_never_stands_in_for_its_source(name: str, tmp_path: Path) -> None:
    path = written(tmp_path, f"{BOTH}VALUE = 1\n", name)
    if path.name == "inner.py":
        path.with_name("__init__.py").write_text("from experiment.inner import *\n")
    py_compile.compile(str(path))
    before = path.stat()
    path.write_text(path.read_text().replace("VALUE = 1", "VALUE = 2"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # size and time as compiled
    sys.modules.pop("experiment.inner", None)
    code = load(path if path.name == "digits.py" else path.parent)
    assert code.module.VALUE == 2
