"""Rule sets as YAML."""

from __future__ import annotations

from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import schemas
from hub.domain.routing import rules as domain
from hub.domain.routing.rules import DEFAULT, LineRemainder, OrderFilter, Reevaluation, Routing, RuleSet
from hub.domain.routing.shapes import CostRules, Step
from hub.flows import rulefile
from hub.flows.rulefile import RuleFileError

GOOD = """\
name: standard
routings:
  - name: Norway
    when:
      countries: [NO]
    steps:
      - name: near
        radius_km: 160
        assign: single
  - name: every order
    steps:
      - rankers: [ranked, closest]
"""


def refused(text: str) -> list[tuple[int, str]]:
    with pytest.raises(RuleFileError) as error:
        rulefile.read(text)
    return [(one.line, one.message) for one in error.value.mistakes]


def test_a_file_is_read_and_no_is_a_country() -> None:
    rules = rulefile.read(GOOD)
    assert rules.routings[0].when.countries == {"NO"}
    assert rules.routings[0].steps == (Step("near", radius_km=160, assign="single"),)
    assert rules.routings[1].steps == (Step(rankers=("ranked", "closest")),)


def test_a_field_that_does_not_exist_is_told_with_its_line_and_those_that_do() -> None:
    [(line, message)] = refused(GOOD.replace("radius_km", "radius"))
    assert line == 7
    assert "'radius' was unexpected" in message
    assert "radius_km, min_stock, rankers" in message


def test_a_wrong_value_is_told_with_its_line_and_what_could_stand_there() -> None:
    [(line, message)] = refused(GOOD.replace("single", "whole"))
    assert line == 9
    assert '"single"' in message
    assert "split: all of it from the fewest places" in message


def test_an_unknown_ranker_is_told_with_its_line_and_those_that_are_installed() -> None:
    [(line, message)] = refused(GOOD.replace("ranked, closest", "ranked, nearest"))
    assert line == 12
    assert "no ranker is called 'nearest'" in message
    assert "closest" in message.partition("there are:")[2]


def test_a_text_that_is_no_yaml_is_told_with_its_line() -> None:
    [(line, message)] = refused(GOOD.replace("[NO]", "[NO"))
    assert line in (5, 6)
    assert message.startswith("this is no YAML")
    assert refused("") == [(1, "there is nothing in it: a rule set has a name and routings")]
    [(line, message)] = refused(GOOD + "name: twice\n")
    assert (line, "stands twice" in message) == (13, True)
    assert refused(GOOD + "? [a, list]\n: 1\n") == [(13, "this is no YAML: a key has to be a word")]


def test_a_few_lines_cannot_stand_for_more_than_a_machine_holds() -> None:
    lines = [f"{one}: &{one} [{', '.join([f'*{before}'] * 9)}]" for before, one in pairwise("abcdefghijklm")]
    text = "\n".join(["a: &a [1]", *lines, "name: *m"])
    assert refused(text) == [(2, "this is no YAML: *a repeats another part: write the part out")]
    assert refused("name: &a [*a]") == [(1, "this is no YAML: *a repeats another part: write the part out")]
    assert refused("[" * 50_000) == [(0, "this is nested deeper than can be read")]


def test_a_file_that_is_not_in_utf_8_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "rules.yml"
    file.write_bytes(GOOD.replace("Norway", "Österreich").encode("latin-1"))
    with pytest.raises(RuleFileError, match="line 3: this is no text in UTF-8: save the file in UTF-8"):
        rulefile.text_of(file)


def test_every_mistake_of_a_file_is_told_at_once() -> None:
    text = GOOD.replace("160", "near").replace("[NO]", "[Norway]")
    assert [line for line, _ in refused(text)] == [5, 8]


def test_a_rule_set_is_written_as_it_was_read() -> None:
    assert rulefile.write(rulefile.read(GOOD)) == GOOD.replace("[NO]", "['NO']"), "also for readers to whom NO is false"
    assert rulefile.write(DEFAULT) == (
        "name: standard\nroutings:\n  - name: every order\n    steps:\n"
        "      - rankers: [min_splits, market, closest, ranked]\n"
        "      - name: late\n        rankers: [min_splits, market, closest, ranked]\n        late_ok: true\n"
    )


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=20)
NAMES = WORDS.filter(str.strip)
COUNTRIES = st.frozensets(st.sampled_from(["NO", "DE", "US", "ON"]), max_size=3)
MINOR = st.integers(0, 10**9)
THENS = st.sampled_from(["backorder", "preorder", "hold", "queue:a person: looks", "auto_cancel:3"])
STEPS = st.builds(
    Step,
    name=NAMES,
    groups=st.frozensets(WORDS, max_size=2),
    radius_km=st.none() | st.integers(0, 25_000),
    min_stock=st.integers(0, 9),
    rankers=st.lists(st.sampled_from(["closest", "ranked", "market"]), min_size=1, max_size=3, unique=True).map(tuple),
    assign=st.sampled_from(["single", "split", "partial"]),
    max_shipments=st.integers(1, 10),
    min_shipment_value_minor=MINOR,
    ignore_capacity=st.booleans(),
    late_ok=st.booleans(),
    on_remainder=st.just("next") | THENS.filter(lambda one: one != "preorder"),
)
FILTERS = st.builds(
    OrderFilter,
    channels=st.frozensets(WORDS, max_size=2),
    countries=COUNTRIES,
    tags=st.frozensets(WORDS, max_size=2),
    methods=st.frozensets(st.sampled_from(["ship", "pickup"]), max_size=2),
    min_value_minor=st.none() | MINOR,
)
ROUTINGS = st.builds(
    Routing,
    name=NAMES,
    steps=st.lists(STEPS, min_size=1, max_size=3).map(tuple),
    when=FILTERS,
    cost=st.builds(CostRules, late_penalty_minor=MINOR, target_weeks=st.integers(1, 104)),
    remainder=st.lists(st.builds(LineRemainder, THENS, st.frozensets(WORDS, max_size=2)), max_size=2).map(tuple),
)
RULES = st.builds(
    RuleSet,
    name=NAMES.filter(lambda name: not {"/", "@"} & set(name)),
    routings=st.lists(ROUTINGS, min_size=1, max_size=3).map(tuple),
    grace_minutes=st.integers(0, 100),
    reevaluate=st.builds(Reevaluation, after_minutes=st.integers(0, 100)),
)


@given(RULES)
def test_any_rule_set_survives_yaml(rules: RuleSet) -> None:
    document, _ = rulefile.load(rulefile.write(rules))
    assert schemas.errors(rulefile.SCHEMA, document) == []
    assert schemas.structure(RuleSet, document) == rules
    assert schemas.structure(RuleSet, domain.document(rules)) == rules


def test_the_schema_has_exactly_the_fields_of_the_shapes_and_their_defaults() -> None:
    schema = schemas.schema(rulefile.SCHEMA)
    for shape, rule in (
        (RuleSet, schema),
        (Routing, schema["$defs"]["routing"]),
        (OrderFilter, schema["$defs"]["filter"]),
        (Step, schema["$defs"]["step"]),
        (CostRules, schema["$defs"]["cost"]),
        (LineRemainder, schema["$defs"]["remainder"]),
        (Reevaluation, schema["$defs"]["reevaluation"]),
    ):
        assert set(rule["properties"]) == {one.name for one in fields(shape)}, shape
        defaults = {one.name: one.default for one in fields(shape)}
        for name, told in rule["properties"].items():
            if "default" in told:
                default = defaults[name]
                assert told["default"] == (list(default) if isinstance(default, tuple) else default), name


def test_everything_in_the_schema_is_described() -> None:
    schema = schemas.schema(rulefile.SCHEMA)
    for rule in (schema, *schema["$defs"].values()):
        assert rule["description"].endswith(".")
        for name, told in rule["properties"].items():
            assert "$ref" in told or told["description"].endswith("."), name


def test_versions_are_compared_line_by_line() -> None:
    before = rulefile.read(GOOD)
    after = rulefile.read(GOOD.replace("160", "200"))
    diff = rulefile.unified(before, after, ("standard 1", "standard 2"))
    assert "-        radius_km: 160" in diff.splitlines()
    assert "+        radius_km: 200" in diff.splitlines()
    assert rulefile.unified(before, before, ("a", "b")) == ""
