"""Earlier results: what a run would overwrite, whether it may, and how they are put aside first.

Begin with `guard`, which asks; `overwritten` finds what is lost, `store` puts it under runs/.
May import: display, locks, project, tools.
"""
