"""The user's model, trained with every step traced, then evaluated.

Imports what makes its inputs (`data`), and `variables`, `watch`, `checkpoint`.
Begin reading at `training` and `evaluation`.
"""
