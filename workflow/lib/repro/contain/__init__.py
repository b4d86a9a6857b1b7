"""Where a user's command runs, so that all that it writes is caught and nothing of it stays.

Imports `core` and `launch`. Linux for overlays; elsewhere the command runs in a copy.
Begin reading at `place` (what the three ways have in common), then `overlay` and `runner`.
"""
