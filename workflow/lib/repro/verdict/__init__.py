"""From evidence to an answer for each goal, in facts and short sentences.

Imports `drift`, `compare`, `stats`, `cause` and what they stand on.
Begin reading at `goals`, then `bitwise`, `metrics` and `documented`.
"""
