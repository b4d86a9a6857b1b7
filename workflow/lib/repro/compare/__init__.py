"""Two runs of one seed: where they first diverge, and how far apart they end.

Imports `core`, `record`, `variables` and `model`.
Begin reading at `runs`.
"""
