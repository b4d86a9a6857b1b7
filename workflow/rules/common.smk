# What only Snakemake knows, for the rules; the rest is asked of the library, above all `repro.plan`.
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.settings.types import DeploymentMethod

HOME = Path(workflow.current_basedir).parents[1]
# Else a user's Snakefile imports ours by `module:`, as workflow/Snakefile does.
ENTRY = Path(workflow.basedir).resolve() in (HOME.resolve(), HOME.resolve() / "workflow")

if (moved := workflow.modifier.path_modifier.replace_prefix("results")) != "results":
    raise WorkflowError(
        "Expected a module without `prefix` and `replace_prefix`, since manifests and programs name "
        f"files from the working directory. Received one that makes {moved} of results. Leave it "
        "out: results lie in results/EXPERIMENT."
    )

if DeploymentMethod.CONDA not in workflow.deployment_settings.deployment_method:
    raise WorkflowError(
        "Expected jobs that run in the locked environment. Received no `--sdm conda`. Add it, or put "
        "`software-deployment-method: conda` in your profile."
    )

sys.path.insert(0, str(HOME / "workflow" / "lib"))

import repro

if not Path(repro.__file__).samefile(HOME / "workflow" / "lib" / "repro" / "__init__.py"):
    raise WorkflowError(
        f"Expected the library of {HOME}. Received another package called repro, of "
        f"{Path(repro.__file__).parent}. Import one clone of this workflow, once, and nothing else "
        "of that name."
    )

from repro.archive.write import around
from repro.core.canonical_json import canonical
from repro.core.config import check_files, filled, resolve
from repro.core.config_checks import FILE
from repro.core.errors import UserError
from repro.data.module_loader import module
from repro.launch.launcher import SAID_LAST
from repro.plan.schedule import ORIGINAL, RUN
from repro.machine.identity import machine
from repro.plan import environments, jobs, overwritten, requests, results
from repro.record.stale_lock import unlocked


def asked(function, *arguments, **named):
    """What the library answers; a user's mistake ends Snakemake with its sentence."""
    try:
        return function(*arguments, **named)
    except UserError as error:
        raise WorkflowError(str(error).replace(FILE, FILE if ENTRY else "The module's `config`"))


def environment(name):
    """The environment file of that name; refused unless it is wholly pinned by the lock."""
    return asked(environments.environment_file, HOME, config.get("channel"), name)


UNDER_RUN = SAID_LAST in os.environ
# So that after a kill the same command goes on.
ALIVE = unlocked(Path.cwd()) if workflow.is_main_process else None
MACHINE = machine()
EXPERIMENTS = asked(resolve, config)
# What imports this may have rules that make the data; Snakemake names what nobody makes.
asked(check_files, EXPERIMENTS, data=ENTRY)
asked(jobs.refuse_variables, EXPERIMENTS)
# Looked at for every experiment as soon as the configuration is read, so that no job runs before.
ENVIRONMENTS = {name: environment(name) for name in {e.environment for e in EXPERIMENTS.values()}}
# The only experiment of an archive that was unpacked; of which experiment the overhead is asked.
FIRST = next(iter(EXPERIMENTS))
PRICED = asked(requests.to_measure, config, list(EXPERIMENTS))


def entry(wildcards):
    return EXPERIMENTS[wildcards.experiment]


def of_entry(function):
    """A function of the wildcards: of the experiment that a job is for."""
    return lambda wildcards: function(entry(wildcards))


intra = of_entry(lambda chosen: chosen.training.threads.intra)
environment_of = of_entry(lambda chosen: ENVIRONMENTS[chosen.environment])
checkpoint_of = of_entry(jobs.checkpoint_interval)
# An experiment's file, or all files of its folder; those of the raw data, and how a step gets them.
code_files = of_entry(lambda chosen: jobs.files_of(chosen.code))
data_files = of_entry(jobs.data_files)
data_inputs = of_entry(jobs.data_inputs)
pretrained_files = of_entry(jobs.pretrained_files)
pretrained_inputs = of_entry(jobs.pretrained_inputs)


def program(name):
    """A function of the wildcards: that program, once it is known what is packed now."""

    def of(wildcards):
        file = getattr(checkpoints.code.get().output, name)
        asked(jobs.refuse_by_time, file, workflow.dag_settings.max_checksum_file_size)
        return file

    return of


def parameters(step):
    """A function of the wildcards: what that step depends on, as one line of JSON."""

    def of(wildcards):
        seed = int(wildcards.seed) if "seed" in wildcards.keys() else None
        return canonical(entry(wildcards).parameters(step, wildcards.get("run", ORIGINAL), seed))

    return of


def launch(wildcards, input):
    """The command that starts a step; a repeat varies what must not matter."""
    return jobs.launch(input.code, entry(wildcards), wildcards.get("run", ORIGINAL))


def repeated_on(wildcards):
    """This machine for a repeat, which is redone on another one; nothing for the original."""
    return "" if wildcards.run == ORIGINAL else MACHINE


def wanted(name):
    """What is wanted of an experiment, as soon as the looks that decide it are made."""

    def look(count):
        return checkpoints.look.get(experiment=name, seeds=count).output.look

    return asked(results.wanted, name, EXPERIMENTS[name], look)


def finished(wildcards):
    """Every file that rules make of every experiment, and the programs."""
    return results.everything([wanted(name) for name in EXPERIMENTS])


def compared(wildcards):
    """What the experiment's verdict rests on, manifests and other files."""
    return wanted(wildcards.experiment).compared


def priced(file):
    """A function of the wildcards: that file of what `./run cost` measured, if it did."""
    return lambda wildcards: results.measured(wildcards.experiment, file)
