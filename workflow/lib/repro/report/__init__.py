"""Pages for people, made from a verdict alone.

Imports `verdict` and what that stands on.
Begin reading at `verdict_page`.
"""
