"""What two runs wrote, compared by what it holds: which files answer each other, and how far apart.

Imports `core`, `reader` and `formats`. Standard library alone, Python 3.10 and later; what needs
NumPy, h5py or TensorFlow runs in the user's own Python (`reader`).
Begin reading at `folders` (two folders), then `files` (two files) and `summary`.
"""
