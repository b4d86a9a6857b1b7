"""What a user's function returned, as plain arrays under flat names: frames, text, streams, nests.

Imports `core`.
Begin reading at `returned`.
"""
