"""Where two watched runs first diverge, and which call of the user's to name beside it.

Runs in the tool's own process. Imports `events` and `ledger`, for what their lines mean.
Begin reading at `first_divergence`, then `recorded` and `named_call`.
"""
