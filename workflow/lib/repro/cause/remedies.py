"""Remedies: what to do about each cause, in one sentence.

Synopsis:
    of("augmentation", "generator without a seed")
    of_factor(("listing order",))
"""

from __future__ import annotations

from collections.abc import Sequence

_CAUSES = {
    "data content": "Give every random draw in `dataset` a seed from `seeds(name)`, and let "
    "nothing else but `data` and `settings` decide what it returns.",
    "initialisation": "Give every initialiser a seed from `seeds(name)`, and let `model` depend on "
    "`settings` and `seeds` alone.",
    "a random layer": "Give every random layer, such as Dropout, a seed from `seeds(name)`, and "
    "draw in a layer of your own only by keras.random with a keras.random.SeedGenerator.",
    "data order": "Let a `fit` or `train_step` of your own take batches in the order in which they "
    "come; where there is none, report this: that order is a function of the seed alone.",
    "augmentation": "Draw in `augment` only by TensorFlow's stateless operations, from the seed "
    "that it receives.",
    "forward pass": "Look in the model's call for a draw without a seed, Python code that does not "
    "always give the same, or an operation that is not deterministic on this device.",
    "gradient": "Look in `train_step` and its gradients for a draw without a seed, or an operation "
    "whose gradient is not deterministic on this device.",
    "update": "Let optimizer, learning rate and callbacks depend on the step alone, not on a "
    "clock, a file or a draw without a seed.",
    "evaluation": "Look for a metric, or a layer in inference, that draws without a seed.",
    "a race": "Let no result depend on which thread or process comes first: collect what they "
    "return in a fixed order, and add floating-point numbers in that order.",
    "environment": "Name every file that the code reads under `data`, and let it read nothing "
    "that an earlier run has left.",
    "stale state": "Let the code read nothing that an earlier run of it has left: write caches to "
    "a fresh temporary folder, or let them hold the very bits of a fresh computation.",
}

_SOURCES = {
    "generator without a seed": "Give that generator a seed from `seeds(name)`.",
    "system entropy": "Take a seed from `seeds(name)` in place of the system's entropy.",
    "clock": "Take nothing from the clock that decides a value.",
    "process id": "Take nothing from the process id.",
    "hash": "Sort sets before they are used, and take hashlib in place of hash().",
    "another program": "Give the program that is started a seed from `seeds(name)`, and let it "
    "decide by nothing else but its arguments and the declared inputs.",
    "unordered stream": "Let the stream keep its order (`deterministic=True`, map in place of "
    "imap_unordered or as_completed).",
}

_FACTORS = {
    "hash seed": "Sort sets before they are used, and take hashlib in place of hash().",
    "time zone": "Convert times with an explicit time zone, such as UTC.",
    "locale": "Format, parse and sort text without the locale.",
    "umask": "Let no value depend on the rights of a file.",
    "environment size": "Let no value depend on the environment variables or on addresses (id()).",
    "home": "Read files by the paths that `dataset` receives, not from the home folder.",
    "temporary folder": "Let no value depend on the temporary folder, its name or its content.",
    "working directory": "Read files by the paths that `dataset` receives, or beside `__file__`.",
    "file times": "Let no value depend on when a file was written or on its inode: sort files by "
    "their names.",
    "paths": "Let no value depend on where data and code lie; take labels from below the data's "
    "own folder.",
    "listing order": "Sort what is listed from a folder.",
    "clock": "Take dates from the data or the settings, not from the clock.",
    "process": "Let no value depend on the process id or on how long the start took.",
    "processors": "Take the number of workers or chunks from `settings`, not from the machine.",
    "caches": "Name every file that the code reads under `data`; a cache must give the very bits "
    "of a fresh computation.",
    "network": "Name every file that the code reads under `data`, and fetch nothing while it runs.",
    "load": "Let no result depend on which thread comes first, or on how long something takes.",
}

SOURCE_OF_FACTOR = {
    "hash seed": "hash",
    "clock": "clock",  # before the time zone, which moves a date as well
    "time zone": "clock",
    "locale": "locale",
    "environment size": "environment variable",
    "home": "home",
    "temporary folder": "temporary folder",
    "working directory": "working directory",
    "file times": "file times",
    "listing order": "listing order",
    "process": "process id",
    "processors": "processors",
    "caches": "file outside the inputs",
    "network": "network",
}
"""Which source, among the calls of the user's code, each factor acts through."""


def of(cause: str, source: str | None) -> str:
    """What to do about a cause; the source that the code was seen to call says it best."""
    return _SOURCES.get(source or "", _CAUSES[cause])


def of_factor(factors: Sequence[str]) -> str:
    """What to do where these factors, alone or together, change the bits."""
    return " ".join(dict.fromkeys(_FACTORS[factor] for factor in factors))


def likely(sources: Sequence[str]) -> list[str]:
    """The factors that act through one of these sources."""
    return [factor for factor, source in SOURCE_OF_FACTOR.items() if source in sources]
