"""What a running process does: calls that may differ between runs, operations of one step.

Imports `core`, `data` and `variables`.
Begin reading at `call_recorder` and `op_trace`.
"""
