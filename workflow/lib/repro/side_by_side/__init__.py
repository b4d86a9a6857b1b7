"""Two finished experiments side by side, wherever they lie: results, and how they were made.

Imports `core`, `record`, `drift`, `compare`, `audit`, `archive` and `content`. Runs in the host's
tools; what needs NumPy runs in the Python that `content` is given.
Begin reading at `sides` (what is compared), then `comparison` and `page`.
"""
