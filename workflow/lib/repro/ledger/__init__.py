"""What a watched process of the user's asked for that may differ between runs, line by line.

Runs in the user's own Python, as `events` does. Imports `shim`, `watch` and `events`.
Begin reading at `ledger`, then `watched_calls`; `set_order` reads the source where no call is.
"""
