"""The page of settings is the one that the settings write."""

from __future__ import annotations

from pathlib import Path

from hub.settings import Settings, page

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"


def test_the_page_is_up_to_date():
    assert PAGE.read_text() == page(), "write it anew: python -m hub.settings > docs/reference/settings.md"


def test_every_setting_is_described():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
