# Runs pytest in the locked environment; `./run test` calls it. No outputs: it always runs.
rule tests:
    log:
        f"logs/{config.get('pytest_log', 'tests')}.log",
    conda:
        environment("keras-dev")
    params:
        arguments=config.get("pytest", "tests/unit tests/keras"),
    shell:
        "PYTHONDONTWRITEBYTECODE=1 PYTHONNOUSERSITE=1 python -P -m pytest {params.arguments} "
        "2>&1 | tee {log}"


# How long a set-up takes, on the host itself. Its table is temporary, so that it is made every time.
rule benchmark_set_up:
    input:
        script=HOME / "tests/benchmarks/set_up.py",
    output:
        temp("logs/benchmark-set-up.md"),
    log:
        "logs/benchmark-set-up.log",
    conda:
        environment("keras-dev")
    threads: lambda wildcards: workflow.cores
    params:
        python=sys.executable,
        rounds=config.get("rounds", 1),
    shell:
        # In place of the shell, so that whatever ends the job reaches it, and it clears up.
        "exec {params.python:q} -Es -P {input.script:q} --rounds {params.rounds} > {output} 2> {log}"


# Prints how long a set-up takes, what determinism, trace and check cost, and how often the judge of
# metrics is wrong; tests/benchmarks/README.md says what is measured.
rule benchmark:
    input:
        set_up=rules.benchmark_set_up.output,
        scripts=[
            HOME / "tests/benchmarks" / f"{name}.py"
            for name in ["speed", "trace_cost", "repeat", "kills", "calibration"]
        ],
    log:
        "logs/benchmark.log",
    conda:
        environment("keras-dev")
    shell:
        "(cat {input.set_up}; for script in {input.scripts:q}; do "
        'PYTHONDONTWRITEBYTECODE=1 PYTHONNOUSERSITE=1 python -P "$script"; done) | tee {log}'


# Runs every negative control through a workflow of its own, and prints how much was found.
rule controls:
    input:
        script=HOME / "tests/irreproducible/controls.py",
    log:
        "logs/controls.log",
    conda:
        environment("keras-dev")
    threads: lambda wildcards: workflow.cores
    params:
        arguments=config.get("controls", ""),
    shell:
        "PYTHONDONTWRITEBYTECODE=1 PYTHONNOUSERSITE=1 python -P {input.script:q} --jobs {threads} "
        "{params.arguments} | tee {log}"


# Runs `check` over scripts as users write them, with a fault and without, and prints what it found.
rule scripts:
    input:
        script=HOME / "tests/scripts/scripts.py",
    log:
        "logs/scripts.log",
    conda:
        environment("keras-dev")
    threads: lambda wildcards: workflow.cores
    params:
        arguments=config.get("scripts", ""),
    shell:
        "PYTHONDONTWRITEBYTECODE=1 PYTHONNOUSERSITE=1 python -P {input.script:q} {params.arguments} "
        "| tee {log}"
