import logging
from collections.abc import Collection, Sequence
from typing import TextIO

class DefaultFormatter(logging.Formatter):
    def __init__(
        self, quiet: Sequence[object] | None = None, show_failed_logs: bool = False
    ) -> None: ...

class DefaultFilter(logging.Filter):
    def __init__(
        self,
        quiet: Sequence[object] | None,
        debug_dag: bool,
        verbose: bool,
        dryrun: bool,
        printshellcmds: bool,
    ) -> None: ...

class ColorizingTextHandler(logging.StreamHandler[TextIO]):
    def __init__(self, nocolor: bool = False, stream: TextIO = ...) -> None: ...
    def decorate(self, record: logging.LogRecord, message: str) -> str: ...

def is_quiet_about(quiet: Collection[object], msg_type: str) -> bool: ...
