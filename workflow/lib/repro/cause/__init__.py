"""Why runs diverge: single steps run again under chosen factors, and what that shows and mends.

Imports `core`, `record`, `launch`, `compare`, `ledger` and `repair`.
Begin reading at `explain`, then `fault_isolation` and `trials`; `experiment_patch` mends.
"""
