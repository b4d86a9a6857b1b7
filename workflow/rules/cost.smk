# Measures what determinism, trace and checkpoints cost an experiment: `./run cost NAME`, or
# `snakemake cost --config cost=NAME`. Without outputs, so that it measures again whenever it is asked,
# and is never asked by another rule: `compare` takes the figures that lie there.
rule cost:
    input:
        named=lambda wildcards: asked(requests.unnamed, config, list(EXPERIMENTS)),
        judge="results/judge.pyz",
        code="results/code.pyz",
        experiment=jobs.files_of(EXPERIMENTS[PRICED].code),
        pretrained=jobs.pretrained_files(EXPERIMENTS[PRICED]),
        data=f"results/{PRICED}/original/data/train/id.npy",
        manifest=f"results/{PRICED}/original/data.manifest.json",
    log:
        f"logs/{PRICED}/cost.log",
    localrule: True
    conda:
        ENVIRONMENTS[EXPERIMENTS[PRICED].environment]
    # Alone: what runs beside it would be measured too.
    threads: lambda wildcards: workflow.cores
    params:
        name=PRICED,
        parameters=canonical(
            EXPERIMENTS[PRICED].parameters("cost", seed=EXPERIMENTS[PRICED].seeds[0])
        ),
        experiment=lambda wildcards: EXPERIMENTS[PRICED].code,
        pretrained=lambda wildcards: jobs.pretrained_inputs(EXPERIMENTS[PRICED]),
        rounds=f"--rounds {config['rounds']}" if "rounds" in config else "",
    message:
        "measure the overhead in {params.name}"
    shell:
        "python -I -B {input.judge} cost --experiment {params.name} {params.rounds} "
        "--parameters {params.parameters:q} --program {input.code} "
        "--input experiment={params.experiment:q} {params.pretrained:q} data=results/{params.name}/original/data "
        "data.manifest={input.manifest} --folder results/{params.name} --log {log}"
