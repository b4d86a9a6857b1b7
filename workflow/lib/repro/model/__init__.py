"""The user's model, trained with every step traced, then evaluated.

Imports `core`, `record`, `data` (which makes its inputs), `variables`, `watch` and `checkpoint`.
Begin reading at `training` and `evaluation`.
"""
