# What launch/shims.py calls.
from datetime import timedelta
from types import TracebackType

class Traveller:
    def time_ns(self) -> int: ...

class travel:
    def __init__(self, destination: timedelta, *, tick: bool = True) -> None: ...
    def __enter__(self) -> Traveller: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
