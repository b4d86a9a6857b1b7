"""Snakemake, which looks for its plugins also in the folder of this file.

Synopsis:
    python -Es bootstrap/failures --logger repro --logger-repro-file FILE all
"""

import sys

from snakemake.cli import main

if __name__ == "__main__":
    sys.argv[0] = "snakemake"  # as it calls itself to the user
    main()
