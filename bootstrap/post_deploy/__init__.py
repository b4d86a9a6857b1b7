"""What runs inside a new environment, after its conda packages: wheels, bytecode, the record.

Begin with `finish`. Each module here is carried by the post-deploy scripts, for Snakemake looks at
a script alone; so it needs the standard library, and what these carry too (`conda.render`).
May import: display, locks, wheels.
"""
