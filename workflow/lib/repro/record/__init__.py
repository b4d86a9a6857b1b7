"""What is written down of a run: its manifest, its trace, and the environment that it ran in.

Imports `core` and `machine`.
Begin reading at `manifest`, then `statement` (what a manifest says) and `installed`.
"""
