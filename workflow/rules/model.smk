rule train:
    input:
        code=program("code"),
        experiment=code_files,
        pretrained=pretrained_files,
        data="results/{experiment}/{run}/data/train/id.npy",
        manifest="results/{experiment}/{run}/data.manifest.json",
        before=before("results/{experiment}/{run}/seed-{seed}/train.manifest.json"),
    output:
        weights="results/{experiment}/{run}/seed-{seed}/weights.safetensors",
        trace="results/{experiment}/{run}/seed-{seed}/trace.jsonl",
        history="results/{experiment}/{run}/seed-{seed}/history.csv",
        manifest="results/{experiment}/{run}/seed-{seed}/train.manifest.json",
    log:
        "logs/{experiment}/{run}/train-{seed}.log",
    conda:
        environment_of
    threads: intra
    resources:
        mem_mb=memory,
        runtime=minutes,
        slurm_partition=partition,
        slurm_extra=another_node,
        gpu=gpu,
        gpu_model=gpu_model,
        # No parameter: how often checkpoints are written changes no result, and trains nothing again.
        checkpoint=checkpoint_of,
    params:
        launch=launch,
        machine=repeated_on,
        parameters=parameters("train"),
        experiment=lambda wildcards: entry(wildcards).code,
        pretrained=pretrained_inputs,
    message:
        "train {wildcards.experiment}, {wildcards.run}, seed {wildcards.seed}"
    shell:
        "{params.launch} train --experiment {wildcards.experiment} --run {wildcards.run} "
        "--parameters {params.parameters:q} --input experiment={params.experiment:q} {params.pretrained:q} "
        "--input data=results/{wildcards.experiment}/{wildcards.run}/data "
        "--input data.manifest={input.manifest} "
        "--checkpoints checkpoints/{wildcards.experiment}/{wildcards.run}/seed-{wildcards.seed} "
        "--every {resources.checkpoint} "
        "--events logs/{wildcards.experiment}/{wildcards.run}/train-{wildcards.seed} "
        "--out results/{wildcards.experiment}/{wildcards.run}/seed-{wildcards.seed} --log {log}"


rule evaluate:
    input:
        code=program("code"),
        experiment=code_files,
        pretrained=pretrained_files,
        data="results/{experiment}/{run}/data/test/id.npy",
        weights="results/{experiment}/{run}/seed-{seed}/weights.safetensors",
        manifests=[
            "results/{experiment}/{run}/data.manifest.json",
            "results/{experiment}/{run}/seed-{seed}/train.manifest.json",
        ],
        before=before("results/{experiment}/{run}/seed-{seed}/evaluate.manifest.json"),
    output:
        metrics="results/{experiment}/{run}/seed-{seed}/metrics.json",
        predictions="results/{experiment}/{run}/seed-{seed}/predictions.npz",
        manifest="results/{experiment}/{run}/seed-{seed}/evaluate.manifest.json",
    log:
        "logs/{experiment}/{run}/evaluate-{seed}.log",
    conda:
        environment_of
    threads: intra
    resources:
        mem_mb=memory,
        runtime=minutes,
        slurm_partition=partition,
        slurm_extra=another_node,
        gpu=gpu,
        gpu_model=gpu_model,
    params:
        launch=launch,
        machine=repeated_on,
        parameters=parameters("evaluate"),
        experiment=lambda wildcards: entry(wildcards).code,
        pretrained=pretrained_inputs,
    message:
        "evaluate {wildcards.experiment}, {wildcards.run}, seed {wildcards.seed}"
    shell:
        "{params.launch} evaluate --experiment {wildcards.experiment} --run {wildcards.run} "
        "--parameters {params.parameters:q} --input experiment={params.experiment:q} {params.pretrained:q} "
        "--input data=results/{wildcards.experiment}/{wildcards.run}/data "
        "--input weights={input.weights} "
        "--input data.manifest={input.manifests[0]} --input train.manifest={input.manifests[1]} "
        "--out results/{wildcards.experiment}/{wildcards.run}/seed-{wildcards.seed} --log {log}"


# Mistakes on which both runs agree show in the first steps of another seed, and in the graph.
rule probe:
    input:
        code=program("code"),
        experiment=code_files,
        pretrained=pretrained_files,
        data="results/{experiment}/original/data/train/id.npy",
        manifest="results/{experiment}/original/data.manifest.json",
    output:
        probe="results/{experiment}/probe.json",
        manifest="results/{experiment}/probe.manifest.json",
    log:
        "logs/{experiment}/probe.log",
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
            entry(wildcards).parameters("probe", seed=entry(wildcards).seeds[0])
        ),
        experiment=lambda wildcards: entry(wildcards).code,
        pretrained=pretrained_inputs,
    message:
        "probe {wildcards.experiment} for silent errors"
    shell:
        "{params.launch} probe --experiment {wildcards.experiment} --run original "
        "--parameters {params.parameters:q} --input experiment={params.experiment:q} {params.pretrained:q} "
        "--input data=results/{wildcards.experiment}/original/data "
        "--input data.manifest={input.manifest} "
        "--out results/{wildcards.experiment} --log {log}"
