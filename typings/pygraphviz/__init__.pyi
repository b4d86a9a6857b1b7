# TensorFlow and Keras carry few types, and are not on the host: all of them is Any here.
from typing import Any

def __getattr__(name: str) -> Any: ...
