"""What the verbs of ./run do: a module each, called after the verb or after what it makes.

Begin with `prepare`, which runs Snakemake's targets; `rerun` needs no more than a bare Python,
and `check_files` and `manifest` no more than the host's tools, where no job could run.
May import: answers, conda, display, earlier, environments, locks, outcome, post_deploy, project,
tools, user_project, wheels.
"""
