# SciPy carries no types of its own, and is not on the host: all of it is Any here.
from typing import Any

def __getattr__(name: str) -> Any: ...
