"""Errors that both runs share: randomness that repeats itself, seeds that change nothing.

Imports `model` and what that stands on.
Begin reading at `sanity_probe`.
"""
