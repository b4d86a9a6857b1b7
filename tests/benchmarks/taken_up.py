"""Taken up: what Keras' own ways give after a kill, with plain `fit`, beside an uninterrupted one.

Synopsis:
    found = by_keras("BackupAndRestore", code, folder)
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from killed import SEED, Child, Say, _die, begun, callbacks
from repro.core.digest import sha256_value
from repro.core.seeding import Seeds

WAYS = ("BackupAndRestore", "Orbax")
SAID = ("state taken up", "weights at the end", "history from there on")
EPOCHS, KILLED = 6, 3
_REMEMBERED = ("wait", "best", "best_epoch", "cooldown_counter")


def _taking_up(way: str, folder: Path, model: Any) -> tuple[Any, list[Any], int]:
    """Model, callbacks and first epoch, as Keras' documentation says to take a training up."""
    import keras

    if way == "BackupAndRestore":
        return model, [keras.callbacks.BackupAndRestore(folder)], 0
    saving = keras.callbacks.OrbaxCheckpoint(str(folder), save_on_background=False)
    done = [int(path.name) for path in folder.glob("*") if path.name.isdecimal()]
    if done:
        keras.backend.clear_session()  # as where no model was made before: names are counted
        model = keras.saving.load_model(str(folder))
    return model, [saving], max(done, default=-1) + 1


def _values(model: Any) -> dict[str, list[str]]:
    """Digests of the variables in their order: a model that was loaded may call them otherwise."""
    from repro.model.checkpoint import states

    return {name: list(each.values()) for name, each in states(model).digests().items()}


def fit(say: Say, way: str, code: Path, data: Path, folder: Path | None, die: bool = False) -> None:
    """Trains with Keras' own `fit`; tells the state at each epoch's beginning, and the end's."""
    import keras
    from repro.data.prepare import part
    from repro.model.plan import columns
    from repro.model.training import built, made

    experiment, arrays = begun(code), part(data, "train")
    model = built(made(experiment, {}, Seeds(SEED)), arrays, experiment)
    own = callbacks(code)

    def begin(epoch: int, _logs: Any) -> None:
        told = {name: sha256_value(each) for name, each in _values(model).items()}
        say(
            epoch=epoch,
            **told,
            callbacks=[str(vars(one).get(n)) for one in own for n in _REMEMBERED],
        )
        if die and epoch == KILLED:
            _die()

    watching = keras.callbacks.LambdaCallback(on_epoch_begin=begin)
    x, y, *_ = columns(arrays)
    try:
        model, keeping, first = _taking_up(way, folder, model) if folder else (model, [], 0)
        logs = model.fit(
            x, y, batch_size=64, epochs=EPOCHS, initial_epoch=first, verbose=0,
            callbacks=[*own, *keeping, watching],
        ).history  # fmt: skip
    except (ImportError, TypeError, AttributeError) as error:
        say(missing=str(error).splitlines()[0].partition(". ")[0])
        return
    say(weights=_values(model)["weights"], history=logs)


def _seen(whole: Mapping[str, Any], again: Mapping[str, Any]) -> str:
    parts = ("weights", "optimizer", "seeds", "callbacks")
    odd = [name for name in parts if whole[name] != again[name]]
    return f"others: {', '.join(odd)}" if odd else "the same"


def by_keras(way: str, code: Path, folder: Path) -> dict[str, str]:
    """Kills a training at the beginning of an epoch, takes it up, and says what is not the same.

    Args:
        way: one of `WAYS`.
        code: the experiment.
        folder: with its data in `data`.

    Returns:
        What the table says.
    """
    data, kept = folder / "data", folder / way
    whole, twice = (Child(fit, way, code, data, None).ended() for _ in range(2))
    same = {"twice without a kill": "the same" if whole == twice else "others"}
    Child(fit, way, code, data, kept, True).ended()
    again = Child(fit, way, code, data, kept).ended()
    if "missing" in again[-1]:
        return {**same, **dict.fromkeys(SAID, f"not taken up: {again[-1]['missing']}")}
    epoch = again[0]["epoch"]
    state = _seen(next(line for line in whole if line.get("epoch") == epoch), again[0])
    rest = {name: values[epoch:] for name, values in whole[-1]["history"].items()}
    equal = whole[-1]["weights"] == again[-1]["weights"], rest == again[-1]["history"]
    ends = ["the same" if each else "others" for each in equal]
    return same | dict(zip(SAID, [f"from epoch {epoch}; {state}", *ends], strict=True))
