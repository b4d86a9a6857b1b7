"""How two files of one format are compared: text without dates, cells, JSON, documents, archives.

Imports `core`, and `reader`, whose findings it takes over. Standard library alone, Python 3.10 and
later.
Begin reading at `findings` (what is found), then `text` and `masks`.
"""
