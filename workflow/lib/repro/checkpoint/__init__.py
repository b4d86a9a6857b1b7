"""Where the state of a training is kept, and how a killed one resumes from it.

Imports `core`, `record`, `variables` and `watch`.
Begin reading at `store` (where checkpoints are written) and `resume`.
"""
