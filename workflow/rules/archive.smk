# Makes an archive of each experiment; `./run archive NAME` makes one.
rule archive:
    input:
        expand("archives/{experiment}.crate.zip", experiment=EXPERIMENTS),
    localrule: True


rule archived:
    input:
        code="results/code.manifest.json",
        verdict="results/{experiment}/verdict.manifest.json",
        page="results/{experiment}/report.manifest.json",
        # What lies in it besides that on which these rest.
        around=sorted(around(HOME).values()),
    output:
        "archives/{experiment}.crate.zip",
    log:
        "logs/{experiment}/archive.log",
    localrule: True
    conda:
        environment("keras")
    params:
        # The host's work, in the Python that runs Snakemake, whatever environment is around it.
        python=sys.executable,
        program=HOME / "bootstrap",
        project=Path.cwd(),
        # As it is written into the archive: some keys change no result.
        configuration=lambda wildcards: canonical(filled(config, wildcards.experiment)),
    message:
        "archive {wildcards.experiment}"
    shell:
        "{params.python:q} -Es {params.program:q} archive {wildcards.experiment} --directory {params.project:q} "
        "--out {output} 2>&1 | tee {log}"


# Holds results against those of an archive from which they were made again: `./run rerun FILE`.
rule reproduce:
    input:
        judge=config.get("judge", "results/judge.pyz"),
        again=lambda wildcards: asked(requests.made_again, config, FIRST),
    log:
        f"logs/{FIRST}/reproduce.log",
    localrule: True
    conda:
        ENVIRONMENTS[EXPERIMENTS[FIRST].environment]
    params:
        name=FIRST,
        archived=f"{config.get('archived', '')}/{FIRST}",
        evaluated="--evaluated" if config.get("evaluated") else "",
    message:
        "compare {params.name} with its archive"
    shell:
        "python -I -B {input.judge:q} reproduce --experiment {params.name} {params.evaluated} "
        "--archived {params.archived:q} --again results/{params.name} --folder . --log {log}"
