from __future__ import annotations

import pytest

from ccr.domain.routing.glob import Glob, is_claude


@pytest.mark.parametrize(
    "pattern, name, expected",
    [
        ("opus", "claude-opus-5-5", True),
        ("Opus", "opus", True),
        ("opus", "my-opus-tune", False),
        ("haiku", "claude-3-5-haiku-20241022", True),
        ("gpt-*", "gpt-5", True),
        ("gpt-*", "claude-opus-5", False),
        ("*haiku*", "claude-haiku-5", True),
    ],
)
def test_a_family_word_or_a_glob_matches(pattern: str, name: str, expected: bool) -> None:
    assert Glob.of(pattern).matches(name) is expected


def test_the_window_mark_is_a_condition_not_a_set_of_characters() -> None:
    glob = Glob.of("Opus[1M]")
    assert str(glob) == "opus[1m]"
    assert glob.matches("claude-opus-5-5", wants_1m=True)
    assert not glob.matches("claude-opus-5-5")


@pytest.mark.parametrize("name", ["claude-opus-5-5", "Claude-3-5-Haiku-20241022", "sonnet"])
def test_the_client_knows_its_own_names(name: str) -> None:
    assert is_claude(name)


@pytest.mark.parametrize("name", ["glm-5", "claude-clone", "my-opus", ""])
def test_the_client_does_not_know_other_names(name: str) -> None:
    assert not is_claude(name)
