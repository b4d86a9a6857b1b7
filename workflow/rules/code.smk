# A checkpoint, so that what is packed decides what runs again, and not that it was packed again.
checkpoint code:
    input:
        script=HOME / "workflow/scripts/pack.py",
        # Also what is recorded and not packed. What is neither is there because to tell it apart
        # costs more, at each start, than to pack the same programs again after an edit of it.
        sources=[
            HOME / name
            for name in sorted(module("pack", HOME / "workflow/scripts/pack.py").all_files())
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
