"""What the rules ask before any job runs: files, commands, environments, and what is refused.

Imports `core`, `machine`, `record` and `launch`.
Begin reading at `results` (which files an experiment has), then `jobs`.
"""
