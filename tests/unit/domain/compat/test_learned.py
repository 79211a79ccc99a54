from __future__ import annotations

import tomllib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr.domain.compat import Amendment, Change, Learned, door_of, evidence_of, patch_lines

AT = datetime(2026, 11, 24, tzinfo=UTC)


def learned(amendment: Amendment, model: str = "m", evidence: str = "because") -> Learned:
    return Learned("https://p.test/v1", model, amendment, evidence, AT, AT, AT)


@pytest.mark.parametrize(
    "url, door",
    [
        ("https://p.test/v1/chat/completions?key=secret#x", "https://p.test/v1/chat/completions"),
        ("https://user:pass@p.test:8080/v1", "https://p.test:8080/v1"),
        ("http://[broken", ""),
    ],
)
def test_an_address_is_remembered_without_what_is_secret(url: str, door: str) -> None:
    assert door_of(url) == door


@pytest.mark.parametrize(
    "said, kept",
    [
        ("Unknown parameter:\n 'seed'.\x1b[31m", "Unknown parameter: 'seed'. [31m"),
        ("the key sk-ant-api03-abcdefghijklmnop is wrong", "the key *** is wrong"),
        ("api_key: verysecret, no", "*** no"),
        ("Bearer abc123 was sent", "*** was sent"),
        (f"token {'a1' * 20} was sent", "token *** was sent"),
        ("`context-management-2025-06-27` is unknown", "`context-management-2025-06-27` is unknown"),
        ("x" * 300, "x" * 237 + "..."),
    ],
)
def test_evidence_is_one_bounded_line_without_keys(said: str, kept: str) -> None:
    assert evidence_of(said) == kept


def test_a_patch_is_the_profile_of_a_provider_file() -> None:
    found = [
        learned(
            Amendment(Change.RENAME, "max_tokens", to="max_completion_tokens"), evidence="use it\ninstead"
        ),
        learned(Amendment(Change.CAP, "max_tokens", limit=8192)),
        learned(Amendment(Change.AUTO, "tool_choice")),
        learned(Amendment(Change.CLAMP, "effort", allowed=("high", "low", "none"))),
        learned(Amendment(Change.KEYWORD, "format")),
        learned(Amendment(Change.KEYWORD, "$schema")),
        learned(Amendment(Change.DROP, "stream_options")),
        learned(Amendment(Change.DROP, "temperature")),
        learned(Amendment(Change.CLAMP, "thinking.type", allowed=("adaptive",))),
        learned(Amendment(Change.RENAME, "a", to="b")),
        learned(Amendment(Change.DROP, "thinking"), model='odd "model"\\'),
        learned(Amendment(Change.DROP, "reasoning_effort"), model='odd "model"\\'),
    ]
    lines = patch_lines(found)

    assert tomllib.loads("\n".join(lines)) == {
        "profiles": {
            "m": {
                "max_tokens_field": "max_completion_tokens",
                "max_output": 8192,
                "tool_choice_required": False,
                "efforts": ["low", "high"],
                "schema_drop": ["format", "$schema"],
                "stream_usage": False,
            },
            'odd "model"\\': {"reasoning": "none"},
        }
    }
    assert "# https://p.test/v1" in lines
    assert "# use it instead" in lines
    assert "# no fact of a profile says this: drop temperature" in lines
    assert "# no fact of a profile says this: clamp thinking.type to adaptive" in lines


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(NAMES, NAMES, NAMES, st.sampled_from(Change))
def test_a_patch_is_toml_whatever_was_said(model: str, name: str, evidence: str, change: Change) -> None:
    text = "\n".join(
        patch_lines([learned(Amendment(change, name, to=name, allowed=(name,)), model, evidence)])
    )

    assert list(tomllib.loads(text)) == ["profiles"]


def test_what_replaces_each_other() -> None:
    first, second = (
        learned(Amendment(Change.CAP, "max_tokens", limit=1)),
        learned(Amendment(Change.CAP, "max_tokens")),
    )

    assert first.key == second.key == ("https://p.test/v1", "m", "cap", "max_tokens")
