"""What determinism, trace and checkpoints cost a training in time and memory.

Imports `model` and what that stands on.
Begin reading at `timed_training` (measures) and `breakdown` (what each part costs).
"""
