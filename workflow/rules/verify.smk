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


rule compare:
    input:
        judge="results/judge.pyz",
        manifests=compared,
    output:
        verdict="results/{experiment}/verdict.json",
        page="results/{experiment}/verdict.md",
        manifest="results/{experiment}/verdict.manifest.json",
    log:
        "logs/{experiment}/compare.log",
    params:
        parameters=parameters("compare"),
        repeat=repeat_folder,
    conda:
        environment_of
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
