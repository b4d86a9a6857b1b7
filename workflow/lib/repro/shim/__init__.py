"""What changes how Python sees folders, files and the clock, within one process.

Imports nothing of ours, and of Python what 3.9 has: it also runs in the process of a user's script.
Begin reading at `replaced`, then `listing_order`, `file_times` and `clock`.
"""
