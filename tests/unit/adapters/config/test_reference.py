from __future__ import annotations

from pathlib import Path

from ccr.adapters.config.reference import markdown
from ccr.adapters.config.schema import Root, keys_of


def test_every_key_has_a_row() -> None:
    page = markdown()
    assert [key.name for key in keys_of(Root) if f"| `{key.name}`" not in page] == []
    assert "## `Router`" in page
    assert "| `longContextThreshold` | whole number, at least 1 | `60000` |" in page
    assert "## `StatusLine.default.modules`" in page


def test_the_page_is_the_one_of_the_classes() -> None:
    """Write it anew with `python -m ccr.adapters.config.reference > docs/reference/configuration.md`."""
    page = Path(__file__).parents[4] / "docs" / "reference" / "configuration.md"
    assert page.read_text(encoding="utf-8") == markdown()
