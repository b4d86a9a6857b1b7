"""In what two environments or machines differ, and what that may do to results.

Imports `core`, `machine` and `record`.
Begin reading at `effects` (what each difference may do), then `setups`.
"""
