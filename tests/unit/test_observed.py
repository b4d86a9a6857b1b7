"""A factor counts as varied only where two processes see something else of what it changes."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from places import INPUTS, Place
from repro.core.factor_table import FACTORS
from repro.launch import variations
from repro.launch.observed import unseen
from repro.record.step import Step
from repro.verdict.evidence import factors_of
from samples import Fresh, step_of

SOURCE = """
import json
from repro.launch.observed import observed
print(json.dumps(observed({})))
"""


def seen(fresh: Fresh, **variables: str) -> dict[str, str]:
    done = fresh(SOURCE, **variables)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_c_is_no_other_locale_than_c_utf8(fresh: Fresh) -> None:
    plain = seen(fresh, LC_ALL="C", PYTHONUTF8="1", TZ="UTC")
    other = seen(fresh, LC_ALL="C.UTF-8", PYTHONUTF8="1", TZ="<+0900>-9")
    assert unseen(plain, other, ["locale", "time zone"]) == ["locale"]


@pytest.mark.skipif(not variations.installed_locales(), reason="no locale but C is installed")
def test_an_installed_locale_is_another_one(fresh: Fresh) -> None:
    name = variations.installed_locales()[0]
    assert seen(fresh, LC_ALL=name)["locale"] != seen(fresh, LC_ALL="C.UTF-8")["locale"]


def test_a_locale_that_the_step_cannot_find_is_no_other_one(fresh: Fresh, tmp_path: Path) -> None:
    lost = seen(fresh, LC_ALL="de_DE.UTF-8", LOCPATH=str(tmp_path))
    assert lost["locale"] == seen(fresh, LC_ALL="C.UTF-8")["locale"]


def test_what_cannot_be_asked_is_left_out_and_ends_no_step(fresh: Fresh) -> None:
    source = "import socket\nsocket.if_nameindex = None\n" + SOURCE
    done = fresh(source)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert "network" not in found
    assert "home" in found


def test_the_users_code_may_still_choose_its_temporary_folder(fresh: Fresh, tmp_path: Path) -> None:
    more = "import os, tempfile\nos.environ['TMPDIR'] = sys.argv[1]\nprint(tempfile.gettempdir())"
    done = fresh(f"import sys\n{SOURCE}{more}", str(tmp_path))
    assert done.stdout.splitlines()[-1] == str(tmp_path)


def test_where_no_locale_is_installed_that_is_said(place: Place) -> None:
    step = ("look", str(place.project), "1", *INPUTS)
    process = place.popen(("locale",), *step)
    process.communicate()
    nothing = place.project.parent / "no locales"
    nothing.mkdir()
    os.environ["LOCPATH"] = str(nothing)
    try:
        done = place.run(("locale",), *step)
    finally:
        del os.environ["LOCPATH"]
    told = json.loads(done.stdout)["factors"]
    assert told == [{"factor": "locale", "varied": False, "why": "no locale but C is installed"}]


def step(run: str, observed: dict[str, str], **process: Any) -> Step:
    told = {"factors": [], "observed": observed, **process}
    return step_of("train", run, 0, process=told)


VARIED = [
    {"factor": "locale", "varied": True, "how": "LC_ALL=xx"},
    {"factor": "home", "varied": True, "how": "HOME is a new folder"},
]


def test_what_looked_the_same_to_the_repeat_was_not_varied() -> None:
    original = step("original", {"locale": "1", "home": "2"})
    repeat = step("repeat", {"locale": "1", "home": "3"}, factors=VARIED)
    found = {entry["factor"]: entry for entry in factors_of([original, repeat], tuple(FACTORS))}
    assert found["home"] == VARIED[1]
    assert found["locale"]["varied"] is False
    assert "saw" in found["locale"]["why"]


def test_of_manifests_that_tell_nothing_of_it_the_word_of_the_launcher_holds() -> None:
    repeat = step("repeat", {}, factors=VARIED)
    found = factors_of([step("original", {}), repeat], tuple(FACTORS))
    assert [entry["factor"] for entry in found if entry["varied"]] == ["locale", "home"]
