"""What a running process does: calls that may differ between runs, operations of one step.

Imports `core`, `data`, `launch` and `variables`.
Begin reading at `call_recorder` and `op_trace`.
"""
