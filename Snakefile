# The only entry: configuration, path grammar, rules, targets. CONTRIBUTING.md shows the rooms behind
# it, docs/how-to/snakemake-module.md how another Snakefile imports it.
from os import PathLike

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.0")

# A local file is a path; one that Snakemake fetches is not, and the jobs would miss those beside it.
if not isinstance(workflow.current_basedir, PathLike):
    raise WorkflowError(
        "Expected the Snakefile of a clone of this workflow. Received "
        f"{workflow.current_basedir.get_path_or_uri(secret_free=True)}, of which Snakemake fetches "
        "single files, and the jobs need all. Clone it, and name the Snakefile of the clone."
    )


configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/cluster.smk"


wildcard_constraints:
    experiment="|".join(EXPERIMENTS),
    run=RUN,
    seed=r"\d+",
    seeds=r"\d+",


rule all:
    default_target: ENTRY
    input:
        finished,
    localrule: True


include: "workflow/rules/code.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/model.smk"
include: "workflow/rules/verify.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/drift.smk"
include: "workflow/rules/cost.smk"
include: "workflow/rules/archive.smk"


# ./run, which knows more exactly, says so itself, and may ask.
onstart:
    slurm = workflow.executor_settings
    if hasattr(slurm, "array_jobs"):
        asked(
            cluster.refuse, EXPERIMENTS, slurm.array_jobs, slurm.status_command, workflow.nodes
        )
    if not UNDER_RUN:
        jobs_to_run = workflow.dag.needrun_jobs()
        if overwriting := overwritten.warning(
            str(file) for job in jobs_to_run for file in job.output
        ):
            logger.warning(overwriting)


# Nothing to a user who imports the others by `module:`, and may have rules of these names.
if ENTRY:

    include: "workflow/rules/tests.smk"
