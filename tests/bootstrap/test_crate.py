"""What an archive says in RO-Crate's words is read by a program of others, as they mean it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from repro.archive.open_archive import accepted
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests_cache import CachedSession
from small_archive import members
from small_results import write
from urllib3 import HTTPResponse

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning"),
]

CONTEXTS = Path(__file__).parents[1] / "archives" / "contexts"
ADDRESSES = {
    "https://w3id.org/ro/crate/1.1/context": CONTEXTS / "ro-crate-1.1.json",
    "https://w3id.org/ro/terms/workflow-run/context": CONTEXTS / "workflow-run.json",
}
PROFILE = "provenance-run-crate"
OF_IT = {"workflow-run-crate", "process-run-crate", "workflow-ro-crate", "ro-crate"}
"""The profiles of which it asks all that they require."""
# What the validator would like as well, and why it is not there.
KNOWN = {
    "The Application SHOULD have a url": "nobody published this workflow at an address of its own",
    "The SoftwareApplication id SHOULD be an absolute URI": "package URLs are; it takes http alone",
    "The Main Workflow SHOULD comply with Bioschemas ComputationalWorkflow": "it wants a creator",
    "The Action SHOULD have an agent that is a Person or Organization": "manifests name nobody",
    "The Root Data Entity SHOULD have a link to a Contextual Entity representing the `author`": (
        "manifests name nobody; CITATION.cff is the place for authors"
    ),
    "The `publisher` property of a `Root Data Entity` SHOULD be an `Organization`": (
        "whoever publishes it comes later"
    ),
}


class Local(HTTPAdapter):
    """Answers from the files beside, in place of a server."""

    def send(self, request: PreparedRequest, *_: Any, **__: Any) -> Response:
        assert request.url is not None
        content = ADDRESSES[request.url].open("rb")
        raw = HTTPResponse(
            content, {"Content-Type": "application/ld+json"}, 200, preload_content=False,
            request_url=request.url,
        )  # fmt: skip
        return self.build_response(request, raw)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The validator's own cache, filled with what it would fetch."""
    path = tmp_path_factory.mktemp("cache") / "contexts"
    with CachedSession(cache_name=str(path), backend="sqlite", expire_after=-1) as session:
        session.mount("https://", Local())
        for address in ADDRESSES:
            session.get(address)
    return path


@pytest.fixture(scope="session")
def issues(cache: Path) -> Callable[..., list[str]]:
    """Ask the validator, without a network."""
    from rocrate_validator import services
    from rocrate_validator.models import Severity

    def ask(crate: Path, severity: str = "REQUIRED") -> list[str]:
        settings = services.ValidationSettings(
            rocrate_uri=str(crate), profile_identifier=PROFILE, cache_path=cache, offline=True,
            requirement_severity=Severity[severity],
        )  # fmt: skip
        return sorted({str(issue.message) for issue in services.validate(settings).get_issues()})

    return ask


def test_the_profile_asks_what_all_profiles_of_a_run_require() -> None:
    from rocrate_validator import services

    inherited = services.get_profile(PROFILE).inherited_profiles
    assert {profile.identifier.rpartition("-")[0] for profile in inherited} == OF_IT


def test_the_validator_has_no_objection_but_to_what_is_known_and_has_a_reason(
    sound: Path, issues: Callable[..., list[str]]
) -> None:
    """Nothing that is known is required, for of each it says what SHOULD be."""
    found = issues(sound, "RECOMMENDED")
    assert found == sorted(found)
    assert [m for m in found if not m.startswith(tuple(KNOWN))] == []
    assert len(found) == len(KNOWN)


def test_it_objects_where_something_required_is_gone(
    sound: Path, tmp_path: Path, issues: Callable[..., list[str]]
) -> None:
    """Else its silence would say nothing."""
    for name, content in members(sound).items():
        write(tmp_path / "crate" / name, content)
    file = tmp_path / "crate/ro-crate-metadata.json"
    value = json.loads(file.read_bytes())
    root = next(entity for entity in value["@graph"] if entity["@id"] == "./")
    gone = ("mainEntity", "license", "datePublished")
    for what in gone:
        del root[what]
    file.write_text(json.dumps(value))
    found = issues(tmp_path / "crate")
    assert [what for what in gone if not any(f"`{what}`" in issue for issue in found)] == []


@pytest.fixture
def graph(sound: Path) -> dict[str, dict[str, Any]]:
    value = json.loads(members(sound)["ro-crate-metadata.json"])
    return {entity["@id"]: entity for entity in value["@graph"]}


def test_every_file_is_in_it_with_digest_and_size(
    sound: Path, graph: dict[str, dict[str, Any]]
) -> None:
    with accepted(sound) as inside:
        listed = {part["@id"] for part in graph["./"]["hasPart"]}
        others = {"ro-crate-metadata.json", "SHA256SUMS"}
        assert listed == {name.replace(" ", "%20") for name in inside.kept} - others
        for name, kept in inside.kept.items():
            if name not in others:
                entity = graph[name.replace(" ", "%20")]
                assert (entity["sha256"], entity["contentSize"]) == (kept.sha256, str(kept.size))


def test_every_manifest_is_an_action_with_its_times_inputs_and_outputs(
    sound: Path, graph: dict[str, dict[str, Any]]
) -> None:
    inside = members(sound)
    names = [name for name in inside if name.endswith(".manifest.json")]
    for name in names:
        value = json.loads(inside[name])
        action = graph[f"#job/{name.removeprefix('results/')}"]
        times = value["predicate"]["runDetails"]["metadata"]
        assert action["startTime"] == times["startedOn"].replace("Z", "+00:00")
        results = {result["@id"] for result in action["result"]}
        folder = name.rpartition("/")[0]
        assert {f"{folder}/{s['name']}" for s in value["subject"]} | {name} == results
        used = value["predicate"]["buildDefinition"]["resolvedDependencies"]
        assert len(action["object"]) >= len([u for u in used if "name" in u])
    train = graph["#job/tiny/original/seed-0/train.manifest.json"]
    used = {part["@id"] for part in train["object"]}
    assert {"results/code.pyz", "tiny/layers.py", "conda-lock.yml"} <= used
    assert "results/tiny/original/data/train/x.npy" in used
    prepare = graph["#job/tiny/original/data.manifest.json"]
    assert {"@id": "raw%20data.csv"} in prepare["object"]


def test_every_reference_leads_to_something(graph: dict[str, dict[str, Any]]) -> None:
    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            inner = [r for part in value.values() for r in references(part)]
            return [value["@id"]] if list(value) == ["@id"] else inner
        return [r for part in value for r in references(part)] if isinstance(value, list) else []

    found = {r for entity in graph.values() for r in references(list(entity.values()))}
    outside = {r for r in found - graph.keys() if not r.startswith("https://")}
    assert outside == set()
    assert "#run" in found
