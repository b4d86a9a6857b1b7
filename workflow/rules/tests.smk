# Runs pytest in the locked environment; `./run test` calls it. No outputs: it always runs.
rule tests:
    log:
        "logs/tests.log",
    params:
        arguments=config.get("pytest", "tests/unit tests/keras"),
    conda:
        environment("keras-dev")
    shell:
        "PYTHONDONTWRITEBYTECODE=1 PYTHONNOUSERSITE=1 python -P -m pytest {params.arguments} "
        "2>&1 | tee {log}"
