"""`orderhub rules`: from a file to the rules that count."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Shell, Shop

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "routing" / "rules"
RULES = "name: standard\nroutings:\n  - name: every order\n    steps:\n      - rankers: [ranked]\n"


def test_rules_go_from_a_file_over_a_rehearsal_to_counting(shop: Shop) -> None:
    shell = shop.shell
    order = shop.buy(("MUG", 1))
    (shell.folder / "rules.yml").write_text(RULES)
    assert shell.json("rules", "list")["rows"][0]["key"] == "standard@0"
    assert "Kept as standard@1." in shell.run("rules", "import", "rules.yml", "--note", "by rank").stdout
    assert "rehearse standard@1" in shell.run("rules", "publish", "standard@1", code=1).stderr
    done = shell.run("rules", "rehearse", "standard@1", "--orders", "10").stdout
    assert "0 of 1 orders would go elsewhere." in done
    assert "standard@1 counts now." in shell.run("rules", "publish", "standard@1").stdout
    assert [(one["key"], one["status"]) for one in shell.json("rules", "list")["rows"]] == [("standard@1", "published")]
    assert shell.run("rules", "export").stdout == RULES
    shell.run("rules", "export", "standard@1", "--to", "out.yml")
    assert (shell.folder / "out.yml").read_text() == RULES
    assert "rankers: [ranked]" in shell.run("rules", "show", "standard").stdout

    sides = shell.json("rules", "rehearse", "standard", "--order", order.name)
    assert sides["draft"]["trace"]["chosen"][0]["loc"] == "WEST"
    tried = shell.json("rules", "rehearse", "standard", "--sku", "MUG=99", "--country", "us")
    assert tried["published"]["trace"]["remainder"][0]["qty"] == 90
    nothing = shell.run("rules", "rehearse", "standard", "--order", "gone", code=3).stderr
    assert nothing == "error: no order is called 'gone'\n"
    assert "SKU=UNITS" in shell.run("rules", "rehearse", "standard", "--sku", "MUG", code=2).stderr


def test_a_group_that_no_location_is_in_is_told_when_rules_are_kept(shop: Shop) -> None:
    (shop.shell.folder / "rules.yml").write_text(RULES + "        groups: [stors]\n")
    said = shop.shell.run("rules", "import", "rules.yml")
    assert "Look again: no location is in the group 'stors'." in said.stderr
    assert shop.shell.json("rules", "import", "rules.yml")["unheard_of"] == ["no location is in the group 'stors'"]


def test_a_difference_is_told_in_words_between_files_and_versions(shop: Shop) -> None:
    (shop.shell.folder / "rules.yml").write_text(RULES)
    said = shop.shell.run("rules", "diff", "published", "rules.yml").stdout
    assert "step 'anywhere': rankers was min_splits, market, closest, ranked, is ranked" in said
    assert "+      - rankers: [ranked]" in shop.shell.run("rules", "diff", "published", "rules.yml", "--unified").stdout
    assert shop.shell.json("rules", "diff", "published", "published")["changes"] == []
    assert "there are: standard@0" in shop.shell.run("rules", "show", "christmas", code=3).stderr


def test_files_are_checked_without_a_database(shell: Shell) -> None:
    (shell.folder / "good.yml").write_text(RULES)
    (shell.folder / "bad.yml").write_text(RULES.replace("ranked", "nearest"))
    assert "nothing wrong" in shell.run("rules", "validate", "good.yml").stdout
    bad = shell.run("rules", "validate", "good.yml", "bad.yml", code=1)
    assert "line 5" in bad.stderr
    assert "no ranker is called 'nearest'; there are: acceptance_rate" in bad.stderr
    (shell.folder / "bad.yml").write_bytes(RULES.replace("every", "jede für sich").encode("latin-1"))
    assert "line 3: this is no text in UTF-8" in shell.run("rules", "validate", "bad.yml", code=1).stderr


def test_tests_of_rules_run_without_a_database_and_end_with_1_when_one_fails(shell: Shell) -> None:
    assert "0 failed" in shell.run("rules", "test", str(EXAMPLES)).stdout
    (shell.folder / "other.yml").write_text(RULES)
    failed = shell.run("rules", "test", str(EXAMPLES), "--rules", "other.yml", code=1).stdout
    assert "FAILED standard.test.yml: A shop nearby ships what it can spare" in failed
    assert shell.json("rules", "test", str(EXAMPLES))["failed"] == 0
    assert "no test file" in shell.run("rules", "test", ".", code=3).stderr
    (shell.folder / "broken.yml").write_text("cases:\n  - {}\n")
    assert "broken.yml: line 2" in shell.run("rules", "test", "broken.yml", code=1).stderr
