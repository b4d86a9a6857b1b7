# Runs pytest in the locked environment; `./run test` calls it. No outputs: it always runs.
rule tests:
    log:
        "logs/tests.log",
    conda:
        environment("keras-dev")
    params:
        arguments=config.get("pytest", "tests/unit tests/keras"),
    shell:
        "PYTHONDONTWRITEBYTECODE=1 PYTHONNOUSERSITE=1 python -P -m pytest {params.arguments} "
        "2>&1 | tee {log}"
