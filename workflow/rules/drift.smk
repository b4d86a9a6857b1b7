# Says what differs between now and when results were made: `./run drift`, or
# `snakemake drift --config manifest=FILE`. It builds no result.
from time import time_ns

DRIFT = requests.drifting(config, list(EXPERIMENTS))


# What a step of training would find around it now; never out of date, since it always runs.
rule surroundings:
    input:
        code="results/code.pyz",
    output:
        "logs/{experiment}/environment.json",
    log:
        "logs/{experiment}/environment.log",
    conda:
        environment_of
    threads: intra
    resources:
        mem_mb=memory,
        runtime=minutes,
        slurm_partition=partition,
        gpu=gpu,
        gpu_model=gpu_model,
    params:
        launch=launch,
        parameters=lambda wildcards: canonical(
            entry(wildcards).parameters("train", "original", entry(wildcards).seeds[0])
        ),
        moment=time_ns(),
    message:
        "look at what surrounds {wildcards.experiment}"
    shell:
        "{params.launch} environment --parameters {params.parameters:q} --out {output} --log {log}"


rule drift:
    input:
        judge="results/judge.pyz",
        now=expand(
            "logs/{experiment}/environment.json",
            experiment=sorted(set(DRIFT.values())),
        ),
    log:
        "logs/drift.log",
    localrule: True
    conda:
        environment("keras")
    params:
        pairs=[f"{path}=logs/{name}/environment.json" for path, name in DRIFT.items()],
    message:
        "list what differs now"
    shell:
        "python -I -B {input.judge} drift {params.pairs:q} --log {log}"
