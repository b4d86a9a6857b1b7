# The few functions of Snakemake that the host calls; it carries no types.
