# What the rules share. The checked configuration, their environments, and the launcher.
import json
import sys
from pathlib import Path
from shlex import quote
from time import time_ns

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

from repro.core.canonical_json import canonical
from repro.core.config import check_files, filled, resolve
from repro.core.config_checks import FILE
from repro.core.digest import files_below
from repro.core.errors import UserError
from repro.archive.write import around
from repro.record.installed import current_platform
from repro.record.stale_lock import unlocked
from repro.machine.identity import machine
from repro.record.environment_files import check_renders

PLACE = FILE if ENTRY else "The module's `config`"


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
    known = sorted(file.stem for file in folder.glob("*.yaml"))
    if known and name not in known:
        raise WorkflowError(
            f"{PLACE}: Expected `environment` to be one of {', '.join(known)}. "
            f"Received {name}. Correct it."
        )
    try:
        check_renders(HOME / "conda-lock.yml", folder, name, current_platform())
    except UserError as error:
        raise WorkflowError(str(error))
    return str(folder / f"{name}.yaml")


# So that after a kill the same command goes on.
ALIVE = unlocked(Path.cwd()) if workflow.is_main_process else None

try:
    EXPERIMENTS = resolve(config)
    # What imports this may have rules that make the data; Snakemake names what nobody makes.
    check_files(EXPERIMENTS, data=ENTRY)
except UserError as error:
    raise WorkflowError(str(error).replace(FILE, PLACE))


# Looked at for every experiment as soon as the configuration is read, so that no job runs before.
ENVIRONMENTS = {name: environment(name) for name in {e.environment for e in EXPERIMENTS.values()}}


def entry(wildcards):
    return EXPERIMENTS[wildcards.experiment]


def program(name):
    """A function of the wildcards: that program, once it is known what is packed now."""

    def of(wildcards):
        file = getattr(checkpoints.code.get().output, name)
        limit = workflow.dag_settings.max_checksum_file_size
        if (size := Path(file).stat().st_size) > limit:
            raise WorkflowError(
                f"Expected Snakemake to look into files of {size} bytes, as {file} is. Received a "
                f"limit of {limit}, beyond which it goes by their time, and would train again for "
                "the same program. Add `--max-checksum-file-size 1GB`, or put "
                "`max-checksum-file-size: 1GB` in your profile."
            )
        return file

    return of


def parameters(step):
    """A function of the wildcards: what that step depends on, as one line of JSON."""

    def of(wildcards):
        seed = int(wildcards.seed) if "seed" in wildcards.keys() else None
        run = wildcards.get("run", "original")
        return canonical(entry(wildcards).parameters(step, run, seed))

    return of


def intra(wildcards):
    return entry(wildcards).training.threads.intra


def checkpoint_of(wildcards):
    """Seconds between checkpoints, or `off`; as text, which no job waits for."""
    every = entry(wildcards).checkpoint
    return "off" if every is None else str(every)


def launch(wildcards, input):
    """The command that starts a step; a repeat varies what must not matter."""
    run = wildcards.get("run", "original")
    vary = "" if run == "original" else ",".join(entry(wildcards).factors)
    return (
        f"python -I -B {input.code} launch --run {run} --intra {intra(wildcards)} "
        f"--vary {quote(vary)} --"
    )


MACHINE = machine()


def repeated_on(wildcards):
    """This machine for a repeat, which is redone on another one; nothing for the original."""
    return "" if wildcards.run == "original" else MACHINE


def environment_of(wildcards):
    return ENVIRONMENTS[entry(wildcards).environment]


def code_files(wildcards):
    """The experiment's file, or all files of its folder."""
    return files_of(entry(wildcards).code)


def data_inputs(wildcards):
    """`--input` options for the raw data: `data=PATH`, or `data:NAME=PATH` for each of several."""
    sources = entry(wildcards).data.items()
    return [f"data:{name}={s.path}" if name else f"data={s.path}" for name, s in sources]


def files_of(path):
    """The file itself, or all files of a folder: Snakemake sees no change inside a folder."""
    path = Path(path)
    return [str(file) for _, file in files_below(path)] if path.is_dir() else [str(path)]


def data_files(wildcards):
    """All files of the raw data."""
    return [file for s in entry(wildcards).data.values() for file in files_of(s.path)]


# What is compared, by the step that makes it.
COMPARED = {
    "train": ["weights.safetensors", "trace.jsonl", "history.csv", "train.manifest.json"],
    "evaluate": ["metrics.json", "predictions.npz", "evaluate.manifest.json"],
}
# What rules make beside that: of data, by the name of their manifest, of a training, of an experiment.
BESIDE = {
    "data.manifest.json": ["data/train/id.npy", "data/test/id.npy"],
    "train.manifest.json": ["model.keras"],
}
JUDGED = [
    "probe.json",
    "probe.manifest.json",
    "verdict.json",
    "verdict.md",
    "verdict.manifest.json",
]
PROGRAMS = ["results/code.pyz", "results/judge.pyz", "results/code.manifest.json"]


def looks_of(name):
    """What was looked at so far with `seeds: auto`, and the seeds that are asked for then."""
    chosen, files = EXPERIMENTS[name], []
    for count in chosen.looks[:-1]:
        files.append(checkpoints.look.get(experiment=name, seeds=count).output.look)
        try:
            enough = json.loads(Path(files[-1]).read_text())["enough"]
        except (ValueError, KeyError):
            raise WorkflowError(
                f"Expected what a look found in {files[-1]}. Received a file that cannot be read. "
                "Delete it and run again."
            )
        if enough:
            return files, chosen.seeds[:count]
    return files, chosen.seeds


def finished(wildcards):
    """Every file that rules make of every experiment, and the programs: asked for by the targets, or
    a verdict that stands hides that one of them is gone."""
    every = [*PROGRAMS]
    for name in EXPERIMENTS:
        for file in compared_of(name):
            folder, _, own = file.rpartition("/")
            every += [file, *(f"{folder}/{other}" for other in BESIDE.get(own, ()))]
        every += [f"results/{name}/{file}" for file in JUDGED]
    return every


def looked_at(wildcards):
    """The manifests of all evaluations with the first seeds."""
    chosen = entry(wildcards)
    return [
        f"results/{wildcards.experiment}/{run}/seed-{seed}/evaluate.manifest.json"
        for run in ("original", *chosen.repeated())
        for seed in chosen.seeds[: int(wildcards.seeds)]
    ]


def compared_of(name):
    """All files of an experiment that are compared, and their manifests."""
    chosen = EXPERIMENTS[name]
    looked, own = looks_of(name)
    # A repeat that stops early has no final weights to evaluate.
    again = ["train", "evaluate"] if chosen.repeat == "full" else ["train"]
    steps = {"original": ["train", "evaluate"], **{run: again for run in chosen.repeated()}}
    seeds = {run: chosen.repeated_seeds(own) for run in steps} | {"original": own}
    folder = f"results/{name}"
    return [
        *looked,
        *[file.replace(".json", ".manifest.json") for file in looked],
        *[f"{folder}/{run}/data.manifest.json" for run in steps],
    ] + [
        f"{folder}/{run}/seed-{seed}/{file}"
        for run, names in steps.items()
        for seed in seeds[run]
        for name in names
        for file in COMPARED[name]
    ]


def compared(wildcards):
    """The same, of the experiment that a job is for."""
    return compared_of(wildcards.experiment)


def manifests(wildcards):
    """The manifests among them: what the verdict rests on."""
    return [file for file in compared(wildcards) if file.endswith(".manifest.json")]


def priced(file):
    """A function of the wildcards: that file of what `./run cost` measured, if it did."""

    def of(wildcards):
        folder = Path("results") / wildcards.experiment
        every = [folder / "cost.json", folder / "cost.manifest.json"]
        return [str(folder / file)] if all(path.exists() for path in every) else []

    return of


def drift_manifests():
    """The manifest that was named, or that of every training among the results."""
    if named := config.get("manifest"):
        return [str(named)]
    found = Path("results").glob("*/*/seed-*/train.manifest.json")
    return sorted(path.as_posix() for path in found)


def experiment_of(path):
    """The experiment whose recipe tells the threads with which a step is started now."""
    names = [part for part in Path(path).parts if part in EXPERIMENTS]
    return names[-1] if names else next(iter(EXPERIMENTS))


DRIFT = {path: experiment_of(path) for path in drift_manifests()}


# Of which experiment the price is asked.
PRICED = str(config.get("cost", next(iter(EXPERIMENTS))))

if PRICED not in EXPERIMENTS:
    raise WorkflowError(
        f"Expected the name of an experiment to measure: {', '.join(EXPERIMENTS)}. "
        f"Received {PRICED}. Correct it."
    )


def priced_by_name(wildcards):
    """Nothing; refused where it was left open which of several experiments is meant."""
    if "cost" not in config and len(EXPERIMENTS) > 1:
        raise WorkflowError(
            f"Expected `--config cost=NAME` with one of {', '.join(EXPERIMENTS)}. "
            "Received none. Name one."
        )
    return []


# The only experiment of an archive that was unpacked.
FIRST = next(iter(EXPERIMENTS))


def made_again(wildcards):
    """What the archive holds of the original, as it must be made again here."""
    if "archived" not in config:
        raise WorkflowError(
            "Expected `--config archived=FOLDER` with the results of an archive. Received none. "
            "`./run rerun FILE` does all of it."
        )
    folder = Path(config["archived"])
    found = sorted(folder.glob(f"{FIRST}/original/**/*.manifest.json"))
    if not found:
        raise WorkflowError(
            f"Expected the archived results of {FIRST} in {folder}. Received none. Name the folder "
            "that holds them."
        )
    return [f"results/{path.relative_to(folder).as_posix()}" for path in found]
