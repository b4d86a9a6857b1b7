from contextlib import AbstractContextManager
from typing import Any

def context(style: list[str | dict[str, Any]]) -> AbstractContextManager[None]: ...
