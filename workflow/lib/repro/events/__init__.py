"""What a watched process of the user's does, event by event, and where two first diverge.

All but `recorded` and `first_divergence` runs in the user's own Python: 3.9 or later, standard
library at import, TensorFlow and Keras as the user has them. Imports `shim` and `watch`.
Begin reading at `stream`, then `steps`, `patches` and `ledger`; `first_divergence` compares.
"""
