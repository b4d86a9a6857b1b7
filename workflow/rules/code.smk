# A checkpoint, so that what is packed decides what runs again, and not that it was packed again.
checkpoint code:
    input:
        script=HOME / "workflow/scripts/pack.py",
        # Also what is not packed, but recorded: it too decides what the workflow does.
        sources=[
            HOME / name
            for name in sorted(module("pack", HOME / "workflow/scripts/pack.py").sources())
        ],
    output:
        code="results/code.pyz",
        judge="results/judge.pyz",
        report="results/report.pyz",
        manifest="results/code.manifest.json",
    log:
        "logs/code.log",
    localrule: True
    conda:
        environment("keras")
    message:
        "pack the programs"
    shell:
        "python -I -B {input.script:q} --out results --log {log}"
