"""Earlier results: what a run would overwrite, whether it may, and how they are put aside first.

Begin with `guard`, which asks; `overwritten` finds what is lost, `store` puts it under runs/, and
`compare` holds two results side by side.
May import: display, environments, locks, project, tools, user_project.
"""
