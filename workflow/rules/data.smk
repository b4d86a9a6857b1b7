rule prepare:
    input:
        code=program("code"),
        experiment=code_files,
        data=data_files,
        before=before("results/{experiment}/{run}/data.manifest.json"),
    output:
        # Not directory(): Snakemake would leave a file of its own there. What else lies in the
        # folder is claimed by the manifest, and checked against it by each step that reads it.
        train="results/{experiment}/{run}/data/train/id.npy",
        test="results/{experiment}/{run}/data/test/id.npy",
        manifest="results/{experiment}/{run}/data.manifest.json",
    log:
        "logs/{experiment}/{run}/prepare.log",
    conda:
        environment_of
    resources:
        mem_mb=memory,
        runtime=minutes,
        slurm_partition=partition,
        slurm_extra=another_node,
    params:
        launch=launch,
        machine=repeated_on,
        parameters=parameters("prepare"),
        experiment=lambda wildcards: entry(wildcards).code,
        data=data_inputs,
    message:
        "prepare {wildcards.experiment}, {wildcards.run}"
    shell:
        "{params.launch} prepare --experiment {wildcards.experiment} --run {wildcards.run} "
        "--parameters {params.parameters:q} --input experiment={params.experiment:q} "
        "{params.data:q} --out results/{wildcards.experiment}/{wildcards.run} --log {log}"
