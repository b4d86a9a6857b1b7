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


# Prints what determinism, trace and check cost, and how often the judge of metrics is wrong;
# tests/benchmarks/README.md says what is measured.
rule benchmark:
    input:
        scripts=[
            HOME / "tests/benchmarks" / f"{name}.py"
            for name in ["speed", "trace_cost", "repeat", "kills", "calibration"]
        ],
    log:
        "logs/benchmark.log",
    conda:
        environment("keras-dev")
    shell:
        "for script in {input.scripts:q}; do "
        'PYTHONDONTWRITEBYTECODE=1 PYTHONNOUSERSITE=1 python -P "$script"; done | tee {log}'


# Runs every negative control through a workflow of its own, and prints how much was found.
rule controls:
    input:
        script=HOME / "tests/irreproducible/controls.py",
    log:
        "logs/controls.log",
    conda:
        environment("keras-dev")
    threads: workflow.cores
    params:
        arguments=config.get("controls", ""),
    shell:
        "PYTHONDONTWRITEBYTECODE=1 PYTHONNOUSERSITE=1 python -P {input.script:q} --jobs {threads} "
        "{params.arguments} | tee {log}"
