"""What a watched process of the user's does, event by event.

Runs in the user's own Python: 3.9 or later, standard library at import, TensorFlow and Keras as the
user has them. Imports no other room. Begin reading at `stream`, then `steps` and `patches`;
`divergence` compares.
"""
