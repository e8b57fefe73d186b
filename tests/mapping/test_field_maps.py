"""Field maps: what they fill, what they leave out, what they refuse and how they say where."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest

from hub import mapping
from hub.mapping import MapError, compile_map, load, preview
from hub.mapping.source import parse
from hub.sdk.errors import SchemaDrift

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def _demo_maps(monkeypatch):
    monkeypatch.syspath_prepend(HERE)


def order_map(entries: str):
    """A map to order.v1 with the given entries."""
    head = "id: demo.orders\nversion: 1\ntarget: order.v1\nfields:\n"
    text = head + textwrap.indent(textwrap.dedent(entries).strip(), "  ")
    return compile_map(parse(text, "demo.yml"), "demo.yml", "demo_maps")


def mapped(entries: str, record: dict):
    return order_map(entries).apply(record)


def test_what_is_empty_is_left_out_and_zero_and_false_are_not_empty():
    entries = """
        - {to: note, from: note}
        - {to: market, from: market}
        - {to: tags, from: tags}
        - {to: test, from: test}
        - {to: totals.total_minor, from: total}
        - {to: totals.tax_minor, from: tax}
    """
    record = {"note": "", "market": None, "tags": [], "test": False, "total": 0}
    assert mapped(entries, record) == {"test": False, "totals": {"total_minor": 0}}


def test_objects_on_the_way_are_made_once_and_only_when_needed():
    entries = """
        - {to: shipping_address.city, from: a.city}
        - {to: customer.email, from: mail}
        - {to: shipping_address.line1, from: a.line}
    """
    assert mapped(entries, {"a": {"city": "Berlin", "line": "Road 1"}}) == {
        "shipping_address": {"city": "Berlin", "line1": "Road 1"}
    }


def test_a_required_field_that_is_left_out_is_named_with_its_source():
    with pytest.raises(SchemaDrift, match=r"demo.orders: number: is required but there is nothing \(from name\)") as e:
        mapped("- {to: number, from: name, required: true}", {"name": ""})
    assert e.value.path == "number"


def test_a_bad_value_deep_inside_is_named_by_document_path_and_by_source():
    entries = """
        - to: lines
          foreach: items
          where: wanted
          fields:
            - to: taxes
              foreach: taxes
              fields: [{to: amount_minor, from: price.amount, via: {minor: EUR}}]
    """
    good, bad = {"price": {"amount": "1.00"}}, {"price": {"amount": "1.005"}}
    record = {"items": [{"wanted": False}, {"wanted": True, "taxes": [good, bad]}]}
    with pytest.raises(SchemaDrift) as e:
        mapped(entries, record)
    assert e.value.path == "lines[0].taxes[1].amount_minor"
    assert "(from items[1] > taxes[1] > price.amount)" in str(e.value)


def test_a_default_stands_in_for_what_is_missing_and_for_an_unknown_code():
    entries = "- {to: payment_status, from: paid, via: {lookup: demo/paid}, default: unknown}"
    assert mapped(entries, {"paid": "settled"}) == {"payment_status": "paid"}
    assert mapped(entries, {"paid": "new word"}) == {"payment_status": "unknown"}
    assert mapped(entries, {}) == {"payment_status": "unknown"}


def test_an_unknown_code_without_default_is_an_error_with_table_and_code():
    with pytest.raises(SchemaDrift, match=r"'new word' is not in the code table demo\.paid"):
        mapped("- {to: payment_status, from: paid, via: {lookup: demo/paid}}", {"paid": "new word"})


def test_code_tables_compare_codes_as_text():
    entries = "- {to: payment_status, from: paid, via: {lookup: demo/paid}}"
    assert mapped(entries, {"paid": "no"}) == {"payment_status": "unpaid"}
    assert mapped(entries, {"paid": 1}) == {"payment_status": "authorized"}


def test_a_default_does_not_hide_a_value_that_cannot_be_read():
    with pytest.raises(SchemaDrift, match="'soon' is not a date with time"):
        mapped("- {to: placed_at, from: at, via: datetime, default: '2026-01-02T00:00:00Z'}", {"at": "soon"})


def test_root_parent_and_this_reach_the_right_records():
    entries = """
        - to: lines
          foreach: items
          where: size == $parent.size || `true`
          fields:
            - {to: sku, from: sku}
        """
    with pytest.raises(MapError, match=r"entry 1 \(lines\)"):
        order_map(entries)  # bound names stand at the beginning only
    entries = """
        - to: lines
          foreach: items
          fields:
            - {to: sku, from: $this.sku}
            - {to: title, from: $root.name}
            - to: discounts
              foreach: cuts
              fields:
                - {to: code, from: $parent.sku}
                - {to: title, from: "$root.items[0].sku"}
                - {to: amount_minor, from: amount, via: {minor: $root.currency}}
        """
    record = {"name": "n", "currency": "JPY", "items": [{"sku": "A"}, {"sku": "B", "cuts": [{"amount": "5"}]}]}
    assert mapped(entries, record)["lines"] == [
        {"sku": "A", "title": "n"},
        {"sku": "B", "title": "n", "discounts": [{"code": "B", "title": "A", "amount_minor": 5}]},
    ]


def test_a_list_of_plain_values_is_made_item_by_item():
    assert mapped("- {to: tags, foreach: labels, via: [trim, lower]}", {"labels": [" A", "", None, "b"]}) == {
        "tags": ["a", "b"]
    }


def test_where_keeps_what_jmespath_holds_true():
    entries = "- {to: lines, foreach: items, where: n, fields: [{to: sku, from: sku}]}"
    items = [
        {"sku": "A", "n": 0},
        {"sku": "B", "n": False},
        {"sku": "C", "n": ""},
        {"sku": "D", "n": "x"},
        {"sku": "E"},
    ]
    assert mapped(entries, {"items": items}) == {"lines": [{"sku": "A"}, {"sku": "D"}]}


def test_two_foreach_entries_join_their_lists():
    entries = """
        - {to: fees, foreach: wraps, fields: [{to: kind, value: gift_wrap}, {to: amount_minor, from: a}]}
        - {to: fees, foreach: tips, fields: [{to: kind, value: tip}, {to: amount_minor, from: a}]}
    """
    fees = mapped(entries, {"wraps": [{"a": 1}], "tips": [{"a": 2}]})["fees"]
    assert [(fee["kind"], fee["amount_minor"]) for fee in fees] == [("gift_wrap", 1), ("tip", 2)]


def test_what_should_be_a_list_and_is_not_is_drift():
    with pytest.raises(SchemaDrift, match="not a list") as e:
        mapped("- {to: lines, foreach: items, fields: [{to: sku, from: sku}]}", {"items": {"sku": "A"}})
    assert e.value.path == "lines"


def test_constants_and_defaults_are_not_shared_between_documents():
    entries = """
        - {to: tags, value: [new]}
        - {to: customer.tags, from: none, default: [vip]}
    """
    made = order_map(entries)
    first = made.apply({})
    first["tags"].append("spoilt")
    first["customer"]["tags"].append("spoilt")
    assert made.apply({}) == {"tags": ["new"], "customer": {"tags": ["vip"]}}


def test_not_empty_answers_for_what_is_missing_too():
    entries = "- {to: test, from: marks.test, via: not_empty}"
    assert mapped(entries, {}) == {"test": False}
    assert mapped(entries, {"marks": {"test": ["x"]}}) == {"test": True}


def test_applying_changes_nothing_in_the_record():
    record = {"items": [{"sku": "A"}], "tags": ["x"]}
    mapped("- {to: lines, foreach: items, fields: [{to: sku, from: sku}]}\n- {to: tags, from: tags}", record)
    assert record == {"items": [{"sku": "A"}], "tags": ["x"]}


def test_a_record_that_is_no_object_is_drift():
    with pytest.raises(SchemaDrift, match="not an object"):
        order_map("- {to: note, from: a}").apply([{"a": "x"}])


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ("- {to: note, from: a, via: nope}", "entry 1 (note): there is no transform called nope"),
        ("- {to: note, from: a}\n- {to: nota, from: a}", "entry 2 (nota): order.v1 has no field nota here"),
        ("- {to: note.x, from: a}", "x cannot stand inside a string of order.v1"),
        ("- {to: note, foreach: a, fields: [{to: x, from: a}]}", "is no list in order.v1"),
        ("- {to: note, from: 'a[?'}", "entry 1 (note): 'a[?' is not JMESPath"),
        ("- {to: note, from: $boot.a}", "begins with none of $root, $parent and $this"),
        ("- {to: note, from: $parent.a}", "there is no record around this one"),
        ("- {to: note, via: trim}", "has a via but no from"),
        ("- {to: note}", "has none of from, value, via, foreach and fields"),
        ("- {to: note, from: a, value: b}", "entry 1 (note)"),
        ("- {to: note, from: a, frm: b}", "'frm' was unexpected"),
        ("- {to: note, from: a, where: b}", "entry 1 (note)"),
        (
            "- {to: note, from: a, via: {lookup: demo/nowhere}}",
            "demo/nowhere.yml: no such file in the package demo_maps",
        ),
        ("- {to: note, from: a, via: {lookup: ../demo/paid}}", "is not a path inside the package"),
        ("- {to: note, from: a, via: {minor: EURO}}", "'EURO' is not an ISO 4217 currency code"),
        ("- {to: note, from: a, via: {datetime: Mars/Base}}", "'Mars/Base' is not an IANA time zone"),
        ("- {to: note, from: a, via: {unit_g: stone}}", "'stone' is not a unit of weight"),
        ("- {to: note, from: a, via: minor}", "the transform minor needs an argument"),
        ("- {to: note, from: a, via: {trim: x}}", "the transform trim takes no argument"),
        ("- {to: note, from: a, via: nowhere.fn}", "no plugin offers transforms called nowhere.*"),
        ("- {to: note, from: a}\n- {to: note, from: b}", "two entries fill note"),
        ("- {to: customer, from: a}\n- {to: customer.name, from: b}", "fills a part of customer"),
        ("- {to: lines, foreach: a, fields: [{to: sku, from: a}, {to: sk, from: b}]}", "entry 1 (lines): entry 2 (sk)"),
    ],
)
def test_a_map_that_cannot_work_is_refused_when_it_is_loaded(entries, words):
    with pytest.raises(MapError) as refused:
        order_map(entries)
    assert str(refused.value).startswith("demo.yml: ")
    assert words in str(refused.value)


def test_a_map_to_an_unknown_schema_is_refused():
    with pytest.raises(MapError, match=r"demo.yml: there is no canonical schema order.v9"):
        compile_map({"id": "a", "version": 1, "target": "order.v9", "fields": [{"to": "x", "from": "y"}]}, "demo.yml")


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "hub_connector_demo"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "codes.yml").write_text("id: demo.codes\nvalues: {a: paid}\n")
    (folder / "orders.yml").write_text(
        "id: demo.orders\nversion: 3\ntarget: order.v1\nfields: [{to: payment_status, from: p, via: {lookup: codes}}]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    mapping.load.cache_clear()
    mapping.table.cache_clear()
    sys.modules.pop("hub_connector_demo", None)


def test_a_map_of_another_package_is_loaded_once_with_its_own_code_tables(package):
    made = load("hub_connector_demo:orders.yml")
    assert (made.id, made.version, made.target) == ("demo.orders", 3, "order.v1")
    assert made.apply({"p": "a"}) == {"payment_status": "paid"}
    assert load("hub_connector_demo:orders.yml") is made


@pytest.mark.parametrize(
    "path", ["shopify/none.yml", "no_such_package:orders.yml", "/etc/passwd", "a/../../b.yml", "os/path:x"]
)
def test_a_path_that_leads_nowhere_is_refused(path):
    with pytest.raises(MapError):
        load(path)


def test_broken_yaml_is_refused_with_file_and_line(package):
    (package / "broken.yml").write_text("id: demo\nfields: [\n")
    with pytest.raises(MapError, match=r"hub_connector_demo/broken.yml: not readable as YAML"):
        load("hub_connector_demo:broken.yml")


def test_a_key_that_stands_twice_is_refused():
    with pytest.raises(MapError, match="the key paid stands twice"):
        parse("values:\n  paid: paid\n  paid: unpaid\n", "t.yml")


def test_a_key_that_is_no_word_is_refused():
    with pytest.raises(MapError, match="a key has to be a word"):
        parse("values:\n  ? [paid]\n  : paid\n", "t.yml")


def test_yaml_words_stay_words():
    assert parse("{a: no, b: on, c: 2026-01-02, d: 010, e: true, f: 12, g: ~, h: '1'}", "t.yml") == {
        "a": "no", "b": "on", "c": "2026-01-02", "d": "010", "e": True, "f": 12, "g": None, "h": "1",
    }  # fmt: skip


def test_a_preview_shows_documents_schema_errors_and_drift_side_by_side():
    made = order_map("""
        - {to: external_id, from: id, via: str, required: true}
        - {to: status, from: state}
    """)
    outcomes = preview(made, [{"id": 1, "state": "odd"}, {"state": "open"}])
    assert outcomes[0].document == {"external_id": "1", "status": "odd"}
    assert "/status" in {error.path for error in outcomes[0].schema_errors}
    assert not outcomes[0].is_good
    assert (outcomes[1].document, outcomes[1].path) == (None, "external_id")
    assert "required" in outcomes[1].error


def test_a_preview_of_a_good_record_is_good():
    made = compile_map(
        {
            "id": "demo.stock",
            "version": 1,
            "target": "inventory.v1",
            "fields": [
                {"to": "external_id", "from": "id", "via": "str"},
                {"to": "location", "from": "place"},
                {"to": "as_of", "from": "at", "via": "datetime"},
                {"to": "on_hand", "from": "count", "via": "int"},
            ],
        },
        "draft",
    )
    (outcome,) = preview(made, [{"id": 1, "place": "BER", "at": "2026-01-02T03:04:05Z", "count": "4"}])
    assert outcome.is_good, outcome
