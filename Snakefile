# The only entry: configuration, path grammar, rules, targets. The rooms behind it are told in
# README.md ("The house").
from snakemake.utils import min_version

min_version("9.0")


configfile: "config/config.yaml"


include: "workflow/rules/common.smk"


wildcard_constraints:
    experiment="|".join(EXPERIMENTS),
    run="original|repeat(-[0-9]+)?",
    seed=r"\d+",
    seeds=r"\d+",


localrules:
    all,
    verify,
    drift,
    cost,
    archive,
    reproduce,


rule all:
    default_target: True
    input:
        expand("results/{experiment}/verdict.json", experiment=EXPERIMENTS),
        looks,


include: "workflow/rules/code.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/model.smk"
include: "workflow/rules/verify.smk"
include: "workflow/rules/drift.smk"
include: "workflow/rules/cost.smk"
include: "workflow/rules/archive.smk"
include: "workflow/rules/tests.smk"
