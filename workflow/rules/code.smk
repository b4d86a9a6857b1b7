rule code:
    input:
        script=HOME / "workflow/scripts/pack.py",
        library=sorted((HOME / "workflow/lib").rglob("*.py")),
        schemas=sorted((HOME / "workflow/schemas").glob("*.yaml")),
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
