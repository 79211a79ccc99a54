from __future__ import annotations

from ccr.domain.secret import Secret


def test_a_secret_never_shows_itself() -> None:
    secret = Secret("sk-canary-1234567890")

    assert "canary" not in f"{secret!r} {secret!s} {secret.masked()}"
    assert secret.masked() == "***7890"
    assert Secret("short").masked() == "***"


def test_a_secret_can_be_revealed_and_compared() -> None:
    assert Secret("text").reveal() == "text"
    assert Secret("a") == Secret("a")
    assert not Secret("")
