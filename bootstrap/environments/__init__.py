"""Environments: which ones are needed, from which channel, where they lie, and who uses them.

Begin with `making`; `channel` decides where the conda packages come from.
May import: conda, display, local_channel, locks, post_deploy, project.
"""
