"""What a step imports is compiled in the environment; what is not, is not written there later."""

import subprocess
import sys
from importlib.util import cache_from_source
from pathlib import Path

PROGRAM = """\
import sys
import tensorflow, keras

for module in list(sys.modules.values()):
    if (file := str(getattr(module, "__file__", None))).endswith(".py"):
        print(file)
"""


def test_what_a_step_imports_is_compiled() -> None:
    """Else make imported.txt again: bootstrap/conda/imported.py says how."""
    done = subprocess.run(
        [sys.executable, "-I", "-B", "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    inside = [file for file in done.stdout.splitlines() if file.startswith(sys.prefix)]
    missing = [file for file in inside if not Path(cache_from_source(file)).is_file()]
    assert len(inside) > 1000
    assert len(missing) <= 0.02 * len(inside), missing


def test_no_python_compiles_there_later() -> None:
    """Even one that is started without -B, as from an activated environment."""
    asked = "import sys; print(sys.dont_write_bytecode)"
    done = subprocess.run(
        [sys.executable, "-I", "-c", asked], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "True"
