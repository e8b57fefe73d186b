"""Tests of rule files: small worlds in YAML, orders in them, and where they should ship from. Needs no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from hub import plugins
from hub.domain.routing.plan import plan
from hub.domain.routing.rules import OrderFacts, Routing, RuleSet
from hub.domain.routing.shapes import Destination, Need, Place, Plan, Sellable, Snapshot
from hub.flows import rulefile
from hub.flows.rulefile import RuleFileError, RuleMistake

SCHEMA = "routing-test.v1"
ENDINGS = (".yml", ".yaml")

Units = Mapping[str, Mapping[str, int]]  # by location code and SKU


@dataclass(frozen=True, slots=True)
class TestResult:
    """What came of one test; `differs` says in words what is not as expected, and is empty when all of it is."""

    __test__ = False  # pytest takes it for tests otherwise

    file: str
    name: str
    differs: tuple[str, ...]
    reason: str  # the router's sentence


def files(where: Path) -> list[Path]:
    """The test files at a path: itself, or those YAML files of a folder and its folders that hold `cases`."""
    if where.is_file():
        return [where]
    found = sorted(one for one in where.rglob("*") if one.suffix in ENDINGS and one.is_file())
    return [one for one in found if _has_cases(one)]


def _has_cases(file: Path) -> bool:
    with rulefile.naming(file):
        document, _ = rulefile.load(rulefile.text_of(file))
    return isinstance(document, dict) and "cases" in document


def run(file: Path, rules: RuleSet | None = None) -> list[TestResult]:
    """Run the tests of a file, on these rules or on the rule file that it names. Raises RuleFileError."""
    document, lines = rulefile.load(rulefile.text_of(file))
    rulefile.hold(SCHEMA, document, lines)
    tested = rules or _named_rules(file, document, lines)
    return [_result(file, tested, document, case, lines, number) for number, case in enumerate(document["cases"])]


def _named_rules(file: Path, document: Mapping[str, Any], lines: rulefile.Lines) -> RuleSet:
    if "rules" not in document:
        raise RuleFileError([RuleMistake(0, "", "it names no `rules`: add the rule file's path, or give one")])
    try:
        with rulefile.naming(document["rules"]):
            return rulefile.read(rulefile.text_of(file.parent / document["rules"]))
    except OSError as error:
        words = f"the rule file cannot be read: {error.strerror}"
        raise RuleFileError([rulefile.mistake(lines, "/rules", words)]) from error


def _result(
    file: Path,
    rules: RuleSet,
    document: Mapping[str, Any],
    case: Mapping[str, Any],
    lines: rulefile.Lines,
    number: int,
) -> TestResult:
    at = f"/cases/{number}/stock" if "stock" in case else "/stock"
    try:
        stock = _stock(case.get("stock") or document.get("stock", ""))
    except ValueError as error:
        raise RuleFileError([rulefile.mistake(lines, at, str(error))]) from error
    places = _places(document.get("locations", {}), case.get("locations", {}), stock)
    routing = rules.routing_for(_facts(case["order"]))
    snapshot = _snapshot(case["order"], document.get("articles", {}), places, stock, routing)
    decided = plan(snapshot, plugins.rankers(), plugins.strategies())
    return TestResult(file.name, case["name"], tuple(_differs(case["expect"], decided, routing)), decided.reason)


def _stock(table: str) -> Sellable:
    """Units by (location, SKU). Raises ValueError for a row that does not fit the head."""
    rows = [line.split() for line in table.splitlines() if line.strip()]
    if not rows:
        return {}
    (_, *skus), found = rows[0], dict[tuple[str, str], int]()
    for code, *units in rows[1:]:
        if len(units) != len(skus) or not all(one.isascii() and one.isdecimal() for one in units):
            raise ValueError(f"the row of {code} needs {len(skus)} whole numbers, one for each of {', '.join(skus)}")
        found |= {(code, sku): int(count) for sku, count in zip(skus, units, strict=True)}
    return found


def _places(said: Mapping[str, Any], different: Mapping[str, Any], stock: Sellable) -> tuple[Place, ...]:
    codes = dict.fromkeys([*said, *different, *(code for code, _ in stock)])
    return tuple(_place(code, {**said.get(code, {}), **different.get(code, {})}) for code in codes)


def _place(code: str, said: Mapping[str, Any]) -> Place:
    plain: dict[str, Any] = {
        name: frozenset(value) if isinstance(value, list) else value for name, value in said.items()
    }
    if "arrives_on" in plain:
        plain["arrives_on"] = date.fromisoformat(plain["arrives_on"])
    return Place(code, code, **plain)


def _facts(order: Mapping[str, Any]) -> OrderFacts:
    return OrderFacts(
        channels=frozenset(filter(None, [order.get("channel")])),
        country=order.get("country", ""),
        market=order.get("market", ""),
        tags=frozenset(order.get("tags", ())),
        method=order.get("method", "ship"),
        currency=order.get("currency", ""),
        value_minor=order.get("value_minor", 0),
    )


def _snapshot(
    order: Mapping[str, Any],
    articles: Mapping[str, Mapping[str, Any]],
    places: tuple[Place, ...],
    stock: Sellable,
    routing: Routing,
) -> Snapshot:
    """The router's input; a line, and an article, goes by its SKU."""
    together, values = order.get("together", ()), order.get("values_minor", {})
    needs = tuple(
        Need(
            sku,
            sku,
            units,
            "together" if sku in together else None,
            sku,
            values.get(sku, 0),
            otherwise=routing.then(sku, articles.get(sku, {}).get("category", "")),
            **articles.get(sku, {}),
        )
        for sku, units in order["lines"].items()
    )
    where = Destination(
        order.get("country", ""), order.get("market", ""), order.get("latitude"), order.get("longitude")
    )
    refused = frozenset((sku, code) for sku, codes in order.get("refused", {}).items() for code in codes)
    promise = date.fromisoformat(order["promise"]) if "promise" in order else None
    method, channel = order.get("method", "ship"), order.get("channel", "")
    return Snapshot(needs, where, places, stock, refused, routing.rules, method, channel, promise)


def _differs(expect: Mapping[str, Any], decided: Plan, routing: Routing) -> list[str]:
    """What is not as expected, in words."""
    ships = {part.place_id: dict(part.units) for part in decided.parts}
    wrong = []
    if ships != expect["ships"]:
        wrong.append(f"ships {_shown(ships)}, expected {_shown(expect['ships'])}")
    missing = {rest.line_id: rest.units for rest in decided.remainder}
    if "missing" in expect and missing != expect["missing"]:
        wrong.append(f"misses {_counted(missing)}, expected {_counted(expect['missing'])}")
    then = {rest.line_id: rest.then for rest in decided.remainder}
    wrong += [
        f"{sku}: {then.get(sku, 'nothing is missing')}, expected {wanted}"
        for sku, wanted in expect.get("then", {}).items()
        if then.get(sku) != wanted
    ]
    if "routing" in expect and routing.name != expect["routing"]:
        wrong.append(f"falls under {routing.name!r}, expected {expect['routing']!r}")
    if expect.get("reason", "") not in decided.reason:
        wrong.append(f"says {decided.reason!r}, expected {expect['reason']!r} in it")
    return wrong


def _shown(ships: Units) -> str:
    return "; ".join(f"{code}: {_counted(units)}" for code, units in sorted(ships.items())) or "nothing"


def _counted(units: Mapping[str, int]) -> str:
    return ", ".join(f"{sku} {count}" for sku, count in sorted(units.items())) or "nothing"
