# A checkpoint, so that what is packed decides what runs again, and not that it was packed again.
checkpoint code:
    input:
        script=HOME / "workflow/scripts/pack.py",
        library=sorted((HOME / "workflow/lib").rglob("*.py")),
        # Not packed, but recorded: they too decide what the workflow does.
        others=sorted(
            HOME / file
            for kind in [
                "schemas/*.yaml",
                "rules/*.smk",
                "envs/*",
                "../environment.yml",
                "../Snakefile",
            ]
            for file in (HOME / "workflow").glob(kind)
        ),
    output:
        code="results/code.pyz",
        judge="results/judge.pyz",
        manifest="results/code.manifest.json",
    log:
        "logs/code.log",
    conda:
        environment("keras")
    shell:
        "python -I -B {input.script:q} --out results --log {log}"
