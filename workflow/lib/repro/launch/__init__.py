"""How a step is started: a process whose settings come from one table, some varied on purpose.

Imports `core`, `record` and `shim`.
Begin reading at `launcher`, then `variations` (how each factor is varied).
"""
