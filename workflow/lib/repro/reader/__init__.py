"""What runs in the user's own Python, and compares tensors with the libraries found there.

Imports no other room. Python 3.9 and later; NumPy, h5py, TensorFlow, pyarrow and Pillow are
imported where they are needed, and their absence is an answer. Nothing is ever unpickled.
Begin reading at `program`, then `tensor_findings`, `distance` and `blocks`.
"""
