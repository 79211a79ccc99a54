from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr.adapters.config.expand import expand, is_secret_name, mask, read_secret_file

ENV = {"NAME": "value", "EMPTY": "", "lower": "l", "HOME": "/home/me", "DOLLAR": "$NAME"}


@pytest.mark.parametrize(
    "text, expanded",
    [
        ("$NAME", "value"),
        ("${NAME}", "value"),
        ("a-${NAME}-b $NAME", "a-value-b value"),
        ("${GONE:-fallback}", "fallback"),
        ("${EMPTY:-fallback}", "fallback"),
        ("${GONE:-}", ""),
        ("${NAME:-fallback}", "value"),
        ("$$NAME", "$NAME"),
        ("$$", "$"),
        ("$$$NAME", "$value"),
        ("$name", "$name"),
        ("${lower}", "l"),
        ("cost: $5", "cost: $5"),
        ("$DOLLAR", "$NAME"),
        ("${file:/run/key}", "from file"),
        ("${file:~/key}", "from file"),
        ("plain", "plain"),
    ],
)
def test_references(text: str, expanded: str) -> None:
    result = expand(text, ENV, lambda _: "from file")
    assert (result.value, result.missing) == (expanded, [])


@pytest.mark.parametrize("text, value", [("$GONE", None), ("${EMPTY}", None), ("x$GONE", "x")])
def test_an_unset_or_empty_variable_is_named(text: str, value: object) -> None:
    result = expand({"a": [text]}, ENV)
    assert result.value == {"a": [value]}
    (missing,) = result.missing
    assert missing.path == ("a", 0)
    assert "is not set" in missing.message


def test_what_is_no_reference_stays_and_is_told() -> None:
    result = expand("${not a name}", ENV)
    assert (result.value, result.odd) == ("${not a name}", [((), "${not a name}")])


def test_keys_are_not_expanded() -> None:
    assert expand({"$NAME": 1}, ENV).value == {"$NAME": 1}


def test_a_file_that_cannot_be_read_is_fatal(tmp_path: Path) -> None:
    (missing,) = expand(f"${{file:{tmp_path}/gone}}", ENV).missing
    assert missing.fatal
    assert "No such file" in missing.message


def test_a_secret_file_is_read_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-1\r\n")
    assert read_secret_file(str(tmp_path / "key")) == "sk-1"
    with pytest.raises(ValueError, match="absolute"):
        read_secret_file("key")
    (tmp_path / "big").write_bytes(b"x" * 70_000)
    with pytest.raises(ValueError, match="more than"):
        read_secret_file(str(tmp_path / "big"))
    (tmp_path / "binary").write_bytes(b"\xff")
    with pytest.raises(ValueError, match="UTF-8"):
        read_secret_file(str(tmp_path / "binary"))


@pytest.mark.parametrize("name", ["api_key", "apiKey", "APIKEY", "OPENAI_API_KEY", "token", "GITHUB_TOKEN", "x-api-key",
                                  "Authorization", "client_secret", "dbPassword", "Cookie"])  # fmt: skip
def test_names_that_hold_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["name", "monkey", "models", "PORT", "tokenizer", "keyboard"])
def test_names_that_do_not(name: str) -> None:
    assert not is_secret_name(name)


def test_masking_by_name_by_path_and_in_urls() -> None:
    value = {"api_key": "a", "options": {"x": "b", "keep": "c", "tokens": ["d", 1]}, "url": "http://u:p@h/"}
    assert mask(value, {("options", "x")}) == {
        "api_key": "***", "options": {"x": "***", "keep": "c", "tokens": ["***", 1]}, "url": "http://***@h/",
    }  # fmt: skip


@given(st.text())
def test_any_text_expands_or_says_why(text: str) -> None:
    assert isinstance(expand(text, ENV, lambda _: "").value, str | None)
