"""Whether metrics of two groups of runs are the same up to a margin, and how sure that is.

Imports `core` and `record`.
Begin reading at `equivalence`, then `family` (several metrics at once).
"""
