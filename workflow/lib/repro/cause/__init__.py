"""Why runs diverge: single steps run again under chosen factors, and what that shows.

Imports `launch`, `record`, `compare` and what they stand on.
Begin reading at `explain`, then `fault_isolation` and `trials`.
"""
