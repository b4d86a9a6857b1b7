"""Snakemake, which looks for its plugins also in the folder of this file.

Synopsis:
    python -Es bootstrap/failures --logger repro --logger-repro-file FILE all
"""

import gc
import sys

if __name__ == "__main__":
    # Modules by the thousand, for good: to look through them for garbage, meanwhile and at the end,
    # takes a third of a short run.
    gc.disable()
    from snakemake.cli import main

    gc.freeze()
    gc.enable()
    sys.argv[0] = "snakemake"  # as it calls itself to the user
    main()
