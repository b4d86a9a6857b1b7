# What the rules share. The checked configuration, their environments, and the launcher.
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

HOME = Path(workflow.basedir)
sys.path.insert(0, str(HOME / "workflow" / "lib"))

from repro.core.canonical import canonical
from repro.core.config import check_files, resolve
from repro.core.digest import files_below
from repro.core.errors import UserError
from repro.record.installed import check_renders, current_platform


def channel():
    """Where conda packages come from: as forced, as `./run` remembered, else as locked."""
    remembered = HOME / ".tools" / "channel"
    return config.get("channel") or (
        remembered.read_text().strip() if remembered.exists() else "locked"
    )


def environment(name):
    """The environment file of that name; refused unless it is wholly pinned by the lock."""
    folder = {
        "locked": HOME / "workflow" / "envs",
        "local": HOME / ".tools" / "local" / "envs",
    }[channel()]
    try:
        check_renders(HOME / "conda-lock.yml", folder, name, current_platform())
    except UserError as error:
        raise WorkflowError(str(error))
    return str(folder / f"{name}.yaml")


try:
    EXPERIMENTS = resolve(config)
    check_files(EXPERIMENTS)
except UserError as error:
    raise WorkflowError(str(error))


# Looked at for every experiment as soon as the configuration is read, so that no job runs before.
ENVIRONMENTS = {name: environment(name) for name in {e.environment for e in EXPERIMENTS.values()}}


def entry(wildcards):
    return EXPERIMENTS[wildcards.experiment]


def parameters(step):
    """A function of the wildcards: what that step depends on, as one line of JSON."""

    def of(wildcards):
        seed = int(wildcards.seed) if "seed" in wildcards.keys() else None
        run = wildcards.get("run", "original")
        return canonical(entry(wildcards).parameters(step, run, seed))

    return of


def intra(wildcards):
    return entry(wildcards).training.threads.intra


def launch(wildcards, input):
    """The command that starts a step under the settings of its run, the same for both runs."""
    return f"python -I -B {input.code} launch --run {wildcards.run} --intra {intra(wildcards)} --"


def environment_of(wildcards):
    return ENVIRONMENTS[entry(wildcards).environment]


def code_files(wildcards):
    """The experiment's file, or all files of its folder."""
    path = Path(entry(wildcards).code)
    return [str(path)] if path.is_file() else [str(file) for _, file in files_below(path)]


def data_inputs(wildcards):
    """`--input` options for the raw data: `data=PATH`, or `data:NAME=PATH` for each of several."""
    sources = entry(wildcards).data.items()
    return [f"data:{name}={s.path}" if name else f"data={s.path}" for name, s in sources]


def data_paths(wildcards):
    return [source.path for source in entry(wildcards).data.values()]


def compared(wildcards):
    """The manifests of all that is compared: they come last, so their outputs are there too."""
    repeat = entry(wildcards).repeat
    steps = {"original": ("train", "evaluate")}
    if repeat != "off":
        # A repeat that stops early has no final weights to evaluate.
        steps["repeat"] = ("train", "evaluate") if repeat == "full" else ("train",)
    return [
        f"results/{wildcards.experiment}/{run}/seed-{seed}/{step}.manifest.json"
        for run, names in steps.items()
        for step in names
        for seed in entry(wildcards).seeds
    ]


def repeat_folder(wildcards):
    there = entry(wildcards).repeat != "off"
    return f"--repeat results/{wildcards.experiment}/repeat" if there else ""
