from __future__ import annotations

from ccr.adapters.providers.loader import load_providers
from ccr.adapters.providers.reference import markdown


def test_the_page_has_every_provider_and_endpoint() -> None:
    page = markdown()

    for spec in load_providers():
        assert f"\n## {spec.name}\n" in page
        for end in spec.endpoints:
            assert f"| `{end.dialect}` | `{end.url}` |" in page
    assert "through bedrock" in page
    assert "login `x-goog-api-key`" in page
    assert "[coding plan](" in page
