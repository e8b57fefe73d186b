"""`orderhub route plan`: the router on a file, without a database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from hub import schemas
from hub.cli.app import app
from hub.domain.routing.document import from_document, to_document
from hub.domain.routing.plan import plan

EXAMPLES = sorted(Path("docs/examples/routing").glob("*.json"))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs `orderhub route plan`; there is no database to be found."""
    monkeypatch.setenv("ORDERHUB_DATABASE", f"sqlite:///{tmp_path}/no/such/folder/hub.sqlite3")
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *words, **more: CliRunner().invoke(app, ["route", "plan", *words], **more)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_the_examples_keep_the_schema_and_give_what_the_router_gives(file: Path, run: Any) -> None:
    document = orjson.loads(file.read_bytes())
    assert schemas.errors("routing-input.v1", document) == []
    snapshot = from_document(document)
    assert schemas.errors("routing-input.v1", to_document(snapshot)) == []
    result = run(str(file))
    assert result.exit_code == 0, result.output
    said, decided = orjson.loads(result.stdout), plan(snapshot)
    assert (said["reason"], said["inputs_hash"], said["strategy"]) == (
        decided.reason,
        decided.inputs_hash,
        decided.strategy,
    )
    assert said["trace"] == orjson.loads(orjson.dumps(dict(decided.trace)))
    assert sum(sum(part["units"].values()) for part in said["parts"]) + sum(
        rest["units"] for rest in said["remainder"]
    ) == sum(line["units"] for line in document["lines"])


def test_there_are_three_examples() -> None:
    assert [file.stem for file in EXAMPLES] == ["cheapest", "ladder", "one-parcel"]


def test_a_stored_document_is_replayed_to_the_same_output(run: Any) -> None:
    first = run("docs/examples/routing/ladder.json").stdout
    again = to_document(from_document(orjson.loads(Path("docs/examples/routing/ladder.json").read_bytes())))
    assert run("-", input=orjson.dumps(again)).stdout == first


def test_the_reason_and_the_steps_are_explained_in_lines(run: Any) -> None:
    said = run("docs/examples/routing/one-parcel.json", "--explain").stdout.splitlines()
    assert said[0] == "W-CHI because it ships all 2 lines; S-PHL is nearer (130 km) but would need 2 packages."
    assert said[-1].strip() == "Chosen W-CHI: 2 units."


def lanes(*each: dict[str, Any]) -> dict[str, Any]:
    """A change of the first location's lanes."""
    document = orjson.loads(Path("docs/examples/routing/one-parcel.json").read_bytes())
    first, *others = document["locations"]
    return {"locations": [{**first, "lanes": list(each)}, *others]}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"lines": [{"id": "l1", "variant": "mug", "units": 0}]}, "/lines/0/units: 0 is less than the minimum of 1"),
        ({"colour": "red"}, "/: Additional properties are not allowed"),
        ({"excluded": [{"line": "l1", "location": "MARS"}]}, "/excluded/0/location: there is no location 'MARS'"),
        ({"lines": [{"id": "l1", "variant": "mug", "units": 1}] * 2}, "/lines/1/id: 'l1' is there twice"),
        ({"sellable": [{"location": "W-CHI", "variant": "mug", "units": 1}] * 2}, "/sellable/1: 'mug' at 'W-CHI' is given twice"),
        ({"lines": []}, "/lines: [] has less than 1 item"),
        ({"lines": [{"id": "l1", "variant": "mug", "units": 2, "per_kit": 1}]}, "/lines/0/per_kit: only a line of a group"),
        ({"rules": {"steps": [{"rankers": ["luck"]}]}}, "/rules/steps/0/rankers/0: no ranker is called 'luck'; there are: acceptance_rate"),
        ({"rules": {"steps": [{"rankers": ["closest:km"]}]}}, "/rules/steps/0/rankers/0: the ranker closest takes no argument"),
        ({"rules": {"steps": [{"rankers": ["metafield"]}]}}, "/rules/steps/0/rankers/0: the ranker metafield needs an argument"),
        ({"rules": {"steps": [{"name": "a", "on_remainder": "hold"}, {}]}}, "/rules/steps/1: never reached"),
        ({"rules": {"strategy": "luck"}}, "no routing strategy is called 'luck'; there are: cost, http, ranked"),
        ({"promise": "2026-02-30"}, "/promise: "),
        (lanes({"name": "a", "tiers": [{"up_to_g": 9, "charge_minor": 1}, {"up_to_g": 5, "charge_minor": 2}]}), "/locations/0/lanes/0/tiers/1: up to 5 g stands behind up to 9 g"),
        (lanes(*[{"name": "a", "tiers": [{"up_to_g": 9, "charge_minor": 1}]}] * 2), "/locations/0/lanes/1/name: another lane is called 'a' already"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_path(change: dict[str, Any], said: str, run: Any) -> None:
    document = orjson.loads(Path("docs/examples/routing/one-parcel.json").read_bytes()) | change
    result = run("-", input=orjson.dumps(document))
    assert result.exit_code == 2
    assert result.stdout == ""
    assert said in result.stderr


@pytest.mark.parametrize(
    ("content", "said"), [(b"{", "unexpected end"), (b"[]", "/: [] is not of type"), (None, "No such file")]
)
def test_what_is_no_json_object_or_not_there_is_refused(
    content: bytes | None, said: str, run: Any, tmp_path: Path
) -> None:
    file = tmp_path / "input.json"
    if content is not None:
        file.write_bytes(content)
    result = run(str(file))
    assert result.exit_code == 2
    assert said in result.stderr


def fields(schema: Any, path: str = "") -> Any:
    """Every field of a schema with its description."""
    for name, rule in schema.get("properties", {}).items():
        yield f"{path}/{name}", rule.get("description") or "$ref" in rule
        yield from fields(rule, f"{path}/{name}")
        yield from fields(rule.get("items", {}), f"{path}/{name}[]")
    for name, rule in schema.get("$defs", {}).items():
        yield from fields(rule, f"/$defs/{name}")


def test_every_field_of_the_schema_is_described() -> None:
    assert [path for path, said in fields(schemas.schema("routing-input.v1")) if not said] == []
