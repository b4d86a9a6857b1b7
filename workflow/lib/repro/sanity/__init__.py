"""Whether results make sense at all: finite numbers, better than one answer for all, learned.

Imports `core`, `arrays`, `data`, `record`, `variables`, `model` and `stats`.
Begin reading at `results`; each other module decides one question.
"""
