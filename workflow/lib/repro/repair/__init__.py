"""What a difference depends on, and which change of the script mends it: two searches, and edits.

The searches run nothing themselves: they are given a function that does. A remedy is an edit of the
user's source at positions that `ast` gives, or a variable to be set outside. It is tried in a copy
of the script, so that what was tried is what is shown: what replaced a function within the process
could act otherwise than the line that is shown for it.
Imports `core`, `ledger` and `divergence`; standard library.
Begin reading at `patch_search`, then `remedies` and `edits`.
"""
