"""Holds back what Snakemake prints of a failure, until ./run knows whose failure it is.

Begin with `held`; `snakemake_logger_plugin_repro` is the plugin of Snakemake that keeps the text,
and this folder itself, as a program, is the Snakemake that finds the plugin.
May import: nothing.
"""
