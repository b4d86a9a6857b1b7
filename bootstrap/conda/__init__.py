"""Conda packages: the front end that installs them, the lock, and what is rendered from it.

Begin with `front_end` for an installation, with `lock` for `./run lock`, and with `render` for the
files in workflow/envs.
May import: display, locks, post_deploy, project.
"""
