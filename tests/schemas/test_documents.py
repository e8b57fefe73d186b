"""The schema files and the dataclasses say the same, field by field; documents survive the way in."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass, make_dataclass
from datetime import UTC, date, datetime
from typing import Any, Union, get_args, get_origin, get_type_hints

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub import schemas
from hub.domain import documents

PRIMITIVES = {str: "string", int: "integer", float: "number", bool: "boolean", datetime: "date-time", date: "date"}
each = pytest.mark.parametrize("name", sorted(schemas.DOCUMENTS))


def resolved(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    """The rule itself, behind any $ref to the shared parts."""
    while "$ref" in rule:
        _, _, path = rule["$ref"].partition("#/$defs/")
        rule = schemas.schema("common.v1")["$defs"][path]
    return rule


def wanted_kind(rule: Mapping[str, Any]) -> str:
    return str(rule.get("format", rule["type"]) if rule["type"] == "string" else rule["type"])


def without_none(kind: Any) -> tuple[Any, bool]:
    """The type and whether None is allowed beside it."""
    if get_origin(kind) not in {Union, types.UnionType}:
        return kind, False
    (inner,) = [one for one in get_args(kind) if one is not type(None)]
    return inner, True


def differences(rule: Mapping[str, Any], cls: type, path: str = "") -> Iterator[str]:
    """Everything in which an object's schema and its dataclass differ; nothing when they agree."""
    rule = resolved(rule)
    if rule.get("additionalProperties") is not False:
        yield f"{path}: the schema lets unknown fields in"
    hints, known = get_type_hints(cls), {one.name: one for one in fields(cls)}
    for name in sorted(set(rule["properties"]) ^ set(known)):
        yield f"{path}/{name}: only in the {'schema' if name in rule['properties'] else 'class'}"
    for name in sorted(set(rule["properties"]) & set(known)):
        required = name in rule.get("required", ())
        yield from field_differences(rule["properties"][name], known[name], hints[name], required, f"{path}/{name}")


def field_differences(rule: Mapping[str, Any], one: Field[Any], hint: Any, required: bool, path: str) -> Iterator[str]:
    rule = resolved(rule)
    has_default = one.default is not MISSING
    if required == has_default:
        yield f"{path}: required is {required} and the class has {'a' if has_default else 'no'} default"
    kind, may_be_none = without_none(hint)
    if may_be_none != (has_default and one.default is None):
        yield f"{path}: None is the default or allowed, but not both"
    if "default" in rule and rule["default"] != one.default:
        yield f"{path}: the defaults differ"
    if get_origin(kind) is tuple:
        if rule["type"] != "array" or one.default not in {MISSING, ()}:
            yield f"{path}: a list on one side only"
        else:
            yield from kind_differences(rule["items"], get_args(kind)[0], f"{path}[]")
    else:
        yield from kind_differences(rule, kind, path)


def kind_differences(rule: Mapping[str, Any], kind: Any, path: str) -> Iterator[str]:
    rule = resolved(rule)
    if is_dataclass(kind) and isinstance(kind, type):
        if rule["type"] == "object":
            yield from differences(rule, kind, path)
        else:
            yield f"{path}: an object in the class only"
    elif get_origin(kind) is Mapping:
        if rule["type"] != "object" or "properties" in rule:
            yield f"{path}: free content on one side only"
    elif PRIMITIVES[kind] != wanted_kind(rule):
        yield f"{path}: {wanted_kind(rule)} in the schema, {kind.__name__} in the class"


@each
def test_schema_and_class_agree(name):
    assert list(differences(schemas.schema(name), schemas.DOCUMENTS[name])) == []


def test_every_shared_part_and_every_class_is_used():
    used: set[type] = set()

    def walk(cls: type) -> None:
        used.add(cls)
        for hint in get_type_hints(cls).values():
            kind, _ = without_none(hint)
            inner = get_args(kind)[0] if get_origin(kind) is tuple else kind
            if isinstance(inner, type) and is_dataclass(inner) and inner not in used:
                walk(inner)

    for cls in schemas.DOCUMENTS.values():
        walk(cls)
    own = {one for one in vars(documents).values() if isinstance(one, type) and is_dataclass(one)}
    assert used == own


BASE = [("external_id", str), ("location", str), ("as_of", datetime)]
REST = [(one.name, get_type_hints(documents.StockLevel)[one.name], None) for one in fields(documents.StockLevel)[3:]]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ([*BASE, *REST, ("shelf", str | None, None)], "/shelf: only in the class"),
        ([*BASE, *REST[1:]], "/sku: only in the schema"),
        ([*BASE[:2], *REST, ("as_of", datetime | None, None)], "/as_of: required is True and the class has a default"),
        ([*BASE, ("sku", str), *REST[1:]], "/sku: required is False and the class has no default"),
        ([*BASE[:2], ("as_of", str), *REST], "/as_of: date-time in the schema, str in the class"),
        ([*BASE, ("sku", int | None, None), *REST[1:]], "/sku: string in the schema, int in the class"),
        ([*BASE, ("sku", str, None), *REST[1:]], "/sku: None is the default or allowed, but not both"),
        ([*BASE, ("sku", tuple[str, ...], ()), *REST[1:]], "/sku: a list on one side only"),
        ([*BASE, ("sku", documents.Address | None, None), *REST[1:]], "/sku: an object in the class only"),
    ],
)
def test_the_comparison_finds_a_field_that_differs(made, said):
    cls = make_dataclass("StockLevel", made)
    cls.__annotations__ = {name: hint for name, hint, *_ in made}
    assert said in list(differences(schemas.schema("inventory.v1"), cls))


@pytest.mark.parametrize("name", [*sorted(schemas.DOCUMENTS), "common.v1"])
def test_everything_has_a_description(name):
    def silent(rule: Any, path: str) -> Iterator[str]:
        if isinstance(rule, Mapping):
            for field, inner in [*rule.get("properties", {}).items(), *rule.get("$defs", {}).items()]:
                told = inner.get("description") or resolved(inner).get("description")
                if not told or not told.endswith("."):
                    yield f"{path}/{field}"
                yield from silent(inner, f"{path}/{field}")
            yield from silent(rule.get("items"), f"{path}[]")

    assert list(silent(schemas.schema(name), "")) == []
    assert schemas.schema(name)["$id"].endswith(f"/{name}.json")


# Documents made from the schema itself.


def texts(rule: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    if "enum" in rule:
        return st.sampled_from(rule["enum"])
    if rule.get("format") == "date-time":
        moments = st.datetimes(timezones=st.just(UTC)).filter(lambda moment: moment.year > 1)
        return moments.map(lambda moment: moment.isoformat().replace("+00:00", "Z"))
    if rule.get("format") == "date":
        return st.dates(date(1990, 1, 1), date(2100, 1, 1)).map(date.isoformat)
    if "pattern" in rule:
        return st.from_regex(rule["pattern"].removesuffix("$") + r"\Z", alphabet="AZ09.-")
    return st.text(st.characters(codec="utf-8"), min_size=rule.get("minLength", 0), max_size=8)


def values(rule: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    rule = resolved(rule)
    match rule["type"]:
        case "string":
            return texts(rule)
        case "integer":
            return st.integers(rule.get("minimum", -(10**12)), rule.get("maximum", 10**12))
        case "number":
            return st.floats(rule.get("minimum"), rule.get("maximum"))
        case "boolean":
            return st.booleans()
        case "array":
            return st.lists(values(rule["items"]), min_size=rule.get("minItems", 0), max_size=2)
    if "properties" not in rule:
        return st.dictionaries(st.text("abc", min_size=1), st.text("xyz") | st.integers(0, 9), max_size=2)
    parts = {name: values(inner) for name, inner in rule["properties"].items()}
    required = {name: parts.pop(name) for name in rule.get("required", ())}
    return st.fixed_dictionaries(required, optional=parts)


def same(document: Any, value: Any) -> bool:
    """Whether the value holds what the document says, and nothing where it says nothing."""
    if is_dataclass(value):
        return all(
            same(document[one.name], getattr(value, one.name))
            if one.name in document
            else getattr(value, one.name) == one.default
            for one in fields(value)
        )
    if isinstance(value, tuple):
        return len(document) == len(value) and all(map(same, document, value))
    if isinstance(value, datetime):
        return value.utcoffset() is not None and value == datetime.fromisoformat(document)
    return (
        type(value) is type(document) and value == document if not isinstance(value, date) else str(value) == document
    )


@each
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_every_valid_document_becomes_a_value_that_says_the_same(name, data):
    document = data.draw(values(schemas.schema(name)))
    assert schemas.errors(name, document) == []
    value = schemas.parse(name, orjson.loads(orjson.dumps(document)))
    assert isinstance(value, schemas.DOCUMENTS[name])
    assert same(document, value)


GOOD = {
    "external_id": "1",
    "number": "#1",
    "revision": "1",
    "placed_at": "2026-03-02T12:00:00Z",
    "currency": "EUR",
    "status": "open",
    "payment_status": "paid",
    "lines": [{"external_id": "10", "quantity": 1, "total_minor": 100}],
    "totals": {"taxes_included": True, "total_minor": 100},
}


def test_the_shortest_order_is_an_order():
    order = schemas.parse("order.v1", GOOD)
    assert (order.lines[0].requires_shipping, order.delivery_method, order.tags) == (True, "ship", ())


def test_a_bad_document_names_every_bad_place():
    bad = {
        **GOOD,
        "currency": "euro",
        "placed_at": "yesterday",
        "lines": [{"external_id": "10", "quantity": "2", "total_minor": 1.5}],
        "shipping_address": {"country": "Germany"},
        "surprise": 1,
    }
    del bad["number"]
    with pytest.raises(schemas.InvalidDocumentError, match=r"^order\.v1: ") as caught:
        schemas.parse("order.v1", bad)
    assert {error.path for error in caught.value.errors} == {
        "",
        "/currency",
        "/placed_at",
        "/lines/0/quantity",
        "/lines/0/total_minor",
        "/shipping_address/country",
    }
    at_top = " ".join(error.message for error in caught.value.errors if error.path == "")
    assert "number" in at_top
    assert "surprise" in at_top


@pytest.mark.parametrize("document", [None, [], "order", 1, {}, {**GOOD, "lines": None}, {**GOOD, "placed_at": None}])
def test_what_is_no_document_is_refused_not_crashed_on(document):
    with pytest.raises(schemas.InvalidDocumentError):
        schemas.parse("order.v1", document)


@pytest.mark.parametrize("moment", ["2026-03-02T12:00:00", "2026-03-02", "2026-02-30T12:00:00Z", "12:00"])
def test_a_time_without_zone_or_that_never_was_is_refused(moment):
    with pytest.raises(schemas.InvalidDocumentError) as caught:
        schemas.parse("order.v1", {**GOOD, "placed_at": moment})
    assert [error.path for error in caught.value.errors] == ["/placed_at"]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-02T12:00:00Z", "2026-03-02T12:00:00+00:00"),
        ("2026-03-02t12:00:00z", "2026-03-02T12:00:00+00:00"),
        ("2026-03-02T12:00:00+02:00", "2026-03-02T10:00:00+00:00"),
        ("2026-03-02T12:00:00.123456789Z", "2026-03-02T12:00:00.123456+00:00"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59+00:00"),
    ],
)
def test_every_form_of_a_time_becomes_utc(text, moment):
    assert schemas.parse("order.v1", {**GOOD, "placed_at": text}).placed_at.isoformat() == moment


@pytest.mark.parametrize("text", ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"])
def test_a_time_that_no_computer_can_hold_is_a_bad_document_and_no_crash(text):
    bad = {**GOOD, "payments": [{"kind": "sale", "amount_minor": 1, "status": "failed", "at": text}]}
    with pytest.raises(schemas.InvalidDocumentError, match=r"/payments/0/at: .* is no moment in time"):
        schemas.parse("order.v1", bad)


def test_a_schema_that_does_not_exist_is_named():
    with pytest.raises(KeyError, match=r"order\.v9"):
        schemas.schema("order.v9")


def test_a_part_of_a_document_can_be_built_alone_and_an_unknown_field_is_refused():
    assert schemas.structure(documents.Address, {"city": "Berlin"}) == documents.Address(city="Berlin")
    with pytest.raises(Exception, match="planet"):
        schemas.structure(documents.Address, {"planet": "Mars"})
