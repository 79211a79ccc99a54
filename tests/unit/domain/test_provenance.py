from __future__ import annotations

import pytest

from ccr.domain.provenance import Origin, Seal, may_return, stamped

BARE = Seal(Origin("gemini"), "call", "data")
OWN = Seal(Origin("gemini", "google", "g-3"), "call", "data")


def test_a_seal_is_stamped_once_and_by_its_own_dialect() -> None:
    maker = Origin("gemini", "google", "g-3")

    assert stamped(BARE, maker) == OWN
    assert stamped(OWN, Origin("gemini", "other", "m")) is OWN
    assert stamped(BARE, Origin("openai_chat", "oai", "m")) is BARE


@pytest.mark.parametrize(
    "seal, dialect, provider, expected",
    [
        (OWN, "gemini", "google", True),
        (OWN, "gemini", "other", False),
        (OWN, "openai_chat", "google", False),
        (BARE, "gemini", "google", True),
        (BARE, "anthropic", "google", False),
        (Seal(Origin("anthropic"), "signature", "x"), "anthropic", "", True),
        (Seal(Origin("anthropic", "deepseek", "m"), "signature", "x"), "anthropic", "", False),
    ],
)
def test_sealed_content_goes_home_only(seal: Seal, dialect: str, provider: str, expected: bool) -> None:
    assert may_return(seal, dialect, provider) is expected
