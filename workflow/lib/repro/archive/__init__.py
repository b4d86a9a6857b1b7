"""One file that holds a finished run and all that made it: written, read, verified.

Imports `core`, `record`, `plan` and `audit`.
Begin reading at `write` and `open_archive`.
"""
