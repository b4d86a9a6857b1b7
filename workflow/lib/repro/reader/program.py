"""Program: answers requests to compare two files, a JSON line for each.

Synopsis:
    python -c 'from repro.reader.program import main; main()' < requests > answers

A request: `{"form": "npz", "left": path, "right": path, "rtol": 0.0}`. Its answer: what
`TensorFindings.answer` gives, or `{"why": …}` where these files cannot be compared here. Each
answer stands on a line of its own behind `MARK`, since other libraries may print as well.
`{"import": [name, …]}` has no answer: what takes long to import is so there when it is needed.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
from contextlib import suppress
from typing import Any

from repro.reader.tensor_findings import TensorFindings

MARK = "\x1erepro "

FORMS = {
    "npy": ("repro.reader.arrays", "npy"),
    "npz": ("repro.reader.arrays", "npz"),
    "safetensors": ("repro.reader.arrays", "safetensors"),
    "hdf5": ("repro.reader.hdf5", "hdf5"),
    "checkpoint": ("repro.reader.tensorflow_files", "checkpoint"),
    "saved model": ("repro.reader.tensorflow_files", "saved_model"),
    "events": ("repro.reader.tensorflow_files", "events"),
    "parquet": ("repro.reader.columns", "parquet"),
    "image": ("repro.reader.images", "image"),
}
"""What can be asked for, and the function that compares it."""


def answered(request: dict[str, Any]) -> dict[str, Any]:
    """The answer to one request; an exception of whatever kind is an answer too."""
    try:
        module, name = FORMS[request["form"]]
        found = TensorFindings(request.get("rtol", 0.0), request.get("classes", False))
        getattr(importlib.import_module(module), name)(found, request["left"], request["right"])
        return found.answer()
    except ModuleNotFoundError as error:
        return {"why": f"no {error.name} in that Python", "lacks": True}
    except MemoryError:
        return {"why": "too large for the memory"}
    except Exception as error:  # each library that reads has errors of its own
        text = " ".join(str(error).split())[:120]
        return {"why": f"{type(error).__name__}: {text}" if text else type(error).__name__}


def _import(names: list[str]) -> None:
    gc.disable()  # else it looks through all modules, which stay for good, for half of the time
    for name in names:
        with suppress(Exception):  # where it is needed, that is said
            importlib.import_module(name)
    gc.freeze()
    gc.enable()


def main() -> None:
    """Answers until standard input ends."""
    # What libraries print goes to standard error, and the answers alone to where it was asked.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin.buffer:
        request = json.loads(line)
        if "import" in request:
            _import(request["import"])
            continue
        answer = json.dumps(answered(request))
        answers.write(f"{MARK}{answer}\n")
        answers.flush()
