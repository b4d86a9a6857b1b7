"""Web pages, made from a verdict and the results that it rests on: HTML without any script.

Imports `core`, `record`, `compare` and `report`, whose sentences it shows.
Begin reading at `page`.
"""
