"""Taken up: what Keras' own ways give after a kill, with plain `fit`, beside an uninterrupted one.

Synopsis:
    rows = list(by_keras(code, folder, packages))    # of Orbax, which the lock has not; or None
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from killed import SEED, Child, Say, _die, begun, callbacks
from repro.core.digest import sha256_value
from repro.core.seeding import Seeds

BACKUP, MODEL, WEIGHTS = WAYS = (
    "BackupAndRestore", "OrbaxCheckpoint, load_model", "OrbaxCheckpoint, load_weights",
)  # fmt: skip
SAID = ("state taken up", "weights at the end", "history from there on")
EPOCHS, KILLED = 6, 3
ORBAX = ("orbax-checkpoint", "jax", "jaxlib", "tensorstore")
_REMEMBERED = ("wait", "best", "best_epoch", "cooldown_counter")


@dataclass(frozen=True)
class CheckpointPolicy:
    """How a training is kept: in which way, in which folder, and where Orbax' packages are."""

    way: str
    folder: Path
    packages: Path | None


def versions(packages: Path) -> dict[str, str]:
    """Versions of Orbax as they are imported with a folder behind the environment.

    Args:
        packages: what pip made out of `orbax.txt`.

    Returns:
        Version by name, of what is there.
    """
    path = [*sys.path, str(packages)]
    found = {name: next(iter(distributions(name=name, path=path)), None) for name in ORBAX}
    return {name: one.version for name, one in found.items() if one}


def taking_up(keeping: CheckpointPolicy, model: Any) -> tuple[Any, list[Any], int]:
    """Takes a training up where it was kept, as Keras' documentation says.

    Args:
        keeping: how.
        model: as it was made again.

    Returns:
        The model to train, callbacks that keep it, and the first epoch.
    """
    import keras

    if keeping.way == BACKUP:
        return model, [keras.callbacks.BackupAndRestore(keeping.folder)], 0
    folder = str(keeping.folder)
    # In the background it may lose the last epoch, by chance: so it keeps as much as it can.
    saving = keras.callbacks.OrbaxCheckpoint(folder, save_on_background=False)
    done = [int(path.name) for path in keeping.folder.glob("*") if path.name.isdecimal()]
    if done and keeping.way == WEIGHTS:
        model.load_weights(folder)
    elif done:
        own = {type(model).__name__: type(model)}
        keras.backend.clear_session()  # as where no model was made before: names are counted
        model = keras.saving.load_model(folder, custom_objects=own)
    return model, [saving], max(done, default=-1) + 1


def _values(model: Any) -> dict[str, list[str]]:
    """Digests of the variables in their order: a model that was loaded may call them otherwise."""
    from repro.variables.by_path import states

    return {name: list(each.values()) for name, each in states(model).digests().items()}


def fit(
    say: Say, code: Path, data: Path, keeping: CheckpointPolicy | None = None, die: bool = False
) -> None:
    """Trains with Keras' own `fit`; tells the state at each epoch's beginning, and the end's."""
    import keras
    from repro.data.prepare import part
    from repro.model.training import built, made
    from repro.model.training_plan import columns

    if keeping and keeping.packages:
        sys.path.append(str(keeping.packages))  # behind the environment: what is locked stays
    experiment, arrays = begun(code), part(data, "train")
    model = built(made(experiment, {}, Seeds(SEED), data), arrays, experiment)
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
        model, saving, first = taking_up(keeping, model) if keeping else (model, [], 0)
        logs = model.fit(
            x, y, batch_size=64, epochs=EPOCHS, initial_epoch=first, verbose=0,
            callbacks=[*own, *saving, watching],
        ).history  # fmt: skip
    except (ImportError, TypeError, AttributeError) as error:
        said = str(error).splitlines()[0].partition(". ")[0]
        say(missing=f"{type(error).__name__}: {said}")
        return
    say(weights=_values(model)["weights"], history=logs)


def differing(whole: Mapping[str, Any], again: Mapping[str, Any]) -> str:
    """Names the parts of a state that are not the same, or says that all are."""
    parts = ("weights", "optimizer", "seeds", "callbacks")
    odd = [name for name in parts if whole[name] != again[name]]
    return f"others: {', '.join(odd)}" if odd else "the same"


def by_keras(code: Path, folder: Path, packages: Path | None) -> Iterator[dict[str, str]]:
    """Kills trainings at the beginning of an epoch, takes them up, and says what is not the same.

    Args:
        code: the experiment.
        folder: with its data in `data`.
        packages: of Orbax; without them `BackupAndRestore` alone is asked.

    Yields:
        What the table says of each way.
    """
    data = folder / "data"
    whole, twice = (Child(fit, code, data).ended() for _ in range(2))
    same = "the same" if whole == twice else "others"
    for way in WAYS if packages else (BACKUP,):
        keeping = CheckpointPolicy(way, folder / way, None if way == BACKUP else packages)
        Child(fit, code, data, keeping, True).ended()
        again = Child(fit, code, data, keeping).ended()
        yield {"way": way, "twice without a kill": same, **_told(whole, again)}


def _told(whole: list[dict[str, Any]], again: list[dict[str, Any]]) -> dict[str, str]:
    if "missing" in again[-1]:
        return dict.fromkeys(SAID, "—") | {SAID[0]: f"not taken up: {again[-1]['missing']}"}
    epoch = again[0]["epoch"]
    state = differing(next(line for line in whole if line.get("epoch") == epoch), again[0])
    rest = {name: values[epoch:] for name, values in whole[-1]["history"].items()}
    equal = whole[-1]["weights"] == again[-1]["weights"], rest == again[-1]["history"]
    ends = ["the same" if each else "others" for each in equal]
    return dict(zip(SAID, [f"from epoch {epoch}; {state}", *ends], strict=True))
