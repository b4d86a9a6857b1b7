"""Errors that both runs share: randomness that repeats itself, seeds that change nothing.

Imports `core`, `data`, `variables`, `watch` and `model`.
Begin reading at `sanity_probe`.
"""
