# With `seeds: auto`: whether so many are enough. A checkpoint, since the seeds to come depend on it.
checkpoint look:
    input:
        judge=program("judge"),
        manifests=lambda wildcards: results.looked_at(
            wildcards.experiment, entry(wildcards), int(wildcards.seeds)
        ),
    output:
        look="results/{experiment}/look-{seeds}.json",
        manifest="results/{experiment}/look-{seeds}.manifest.json",
    log:
        "logs/{experiment}/look-{seeds}.log",
    conda:
        environment_of
    resources:
        mem_mb=memory,
        runtime=minutes,
        slurm_partition=partition,
    params:
        parameters=parameters("look"),
    message:
        "interim analysis of {wildcards.experiment} after {wildcards.seeds} seeds"
    shell:
        "python -I -B {input.judge} look --experiment {wildcards.experiment} "
        "--parameters {params.parameters:q} --manifests {input.manifests} --seeds {wildcards.seeds} "
        "--folder results/{wildcards.experiment} --log {log}"


rule compare:
    input:
        judge=program("judge"),
        compared=compared,
        manifests=lambda wildcards: results.manifests(compared(wildcards)),
        probe="results/{experiment}/probe.json",
        probed="results/{experiment}/probe.manifest.json",
        # Where the runs diverge, single steps are run again to find the cause.
        code=program("code"),
        experiment=code_files,
        data=data_files,
        pretrained=pretrained_files,
        # What `./run cost` has left there, if anything.
        price=priced("cost.manifest.json"),
        prices=priced("cost.json"),
    output:
        verdict="results/{experiment}/verdict.json",
        page="results/{experiment}/verdict.md",
        manifest="results/{experiment}/verdict.manifest.json",
    log:
        "logs/{experiment}/compare.log",
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
        parameters=parameters("compare"),
        elsewhere=of_entry(lambda chosen: "--elsewhere" if chosen.elsewhere else ""),
        experiment=lambda wildcards: entry(wildcards).code,
        data=data_inputs,
        pretrained=pretrained_inputs,
    message:
        "compare {wildcards.experiment}"
    shell:
        "python -I -B {input.judge} compare --experiment {wildcards.experiment} "
        "--parameters {params.parameters:q} --folder results/{wildcards.experiment} {params.elsewhere} "
        "--manifests {input.manifests} {input.probed} --program {input.code} "
        "--input experiment={params.experiment:q} {params.data:q} {params.pretrained:q} "
        "--price {input.price} --log {log}"


# Without outputs, so that it always reads the verdicts again and no evidence goes when it fails.
rule verify:
    input:
        judge="results/judge.pyz",
        verdicts=expand("results/{experiment}/verdict.json", experiment=EXPERIMENTS),
        finished=finished,
    log:
        "logs/verify.log",
    localrule: True
    conda:
        environment("keras")
    message:
        "verify the verdicts"
    shell:
        "python -I -B {input.judge} verify {input.verdicts} --log {log}"
