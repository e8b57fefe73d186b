"""Tests of rule files: the examples pass, and what is wrong is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub import schemas
from hub.flows import ruletests
from hub.flows.rulefile import RuleFileError, read

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "routing" / "rules"
RULES = "name: r\nroutings:\n  - name: all\n    steps:\n      - rankers: [closest]\n"


def written(folder: Path, text: str) -> Path:
    (folder / "rules.yml").write_text(RULES)
    (folder / "a.test.yml").write_text("rules: rules.yml\n" + text)
    return folder


@pytest.mark.parametrize("file", ruletests.files(EXAMPLES), ids=lambda file: file.name)
def test_the_examples_do_what_they_say(file: Path) -> None:
    results = ruletests.run(file)
    assert results
    assert {one.name: one.differs for one in results if one.differs} == {}


def test_a_failed_test_says_what_happened_and_what_was_expected(tmp_path: Path) -> None:
    text = """
stock: |
  location A
  BER      1
cases:
  - name: all at once
    order: {lines: {A: 2}}
    expect:
      ships: {BER: {A: 2}}
      missing: {}
      then: {A: hold}
      routing: everybody
      reason: because I say so
"""
    [result] = ruletests.run(written(tmp_path, text) / "a.test.yml")
    assert result.differs == (
        "ships BER: A 1, expected BER: A 2",
        "misses A 1, expected nothing",
        "A: backorder, expected hold",
        "falls under 'all', expected 'everybody'",
        f"says {result.reason!r}, expected 'because I say so' in it",
    )


def test_a_test_may_have_stock_and_places_of_its_own(tmp_path: Path) -> None:
    text = """
locations:
  BER: {latitude: 52.5, longitude: 13.4}
  PAR: {latitude: 48.9, longitude: 2.35}
stock: |
  location A
  BER      1
  PAR      1
cases:
  - name: the nearest
    order: {latitude: 53.5, longitude: 10.0, lines: {A: 1}}
    expect: {ships: {BER: {A: 1}}}
  - name: the other when it is closed
    locations: {BER: {closed: a flood}}
    order: {latitude: 53.5, longitude: 10.0, lines: {A: 1}}
    expect: {ships: {PAR: {A: 1}}}
  - name: none when it has nothing
    stock: |
      location A
      PAR      0
    order: {lines: {A: 1}}
    expect: {ships: {}, missing: {A: 1}}
"""
    results = ruletests.run(written(tmp_path, text) / "a.test.yml")
    assert [one.differs for one in results] == [(), (), ()]


def test_other_rules_may_be_tested_than_those_the_file_names(tmp_path: Path) -> None:
    text = "stock: |\n  location A\n  BER 1\ncases:\n  - {name: x, order: {lines: {A: 1}}, expect: {ships: {BER: {A: 1}}}}\n"
    file = written(tmp_path, text) / "a.test.yml"
    keeps_one = read(RULES.replace("rankers: [closest]", "min_stock: 1"))
    assert ruletests.run(file)[0].differs == ()
    assert ruletests.run(file, keeps_one)[0].differs == ("ships nothing, expected BER: A 1",)


def test_only_files_with_cases_are_tests(tmp_path: Path) -> None:
    folder = written(tmp_path, "cases: []\n")
    (folder / "deep").mkdir()
    (folder / "deep" / "b.yaml").write_text("cases: []\n")
    assert [one.name for one in ruletests.files(folder)] == ["a.test.yml", "b.yaml"]
    assert ruletests.files(folder / "rules.yml") == [folder / "rules.yml"]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("cases:\n  - {name: x, order: {lines: {A: 1}}, expects: {}}\n", 3, "expect"),
        ("stock: |\n  location A B\n  BER 1\ncases:\n  - {name: x, order: {lines: {A: 1}}, expect: {ships: {}}}\n", 2, "2 whole"),
        ("locations:\n  BER:\n    town: Berlin\ncases:\n  - {name: x, order: {lines: {A: 1}}, expect: {ships: {}}}\n", 3, "there are: country"),
    ],
)  # fmt: skip
def test_a_test_file_that_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(RuleFileError) as error:
        ruletests.run(written(tmp_path, text) / "a.test.yml")
    assert any(one.line == line and words in one.message for one in error.value.mistakes), error.value


def test_a_rule_file_that_is_missing_is_told(tmp_path: Path) -> None:
    file = tmp_path / "a.test.yml"
    case = "cases:\n  - {name: x, order: {lines: {A: 1}}, expect: {ships: {}}}\n"
    file.write_text("rules: gone.yml\n" + case)
    with pytest.raises(RuleFileError, match=r"line 1, /rules: the rule file cannot be read: No such file"):
        ruletests.run(file)
    file.write_text(case)
    with pytest.raises(RuleFileError, match="names no `rules`"):
        ruletests.run(file)


def test_what_is_wrong_in_another_file_is_told_with_the_name_of_that_file(tmp_path: Path) -> None:
    folder = written(tmp_path, "cases:\n  - {name: x, order: {lines: {A: 1}}, expect: {ships: {}}}\n")
    (folder / "rules.yml").write_text(RULES.replace("closest", "nearest"))
    with pytest.raises(RuleFileError, match=r"^rules\.yml: line 5, .* no ranker is called 'nearest'"):
        ruletests.run(folder / "a.test.yml")
    (folder / "rules.yml").write_bytes(b"name: \xd6sterreich\n")
    with pytest.raises(RuleFileError, match=r"rules\.yml: line 1: this is no text in UTF-8"):
        ruletests.files(folder)


def test_everything_in_the_schema_of_tests_is_described() -> None:
    schema = schemas.schema(ruletests.SCHEMA)
    for rule in (schema, *schema["$defs"].values()):
        for name, told in rule["properties"].items():
            assert "$ref" in told or told["description"].endswith("."), name
