"""Results on disk against their manifests: whole, outdated, and what came from what.

Imports `core`, `record`, `plan` and `data`.
Begin reading at `results`, then `check`.
"""
