rule compare:
    input:
        judge="results/judge.pyz",
        compared=compared,
    output:
        verdict="results/{experiment}/verdict.json",
        page="results/{experiment}/verdict.md",
        manifest="results/{experiment}/verdict.manifest.json",
    log:
        "logs/{experiment}/compare.log",
    conda:
        environment_of
    params:
        parameters=parameters("compare"),
        repeat=repeat_folder,
    shell:
        "python -I -B {input.judge} compare --experiment {wildcards.experiment} "
        "--parameters {params.parameters:q} --original results/{wildcards.experiment}/original "
        "{params.repeat} --out results/{wildcards.experiment} --log {log}"


# Without outputs, so that it always reads the verdicts anew and no evidence goes when it fails.
rule verify:
    input:
        judge="results/judge.pyz",
        verdicts=expand("results/{experiment}/verdict.json", experiment=EXPERIMENTS),
    log:
        "logs/verify.log",
    conda:
        environment("keras")
    shell:
        "python -I -B {input.judge} verify {input.verdicts} --log {log}"
