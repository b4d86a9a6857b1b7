"""Starts the front end: `python -Es bootstrap/conda`, as .tools/bin/conda does."""

import os
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # Python put this room there

from conda import front_end  # noqa: E402

status = front_end.main(sys.argv[1:])
sys.stdout.flush()
sys.stderr.flush()
# rattler's own threads may still run, and then crash an interpreter that takes itself apart
os._exit(status)
