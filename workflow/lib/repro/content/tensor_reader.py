"""Tensor reader: compares tensors in a process of the user's Python, which has their libraries.

Synopsis:
    with TensorReader(["python"]) as tensors:
        compared(left, right, "model.keras", tensors)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType


class TensorReader:
    """A process of the user's Python, started when it is first needed, ended by `close`.

    Args:
        python: the command that starts it, as `("python",)`.
        environment: its environment variables; None for this process'.
        folder: where it is started; None for the current folder.
    """

    def __init__(
        self,
        python: Sequence[str],
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        self._python = list(python)
        self._environment = environment
        self._folder = folder

    def __enter__(self) -> TensorReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the process; nothing happens where none runs."""
