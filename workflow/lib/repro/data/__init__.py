"""From the user's `dataset` to arrays on disk: ids, split, order, leakage between the parts.

Imports `core`, `launch` and `arrays`.
Begin reading at `prepare`.
"""
