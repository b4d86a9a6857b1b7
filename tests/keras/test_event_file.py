"""What TensorBoard reads of a training: from its history and trace, the same bytes each time."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from repro.record import event_file

HISTORY = "epoch,loss,val_loss\n0,2.25,\n1,1.5,0.75\n"


def bits(*numbers: float) -> str:
    return struct.pack(f">{len(numbers)}d", *numbers).hex()


def trained(folder: Path, steps: int, *rates: float) -> Path:
    """What a training of two epochs writes."""
    folder.mkdir()
    lines: list[dict[str, Any]] = [{"version": 1, "variables": ["step"]}]
    for epoch in range(2):
        for step in range(steps):
            row = {"epoch": epoch, "step": step, "loss": bits(step + epoch / 2), "lr": bits(*rates)}
            lines.append(row)
        lines.append({"epoch": epoch, "weights": {"step": "0f"}})  # a variable by that name
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    (folder / "trace.jsonl").write_text(text)
    (folder / "history.csv").write_text(HISTORY)
    return folder


def shown(folder: Path) -> dict[str, dict[int, float]]:
    """Every scalar of the event file, by tag and step."""
    import tensorflow as tf

    found: dict[str, dict[int, float]] = {}
    v1: Any = tf.compat.v1
    for event in v1.train.summary_iterator(str(folder / event_file.NAME)):
        for value in event.summary.value:
            found.setdefault(value.tag, {})[event.step] = value.simple_value
    return found


def test_it_has_every_epoch_and_every_step(tmp_path: Path) -> None:
    results = trained(tmp_path / "results", 3, 0.5, 0.25)
    event_file.write(results, tmp_path / "logs" / "train-0")
    assert shown(tmp_path / "logs" / "train-0") == {
        "epoch/loss": {0: 2.25, 1: 1.5},
        "epoch/val_loss": {1: 0.75},
        "step/loss": {0: 0.0, 1: 1.0, 2: 2.0, 3: 0.5, 4: 1.5, 5: 2.5},
        "step/learning rate": dict.fromkeys(range(6), 0.5),
        "step/learning rate 2": dict.fromkeys(range(6), 0.25),
    }


def test_the_same_training_gives_the_same_bytes(tmp_path: Path) -> None:
    results = trained(tmp_path / "results", 3, 0.5)
    for name in ("a", "b"):
        event_file.write(results, tmp_path / name)
    files = [(tmp_path / name / event_file.NAME).read_bytes() for name in ("a", "b")]
    assert files[0] == files[1]
    assert [path.name for path in (tmp_path / "a").iterdir()] == [event_file.NAME]


def test_of_many_steps_every_nth_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_file, "MOST_STEPS", 4)
    event_file.write(trained(tmp_path / "results", 5, 0.5), tmp_path)
    assert list(shown(tmp_path)["step/loss"]) == [0, 3, 6, 9]


def test_where_epochs_alone_were_traced_there_are_these(tmp_path: Path) -> None:
    event_file.write(trained(tmp_path / "results", 0), tmp_path)
    assert set(shown(tmp_path)) == {"epoch/loss", "epoch/val_loss"}
