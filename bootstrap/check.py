"""What ./run check and ./run check.pyz do: check anyone's own script, or make that one file.

Synopsis:
    ./run check [options] -- python train.py
    ./run check.pyz

Runs in whatever Python the machine has, with the standard library alone, in the caller's folder.
"""

from collections.abc import Sequence
from pathlib import Path

import project
from repro.core.atomic import write_bytes
from repro.core.errors import UserError

PROGRAM = "check.pyz"


def main(argv: Sequence[str]) -> int:
    """Check a command; `repro.cli.check.main` lists the statuses.

    Raises:
        UserError: this copy holds what makes results alone.
    """
    try:
        from repro.cli import check
    except ImportError as error:
        raise UserError(
            f"Expected a clone, which holds `check`. Received a copy without {error.name}, as "
            "archives have it. Use a clone, or check.pyz."
        ) from None
    return check.main(argv)


def pack(argv: Sequence[str]) -> int:
    """Make check.pyz in the caller's folder: the same source, the same bytes.

    Raises:
        UserError: there were arguments.
    """
    if argv:
        raise UserError(f"Expected `./run {PROGRAM}` alone. Received {argv[0]}. Leave it out.")
    from repro.data.module_loader import module

    packing = module("packing", project.ROOT / "workflow" / "scripts" / "pack.py")
    write_bytes(Path(PROGRAM), packing.packed(packing.members_of_check()))
    print(f"{PROGRAM} is there: python {PROGRAM} -- python train.py")
    return 0
