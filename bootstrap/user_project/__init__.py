"""The user's project: which folder a verb works on, how one begins, the digests of its inputs.

Begin with `chosen`. Runs in whatever Python the machine has, with the standard library alone.
May import: project.
"""
