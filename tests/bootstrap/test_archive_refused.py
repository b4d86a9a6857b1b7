"""./run rerun --check-only: whatever was altered is refused with a sentence, and leaves nothing."""

import io
import json
import os
import random
import shutil
import stat
import struct
import subprocess
import sys
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from repro.archive import zip_reader
from repro.archive.open_archive import accepted, unpack
from repro.core.canonical_json import pretty
from repro.core.digest import sha256_bytes
from repro.core.errors import UserError
from repro.record.statement import sealed
from small_archive import Infos, Members, forge, guide, info, members, reseal, rezip

ROOT = Path(__file__).parents[2]
SEED = "results/tiny/original/seed-0"
WEIGHTS, METRICS = f"{SEED}/weights.safetensors", f"{SEED}/metrics.json"
TRAINING = "workflow/lib/repro/model/training.py"
CONFIGURATION, METADATA = "config/config.yaml", "ro-crate-metadata.json"
CODE, VERDICT = "results/code.manifest.json", "results/tiny/verdict.manifest.json"
PAGE = "results/tiny/report.manifest.json"


def refused(path: Path, words: str, folder: Path) -> None:
    """It is refused so, whether it is only looked at or unpacked, and nothing comes of it."""
    before = sorted(folder.rglob("*"))
    with pytest.raises(UserError, match=words) as raised, accepted(path):
        pass
    assert "\n" not in str(raised.value)
    with pytest.raises(UserError, match=words):
        unpack(path, folder / "out")
    assert sorted(folder.rglob("*")) == before


# --- what is in it, with everything adapted that can be made again from it


def swapped(content: Members) -> None:
    content[WEIGHTS], content[METRICS] = content[METRICS], content[WEIGHTS]


def recorded_anew(content: Members) -> None:
    """Other code, and a manifest of the programs that says so."""
    content[TRAINING] = b"EPOCHS = 4\n"

    def change(value: Any) -> None:
        used = value["predicate"]["buildDefinition"]["resolvedDependencies"]
        next(u for u in used if u.get("name") == TRAINING)["digest"]["sha256"] = sha256_bytes(
            content[TRAINING]
        )

    reseal(content, CODE, change)


def asked(key: str, value: Any) -> Callable[[Members], None]:
    def change(content: Members) -> None:
        said = json.loads(content[CONFIGURATION])
        place = said["experiments"]["tiny"]
        *way, last = key.split(".")
        for part in way:
            place = place[part]
        place[last] = value
        content[CONFIGURATION] = pretty(said).encode()

    return change


def later(content: Members) -> None:
    reseal(content, f"{SEED}/train.manifest.json", _later)


def _later(value: Any) -> None:
    value["predicate"]["runDetails"]["metadata"]["finishedOn"] = "2031-01-01T00:00:00Z"


def judged_otherwise(
    content: Members, change: Callable[[Any], Any], text: bytes | None = None
) -> None:
    """Another manifest of the verdict, and that of its page adapted."""
    before = sha256_bytes(content[VERDICT])
    content[VERDICT] = text or content[VERDICT]
    reseal(content, VERDICT, change)
    now = sha256_bytes(content[VERDICT])
    content[PAGE] = content[PAGE].replace(before.encode(), now.encode())
    reseal(content, PAGE, lambda value: None)


def forgotten(start: str) -> Callable[[Members], None]:
    """A verdict that does not say what it rests on: then nothing could differ from it."""

    def change(value: Any) -> None:
        used = value["predicate"]["buildDefinition"]["resolvedDependencies"]
        used[:] = [one for one in used if not one.get("name", "").startswith(start)]

    return lambda content: judged_otherwise(content, change)


def summed_otherwise(content: Members) -> None:
    def change(value: Any) -> None:
        called = value["predicate"]["buildDefinition"]["externalParameters"]
        called["parameters_sha256"] = "0" * 64

    judged_otherwise(content, change)


def steered(content: Members) -> None:
    """A configuration that says more than what an experiment is."""
    value = json.loads(content[CONFIGURATION])
    content[CONFIGURATION] = pretty({**value, "judge": "mine.pyz"}).encode()


def told_otherwise(content: Members) -> None:
    content["HOW-TO-CHECK.txt"] += b"Trust me.\n"


def said(**changed: Any) -> Callable[[Members], None]:
    def change(content: Members) -> None:
        content["archive.json"] = pretty(
            {**json.loads(content["archive.json"]), **changed}
        ).encode()

    return change


def added(name: str, text: bytes = b"x") -> Callable[[Members], None]:
    return lambda content: content.update({name: text})


def gone(*names: str) -> Callable[[Members], None]:
    def change(content: Members) -> None:
        for name in names:
            del content[name]

    return change


def program(content: Members) -> None:
    """Another program, claimed by a manifest made again."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        zipped.writestr("__main__.py", "print('mine')\n")
    content["results/code.pyz"] = buffer.getvalue()

    def change(value: Any) -> None:
        subject = next(s for s in value["subject"] if s["name"] == "code.pyz")
        subject["digest"]["sha256"] = sha256_bytes(content["results/code.pyz"])

    reseal(content, CODE, change)


def claimed(content: Members, program: bytes) -> None:
    """Another code.pyz, and every manifest adapted that speaks of it, or of one that does."""
    changed = {sha256_bytes(content["results/code.pyz"]): sha256_bytes(program)}
    content["results/code.pyz"] = program
    steps = ("code", "data", "train", "evaluate", "probe", "verdict", "report")
    names = [n for step in steps for n in content if n.endswith(f"{step}.manifest.json")]
    for name in names:
        before, text = sha256_bytes(content[name]), content[name].decode()
        for then, now in changed.items():
            text = text.replace(then, now)
        content[name] = text.encode()
        reseal(content, name, lambda value: None)
        changed[before] = sha256_bytes(content[name])


def two_lists(content: Members) -> None:
    """A program that `zipfile` reads by one list, and Python's own importer by another."""
    good = content["results/code.pyz"]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        zipped.writestr(zipfile.ZipInfo("__main__.py"), "print('evil')\n")
    evil = buffer.getvalue()[: buffer.getvalue().rindex(b"PK\5\6")]
    start, end = _list(good), good.rindex(b"PK\5\6")
    listed = bytearray(good[start:end])
    number, place = 0, 0
    while place < len(listed):
        inner = struct.unpack_from("<3H", listed, place + 28)
        (local,) = struct.unpack_from("<L", listed, place + 42)
        struct.pack_into("<L", listed, place + 42, local + len(evil))
        number, place = number + 1, place + 46 + sum(inner)
    body = evil + good[:start] + bytes(listed)
    sizes = (number, number, len(listed), len(evil) + start)
    large = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, *sizes)
    end64 = large + struct.pack("<4sLQL", b"PK\6\7", 0, len(body), 1)
    first = evil.index(b"PK\1\2")
    size = len(body) + len(end64) - first
    last = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, size, first, 0)
    claimed(content, body + end64 + last)


def unrepeated(content: Members) -> None:
    forgotten("repeat/")(content)
    for name in [name for name in content if name.startswith("results/tiny/repeat/")]:
        del content[name]


FORGED: dict[str, tuple[Callable[[Members], Any], str]] = {
    "results exchanged": (swapped, f"Received: changed +{METRICS} "),
    "weights altered": (added(WEIGHTS, b"v" * 50), f"Received: changed +{WEIGHTS} "),
    "verdict altered": (
        added("results/tiny/verdict.json", b'{"verdict": "met", "sentence": "Best."}'),
        "Received: changed +results/tiny/verdict.json ",
    ),
    "code altered": (added(TRAINING, b"EPOCHS = 4\n"), f"{TRAINING} is not what the programs were"),
    "code altered, and recorded so": (
        recorded_anew, "results/code.pyz holds another repro/model/training.py than the sources",
    ),
    "program exchanged, and recorded so": (program, "results/code.pyz is changed|holds another"),
    "a program that Python reads otherwise": (
        two_lists, "results/code.pyz is packed otherwise than from the sources",
    ),
    "a program with a script before it": (
        lambda c: claimed(c, b"print('evil')\n" + c["results/code.pyz"]), "is packed otherwise",
    ),
    "a rule altered": (
        added("workflow/rules/code.smk", b"rule code:\n"), "workflow/rules/code.smk is not what",
    ),
    "the lock altered": (added("conda-lock.yml", b"package: []\n"), "conda-lock.yml is "),
    "the experiment altered": (added("tiny/layers.py", b"SIZE = 4\n"), "tiny/layers.py is changed"),
    "the raw data altered": (added("raw data.csv", b"1,2\n"), "raw data.csv is changed"),
    "more epochs asked for": (
        asked("training.epochs", 7), f"{CONFIGURATION}: training is not what {SEED}/train",
    ),
    "a last batch left out": (
        asked("training.drop_remainder", True), f"{CONFIGURATION}: training is not what {SEED}/tr",
    ),
    "classes weighed": (
        asked("training.class_weight", {"0": 2}), f"{CONFIGURATION}: training is not what {SEED}/t",
    ),
    "the best epoch asked for": (
        asked("training.best_epoch", {"monitor": "val_loss", "mode": "min"}),
        f"{CONFIGURATION}: training is not what {SEED}/train",
    ),
    "an environment variable seen": (
        asked("environment_variables", ["TOKEN"]), f"{CONFIGURATION}: environment_variables is not",
    ),
    "weights from elsewhere": (
        asked("pretrained", {"path": "raw data.csv", "sha256": "0" * 64}),
        f"{CONFIGURATION}: pretrained is not what {SEED}/evaluate",
    ),
    "another goal": (asked("goal", "metrics"), f"{CONFIGURATION}: goal is not what"),
    "another seed": (asked("seeds", [1]), f"{CONFIGURATION}: seeds? is not what"),
    "another setting": (asked("settings", {"a": 1}), f"{CONFIGURATION}: settings is not what"),
    "other circumstances varied": (
        asked("factors", {"clock": False}), f"{CONFIGURATION}: factors is not what",
    ),
    "another environment": (
        asked("environment", "keras-cuda"), f"{CONFIGURATION}: environment is not what",
    ),
    "a key of the configuration gone": (
        lambda c: c.update({CONFIGURATION: b'{"experiments": {"tiny": {}}}'}),
        "a content that cannot be read",
    ),
    "another time in a manifest": (later, "train.manifest.json is changed .* later step used"),
    "a verdict that rests on nothing": (forgotten(""), "does not say"),
    "a verdict that rests on no repeat": (
        forgotten("repeat/"), "the verdict does not say that it rests on results/tiny/repeat/",
    ),
    "a verdict by no judge": (forgotten("judge"), f"{VERDICT} does not say which judge it used"),
    "a verdict of other parameters": (summed_otherwise, "has another parameters_sha256"),
    "a configuration of more than experiments": (steered, "has the key 'judge'"),
    "a manifest altered": (
        added(CODE, b"{}"), "damaged +results/code.manifest.json|cannot be read",
    ),
    "a manifest nested without end": (
        added(f"{SEED}/train.manifest.json", b"[" * 100_000), "nested|cannot be read|damaged",
    ),
    "the description altered": (
        added(METADATA, b"{}"), f"{METADATA} is not what the other files make of it",
    ),
    "the page altered": (told_otherwise, "HOW-TO-CHECK.txt is not what the other files make of it"),
    "the sums altered": (added("SHA256SUMS", b""), "SHA256SUMS is not the list of the files"),
    "weights gone": (gone(WEIGHTS), f"Received: missing +{WEIGHTS} "),
    "a step gone with its manifest": (
        gone(WEIGHTS, f"{SEED}/trace.jsonl", f"{SEED}/train.manifest.json"),
        "train.manifest.json is missing",
    ),
    "the verdict gone with its manifest": (
        gone("results/tiny/verdict.json", "results/tiny/verdict.md", VERDICT),
        f"{VERDICT}: it is missing",
    ),
    "the licence gone": (gone("LICENSE"), "LICENSE is missing"),
    "a source gone": (gone(TRAINING), f"{TRAINING} is not what the programs were made from"),
    "the raw data gone": (gone("raw data.csv"), "raw data.csv is missing"),
    "the index gone": (gone("archive.json"), "archive.json is missing"),
    "a result added": (added("results/odd.npy"), "unclaimed +results/odd.npy"),
    "a file added": (added("sitecustomize.py"), "sitecustomize.py is there, which nothing"),
    "a tool added": (added(".tools/bin/snakemake"), ".tools/bin/snakemake is there, which nothing"),
    "a compiled module added": (
        added("bootstrap/__pycache__/tools.pyc"), "bootstrap/__pycache__/.* is there, which",
    ),
    "a compiled module added to a room": (
        added("bootstrap/conda/__pycache__/lock.pyc"), "bootstrap/conda/.* is there, which",
    ),
    "a profile added": (
        added("workflow/profiles/default/config.yaml"), "workflow/profiles/.* is there, which",
    ),
    "a package added": (
        added("packages/pypi/evil-1-py3-none-any.whl"), "evil.*is there, and archive.json says",
    ),
    "a package of nobody": (
        lambda c: (said(packages=True)(c), added("packages/pypi/evil.whl")(c), guide(c)),
        "evil.whl is no package of the manifests",
    ),
    "packages promised": (
        lambda c: (said(packages=True)(c), guide(c)), "the package pkg:pypi/numpy@2.4.6 is missing",
    ),
    "the code left out": (
        lambda c: (said(left_out=["tiny"])(c), gone("tiny/__init__.py", "tiny/layers.py")(c)),
        "tiny is left out and no raw data",
    ),
    "the lock altered, and said to be left out": (
        lambda c: (said(left_out=["conda-lock.yml"])(c), added("conda-lock.yml")(c)),
        "conda-lock.yml is left out and no raw data",
    ),
    "raw data altered, and said to be left out": (
        lambda c: (said(left_out=["raw data.csv"])(c), added("raw data.csv")(c), guide(c)),
        "raw data.csv is changed",
    ),
    "a newer format": (
        said(format=2), "Expected an archive in format 1 or older. Received format 2, of a newer",
    ),
    "a format before the first": (said(format=0), "Expected archive.json to say how to read"),
    "a format that equals the first": (said(format=True), "Expected archive.json to say how to"),
    "a format with a point": (said(format=1.0), "Expected archive.json to say how to read"),
    "a repeat gone, and the verdict adapted": (
        unrepeated, "results/tiny/repeat/data.manifest.json is missing, which config/config.yam",
    ),
    "a configuration laid out otherwise": (
        lambda c: c.update({CONFIGURATION: b" " + c[CONFIGURATION]}), "is written otherwise than",
    ),
    "left out twice": (
        lambda c: (said(left_out=["raw data.csv"] * 2)(c), gone("raw data.csv")(c)),
        "Expected archive.json to say how to read",
    ),
    "an index of something else": (added("archive.json", b"[]"), "Expected archive.json to say"),
}  # fmt: skip


@pytest.mark.parametrize("case", FORGED)
def test_what_was_forged_with_all_sums_adapted_is_refused(
    case: str, sound: Path, tmp_path: Path
) -> None:
    change, words = FORGED[case]
    refused(forge(sound, change, tmp_path / "forged.crate.zip"), words, tmp_path)


def test_what_forges_changes_nothing_by_itself(sound: Path, tmp_path: Path) -> None:
    """Else the tests above would show nothing."""
    again = forge(sound, lambda _: None, tmp_path / "again.crate.zip")
    assert again.read_bytes() == sound.read_bytes()
    assert rezip(sound, lambda _: None, tmp_path / "b.zip").read_bytes() == sound.read_bytes()


# --- how it is written


def more(name: str, **kind: int) -> Callable[[Infos], Any]:
    return lambda infos: infos.append((info(name, **kind), b"x"))


def header(**changed: Any) -> Callable[[Infos], Any]:
    """The same content, under another header."""

    def change(infos: Infos) -> None:
        for key, value in changed.items():
            setattr(infos[5][0], key, value)

    return change


def bomb(infos: Infos) -> None:
    made = info("results/zeros")
    made.compress_type = zipfile.ZIP_DEFLATED
    infos.insert(5, (made, bytes(10**8)))


ODD_ZIPS: dict[str, tuple[Callable[[Infos], Any], str]] = {
    "a way out": (more("../evil"), "'../evil', which leads out of the folder"),
    "a way out by the middle": (more("a/../../evil"), "which leads out of the folder"),
    "a root": (more("/etc/evil"), "'/etc/evil', which starts at the root of the disk"),
    "a backslash": (more("..\\evil"), "which has a backslash or a colon"),
    "a drive": (more("C:evil"), "which has a backslash or a colon"),
    "a link": (more("link", kind=stat.S_IFLNK), "'link', which is a link"),
    "a device": (more("device", kind=stat.S_IFCHR), "'device', which is no plain file"),
    "a pipe": (more("pipe", kind=stat.S_IFIFO), "'pipe', which is no plain file"),
    "a folder": (more("folder/", kind=stat.S_IFDIR), "'folder', which is no plain|'folder/'"),
    "a control character": (more("a\nb"), "which has characters that cannot be shown"),
    "a dot": (more("./run"), "which is no plain path of a file"),
    "an endless name": (more("a" * 300), "which is too long"),
    "endless folders": (more("a/" * 400 + "b"), "which lies more than 29 folders deep"),
    "another Unicode form": (
        more(unicodedata.normalize("NFD", "é")), "which is not in Unicode's normal form",
    ),
    "one name twice": (more("run"), "Expected each file of an archive once. Received 'run' twice"),
    "one name in another case": (more("RUN"), "Received 'RUN' and 'run', which are one place"),
    "one folder in another case": (more("Results/x"), "'Results' and 'results', which are one"),
    "one name in another width": (more("ｒun"), "which are one place on some systems"),
    "a file in a file": (more("run/x"), "'run/x' below 'run', which is a file"),
    "compressed": (header(compress_type=zipfile.ZIP_DEFLATED), "which is compressed, where every"),
    "a bomb": (bomb, "which is compressed, where every member is stored"),
    "another order": (lambda infos: infos.insert(3, infos.pop(9)), "not at its place in the order"),
    "another date": (header(date_time=(2020, 1, 1, 0, 0, 0)), "other bytes than this workflow"),
    "other rights": (header(external_attr=(stat.S_IFREG | 0o4755) << 16), "other bytes than this"),
    "another system": (header(create_system=0), "other bytes than this"),
    "a remark": (header(comment=b"hello"), "other bytes than this workflow writes"),
    "an extra field": (header(extra=b"\x99\x99\x02\x00ab"), "other bytes than this workflow"),
    "a flag": (header(internal_attr=1), "other bytes than this workflow writes"),
}  # fmt: skip


@pytest.mark.parametrize("case", ODD_ZIPS)
def test_what_the_writer_would_not_have_written_is_refused(
    case: str, sound: Path, tmp_path: Path
) -> None:
    change, words = ODD_ZIPS[case]
    twice = pytest.warns(UserWarning, match="Duplicate name")
    with twice if case == "one name twice" else nullcontext():
        path = rezip(sound, change, tmp_path / "odd.crate.zip")
    refused(path, words, tmp_path)


Patch = Callable[[bytes], bytes]


def _list(content: bytes) -> int:
    """Where the list at the end begins: the programs are zips too, and have one each."""
    (place,) = struct.unpack("<L", content[-6:-2])
    return place


def _central(content: bytes, number: int = 5) -> int:
    """Where the entry of a member begins in the list at the end."""
    place = _list(content)
    for _ in range(number):
        place = content.index(b"PK\x01\x02", place + 4)
    return place


def _put(content: bytes, place: int, new: bytes) -> bytes:
    return content[:place] + new + content[place + len(new) :]


def lying(content: bytes) -> bytes:
    """Both sizes of a member, as the list has them, are four gigabytes."""
    return _put(content, _central(content) + 20, struct.pack("<LL", 4 * 10**9, 4 * 10**9))


def overlapping(content: bytes) -> bytes:
    """A member of the list lies where another one does."""
    first = content[_central(content, 4) + 42 : _central(content, 4) + 46]
    return _put(content, _central(content, 5) + 42, first)


def gap(content: bytes) -> bytes:
    """Something between the members and their list, which says where it is all the same."""
    start, end = _list(content), content.rindex(b"PK\x05\x06")
    moved = struct.pack("<L", start + 4)
    return content[:start] + b"evil" + content[start : end + 16] + moved + content[end + 20 :]


def other_name_inside(content: bytes) -> bytes:
    (local,) = struct.unpack("<L", content[_central(content) + 42 : _central(content) + 46])
    return _put(content, local + 30, b"X")


def encrypted(content: bytes) -> bytes:
    return _put(content, _central(content) + 8, b"\x01\x00")


ODD_BYTES: dict[str, tuple[Patch, str]] = {
    "data before it": (lambda c: b"#!/bin/sh\n" + c, "other bytes than this workflow writes"),
    "data behind it": (lambda c: c + b"evil", "there is more behind its end|not a zip|other bytes"),
    "another archive behind it": (lambda c: c + c, "Expected a whole archive of this workflow"),
    "a remark on the whole": (
        lambda c: c[:-2] + b"\x04\x00evil", "there is more behind its end|other bytes",
    ),
    "sizes that lie": (lying, "members of 4\\d{9} bytes in a file of \\d+"),
    "members that overlap": (overlapping, "other bytes|File name in directory"),
    "a gap": (gap, "other bytes than this workflow writes"),
    "another name in the member's own header": (other_name_inside, "File name in directory"),
    "encrypted": (encrypted, "which is encrypted"),
    "cut off": (lambda c: c[: len(c) // 2], "Expected a whole archive"),
    "without its first byte": (lambda c: c[1:], "Expected a whole archive"),
    "empty": (lambda _: b"", "File is not a zip file"),
    "something else": (lambda _: b"PK" * 1000, "File is not a zip file"),
}  # fmt: skip


@pytest.mark.parametrize("case", ODD_BYTES)
def test_what_lies_about_itself_is_refused(case: str, sound: Path, tmp_path: Path) -> None:
    patch, words = ODD_BYTES[case]
    (tmp_path / "odd.crate.zip").write_bytes(patch(sound.read_bytes()))
    refused(tmp_path / "odd.crate.zip", words, tmp_path)


def test_more_members_than_anyone_needs_are_refused(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zip_reader, "MOST_MEMBERS", 10)
    refused(sound, r"members where 10 are the most", tmp_path)
    monkeypatch.setattr(zip_reader, "LARGEST_DIRECTORY", 1000)
    refused(sound, r"a list of members of \d+ bytes", tmp_path)


def test_a_member_too_large_to_be_held_in_memory_is_refused(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zip_reader, "LARGEST_READ", 1000)
    refused(sound, r"Expected at most 1000 bytes in ", tmp_path)


def test_no_file_and_no_room_are_told(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused(tmp_path / "none.crate.zip", "Expected an archive at .* Received no file", tmp_path)
    refused(tmp_path, "Expected an archive at .* Received no file", tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 2, 7))
    with pytest.raises(UserError, match=r"Expected \d+ free bytes at .* Received 7"):
        unpack(sound, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.crate.zip")
    refused(tmp_path / "pipe.crate.zip", "Expected an archive at .* Received no file", tmp_path)


def test_what_the_system_refuses_is_told(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused(tmp_path / ("a" * 300), "Expected an archive at .* from the system: File na", tmp_path)
    with pytest.raises(UserError, match=r"Expected to write .* from the system: File name too lo"):
        unpack(sound, tmp_path / ("a" * 300))

    def closed(*_: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", closed)  # of whom root may not be one
    with pytest.raises(UserError, match="from the system: Permission denied"), accepted(sound):
        pass


def _surrogate(content: Members) -> None:
    """A verdict that no text file can quote, and a manifest that says so."""
    verdict = "results/tiny/verdict.json"
    before = sha256_bytes(content[verdict])
    content[verdict] = b'{"sentence": "\\ud800"}'
    now = sha256_bytes(content[verdict])
    text = content[VERDICT].replace(before.encode(), now.encode())
    judged_otherwise(content, lambda value: None, text)


def test_300_random_bytes_are_all_refused(sound: Path, tmp_path: Path) -> None:
    content, path = bytearray(sound.read_bytes()), tmp_path / "changed.crate.zip"
    chance = random.Random(0)
    missed: list[tuple[int, int]] = []
    for _ in range(300):
        place, flip = chance.randrange(len(content)), chance.randrange(1, 256)
        content[place] ^= flip
        path.write_bytes(content)
        try:
            with accepted(path):
                missed.append((place, flip))
        except UserError:
            pass
        content[place] ^= flip
    assert missed == []
    assert bytes(content) == sound.read_bytes()


@pytest.mark.slow
def test_every_bit_of_every_header_is_held_against_the_writer(sound: Path, tmp_path: Path) -> None:
    """Random bytes fall into contents mostly; these are one member's headers and the end."""
    original, path = sound.read_bytes(), tmp_path / "changed.crate.zip"
    central, end = _central(original), original.rindex(b"PK\x05\x06")
    (local,) = struct.unpack("<L", original[central + 42 : central + 46])
    places = [*range(local, local + 30), *range(central, central + 46), *range(end, len(original))]
    missed: list[tuple[int, int]] = []
    for place in places:
        for bit in range(8):
            path.write_bytes(_put(original, place, bytes([original[place] ^ 1 << bit])))
            try:
                with accepted(path):
                    missed.append((place, bit))
            except UserError:
                pass
    assert missed == []


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_whatever_is_cut_out_or_put_in_is_refused(
    data: st.DataObject, sound: Path, tmp_path: Path
) -> None:
    content, path = sound.read_bytes(), tmp_path / "cut.crate.zip"
    start = data.draw(st.integers(0, len(content) - 1))
    end = data.draw(st.one_of(st.just(len(content)), st.integers(start, len(content))))
    instead = data.draw(st.binary(max_size=20))
    changed = content[:start] + instead + content[end:]
    if changed == content:
        return
    path.write_bytes(changed)
    with pytest.raises(UserError), accepted(path):
        pass


JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9),
    st.sampled_from([[], {}, [[]], {"sha256": None}, "../../x", 10**400, "\x1b[2J", "9" * 5000]),
)  # fmt: skip


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in parts:
        yield (*at, key)
        if isinstance(part, dict | list):
            yield from _places(part, (*at, key))


@pytest.mark.slow
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_whatever_a_text_says_is_accepted_or_refused_in_a_sentence(
    data: st.DataObject, sound: Path, tmp_path: Path
) -> None:
    """Any value of any JSON in it replaced, and all sums adapted."""

    def change(content: Members) -> None:
        texts = {n: c for n, c in content.items() if n.endswith(".json") and c.strip() != b"{}"}
        name = data.draw(st.sampled_from([CONFIGURATION, *sorted(texts)]))
        value = json.loads(content[name])
        *way, last = data.draw(st.sampled_from(list(_places(value))))
        at = value
        for key in way:
            at = at[key]
        if data.draw(st.booleans()):
            at[last] = data.draw(JUNK)
        else:
            del at[last]
        with suppress(Exception):  # what cannot be sealed stays unsealed
            value["predicate"]["repro_record"]["sha256"] = sealed(value)
        content[name] = json.dumps(value).encode()
        with suppress(ValueError):
            content[name] = pretty(value).encode()

    path = forge(sound, change, tmp_path / "forged.crate.zip")
    with suppress(UserError), accepted(path):
        pass


def _nested(content: Members) -> None:
    content["results/tiny/original/data.manifest.json"] = b"[" * 200_000 + b"]" * 200_000


def _encrypted(content: Members) -> None:
    name = "results/judge.pyz"
    before, program = sha256_bytes(content[name]), bytearray(content[name])
    program[program.index(b"PK\x01\x02") + 8] |= 1
    content[name] = bytes(program)
    now = sha256_bytes(content[name])
    content[CODE] = content[CODE].replace(before.encode(), now.encode())
    reseal(content, CODE, lambda value: None)
    text = content[VERDICT].replace(before.encode(), now.encode())
    judged_otherwise(content, lambda value: None, text)


@pytest.mark.parametrize("change", [_nested, _encrypted, _surrogate])
def test_what_the_standard_library_chokes_on_is_told(
    change: Callable[[Members], None], sound: Path, tmp_path: Path
) -> None:
    path = forge(sound, change, tmp_path / "forged.crate.zip")
    with pytest.raises(UserError, match=r"Expected an archive whose files .* say of one another"):
        unpack(path, tmp_path / "out")
    assert list(tmp_path.iterdir()) == [path]


def test_a_bare_python_is_enough_and_the_status_tells(sound: Path, tmp_path: Path) -> None:
    """No site-packages, no tools: the standard library of Python 3.11 alone."""
    command = [sys.executable, "-I", "-S", "-B", str(ROOT / "bootstrap"), "rerun"]
    done = subprocess.run(
        [*command, str(sound), "--check-only"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "experiment tiny, without packages" in done.stdout
    changed = sound.read_bytes().replace(b"EPOCHS = 3", b"EPOCHS = 4", 1)
    (tmp_path / "changed.crate.zip").write_bytes(changed)
    done = subprocess.run(
        [*command, str(tmp_path / "changed.crate.zip"), "--check-only"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Expected a whole archive of this workflow. Received: ")
    assert [path.name for path in tmp_path.iterdir()] == ["changed.crate.zip"]


def test_members_are_what_the_standard_library_reads(sound: Path) -> None:
    with accepted(sound) as inside:
        assert {name: inside.read(name) for name in inside.kept} == members(sound)
