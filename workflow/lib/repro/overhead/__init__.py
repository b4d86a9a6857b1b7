"""What determinism, trace and checkpoints cost a training in time and memory.

Imports `core`, `record`, `data`, `checkpoint` and `model`.
Begin reading at `timed_training` (measures) and `breakdown` (what each part costs).
"""
