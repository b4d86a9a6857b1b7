"""What is put into the Python processes of a user's script, to vary them and to watch them.

All but `install` runs in the user's own Python: 3.9 or later, standard library at import, whatever
else the user has. Imports `core` (in `install`), `shim`, `launch`, `events` and `ledger`.
Begin reading at `install`, then `sitecustomize` and `process`.
"""
