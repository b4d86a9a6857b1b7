"""What costs seconds to import is imported only by what needs it."""

import json
from pathlib import Path

import pytest
from samples import LIBRARY, Fresh

MODULES = sorted(
    ".".join(file.relative_to(LIBRARY).with_suffix("").parts)
    for file in LIBRARY.rglob("*.py")
    if file.name != "__init__.py"
)
HEAVY = {"tensorflow", "keras", "yaml", "jsonschema", "safetensors", "pygraphviz"}
SOURCE = """
import json, sys
for name in json.loads(sys.argv[1]):
    __import__(name)
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""


def test_no_module_imports_what_is_heavy(fresh: Fresh) -> None:
    assert "repro.cli.make" in MODULES
    assert "repro.model.training" in MODULES
    done = fresh(SOURCE, json.dumps(MODULES))
    assert done.returncode == 0, done.stderr
    assert not HEAVY & set(json.loads(done.stdout))


LOOKED = """
import json, sys
from repro.core.parameters import Threads
from repro.model.determinism import begin_when_imported
from repro.record.environment import environment
begin_when_imported(0, Threads(2, 1))
environment()
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""


def test_what_looks_at_the_environment_does_not_import_what_is_awaited(fresh: Fresh) -> None:
    done = fresh(LOOKED)
    assert done.returncode == 0, done.stderr
    assert not {"tensorflow", "keras"} & set(json.loads(done.stdout))


LAYERS = ["core", "data", "model", "record", "steps", "audit", "keep", "judge"]


@pytest.mark.parametrize("layer", LAYERS)
def test_a_lower_layer_imports_no_upper_one(layer: str, fresh: Fresh) -> None:
    own = [name for name in MODULES if name.split(".")[1] == layer]
    done = fresh(SOURCE.replace('.split(".")[0]', ""), json.dumps(own))
    loaded = {name.split(".")[1] for name in json.loads(done.stdout) if name.startswith("repro.")}
    assert layer in loaded
    assert not set(LAYERS[LAYERS.index(layer) + 1 :]) & loaded


def test_the_digest_of_the_host_needs_only_the_standard_library(fresh: Fresh) -> None:
    names = ["repro.record.installed", "repro.record.manifest", "repro.core.atomic"]
    done = fresh(SOURCE, json.dumps(names))
    assert "numpy" not in json.loads(done.stdout)
    assert Path(LIBRARY, "repro").is_dir()
