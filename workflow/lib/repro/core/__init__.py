"""What everything else stands on: configuration, digests, seeds, and files written whole.

Imports no other room.
Begin reading at `config` (what an experiment is) and `atomic` (how every file is written).
"""
