"""From evidence to an answer for each goal, in facts and short sentences.

Imports `core`, `machine`, `record`, `launch`, `drift`, `compare`, `stats`, `sanity` and `cause`.
Begin reading at `goals`, then `bitwise`, `metrics` and `documented`.
"""
