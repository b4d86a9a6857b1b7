"""Why runs diverge: single steps run again under chosen factors, and what that shows.

Imports `core`, `record`, `launch` and `compare`.
Begin reading at `explain`, then `fault_isolation` and `trials`.
"""
