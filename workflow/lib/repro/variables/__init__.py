"""A model's variables and optimizers by path: read, digested, saved and loaded.

Imports `core`.
Begin reading at `by_path`.
"""
