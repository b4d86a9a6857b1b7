"""Pages for people, made from a verdict alone.

Imports `core`, `overhead`, `drift` and `compare`, of whose findings a verdict is made.
Begin reading at `verdict_page`.
"""
