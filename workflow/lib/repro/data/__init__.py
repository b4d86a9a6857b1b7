"""From the user's `dataset` to arrays on disk: ids, split, order, leakage between the parts.

Imports `core` and `launch`.
Begin reading at `prepare`.
"""
