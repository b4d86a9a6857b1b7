"""What the rules ask before any job runs: files, commands, environments, and what is refused.

Imports `core`, `record` and `launch`.
Begin reading at `schedule` (which runs and steps an experiment has) and `results` (which files).
"""
