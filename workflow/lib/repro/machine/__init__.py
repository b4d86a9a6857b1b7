"""What this machine is, and what of it can reach the bits of a result.

Imports `core` alone.
Begin reading at `identity` (what counts as another machine) and `numerics`.
"""
