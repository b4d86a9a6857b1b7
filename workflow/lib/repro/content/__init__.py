"""The files of two runs, compared by what they hold: tensors, cells, pixels, text without dates.

Imports `core`. Standard library alone, Python 3.10 and later; what needs NumPy, h5py or TensorFlow
runs in the user's own Python (`reader_*`, Python 3.9 and later).
Begin reading at `folders` (two folders), then `files` (two files) and `findings` (what is found).
"""
