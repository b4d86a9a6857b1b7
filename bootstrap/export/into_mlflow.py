"""Writes runs into an MLflow store: run by the Python that has MLflow, with nothing of ours.

Synopsis:
    python into_mlflow.py [URI] < runs.json

A run that was written to its end, as its tag of the identity tells, is not written again; one
that was not is removed first. Prints how many of each experiment are new, and how many were there.
"""

import json
import sys
from contextlib import redirect_stdout
from importlib import import_module
from typing import Any, Dict, List, Tuple  # noqa: UP035 (also for a Python of 3.8)

METRICS, PARAMETERS = 1000, 100
"""So many MLflow takes at once."""


Run = Dict[str, Any]  # noqa: UP006


def main() -> None:
    """Write what standard input holds, and print what was done."""
    del sys.path[0]  # where this lies: a module of ours is none of MLflow's
    mlflow: Any = import_module("mlflow")
    if len(sys.argv) > 1:
        mlflow.set_tracking_uri(sys.argv[1])
    client = mlflow.MlflowClient()
    with redirect_stdout(sys.stderr):  # to a server, MLflow prints where each run is
        told = {name: written(client, name, runs) for name, runs in json.load(sys.stdin).items()}
    print(json.dumps({"store": mlflow.get_tracking_uri(), "experiments": told}))


def written(client: Any, name: str, runs: List[Run]) -> Tuple[int, int]:  # noqa: UP006
    """Write the runs of an experiment; return how many are new, and how many were there."""
    experiment = client.get_experiment_by_name(name)
    number = experiment.experiment_id if experiment else client.create_experiment(name)
    new = [run for run in runs if not there(client, number, run["identity"])]
    for run in new:
        write(client, number, run)
    return len(new), len(runs) - len(new)


def there(client: Any, number: str, identity: str) -> bool:
    """Whether that run is in the store; what of it was half written is removed."""
    found = client.search_runs([number], f"tags.\"repro.identity\" = '{identity}'")
    whole = [run for run in found if run.info.status == "FINISHED"]
    for run in found:
        if run.info.status != "FINISHED":
            client.delete_run(run.info.run_id)
    return bool(whole)


def write(client: Any, number: str, run: Run) -> None:
    """Write a run, and at last that it is finished."""
    tags = {**run["tags"], "repro.identity": run["identity"]}
    made = client.create_run(number, start_time=run["begin"], tags=tags, run_name=run["name"])
    key, entities = made.info.run_id, import_module("mlflow.entities")
    metrics = [entities.Metric(*metric) for metric in run["metrics"]]
    for first in range(0, len(metrics), METRICS):
        client.log_batch(key, metrics=metrics[first : first + METRICS])
    parameters = [entities.Param(*pair) for pair in run["parameters"].items()]
    for first in range(0, len(parameters), PARAMETERS):
        client.log_batch(key, params=parameters[first : first + PARAMETERS])
    for folder, files in run["files"].items():
        for file in files:
            client.log_artifact(key, file, folder)
    client.set_terminated(key, "FINISHED", run["end"])


main()
