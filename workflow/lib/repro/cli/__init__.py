"""The command lines of the two programs: what makes results, and what looks at them.

Imports every room; nobody imports it.
Begin reading at `program` and `make` (prepare, train, evaluate, probe), and at `judge` (compare,
verify).
"""
