# A page shows what was judged and what it rests on; an edit of how it looks makes only pages again.
rule page:
    input:
        report=program("report"),
        verdict="results/{experiment}/verdict.json",
        manifest="results/{experiment}/verdict.manifest.json",
        shown=compared,
        experiment=code_files,
    output:
        page=report(
            "results/{experiment}/report.html",
            caption="../report/page.rst",
            category="{experiment}",
            labels={"page": "the report"},
        ),
        manifest="results/{experiment}/report.manifest.json",
    log:
        "logs/{experiment}/report.log",
    conda:
        environment_of
    resources:
        mem_mb=memory,
        runtime=minutes,
        slurm_partition=partition,
    params:
        parameters=parameters("report"),
        experiment=lambda wildcards: entry(wildcards).code,
    message:
        "write the page of {wildcards.experiment}"
    shell:
        "python -I -B {input.report} page --experiment {wildcards.experiment} "
        "--parameters {params.parameters:q} --folder results/{wildcards.experiment} "
        "--code {params.experiment:q} --log {log}"


# No manifest claims it: it is evidence of nothing.
rule overview:
    input:
        report=program("report"),
        verdicts=expand("results/{experiment}/verdict.json", experiment=EXPERIMENTS),
    output:
        page=report(
            "results/index.html",
            caption="../report/index.rst",
            category="All experiments",
            labels={"page": "overview"},
        ),
    log:
        "logs/index.log",
    localrule: True
    conda:
        environment("keras")
    message:
        "write the overview"
    shell:
        "python -I -B {input.report} index --verdicts {input.verdicts} --out {output} --log {log}"
