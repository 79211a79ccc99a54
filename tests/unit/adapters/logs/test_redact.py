from __future__ import annotations

import pytest

from ccr.adapters.logs.redact import MASK, Redactor

SECRET = "canary-of-no-known-shape"


@pytest.mark.parametrize(
    "text",
    [
        "sk-ant-REDACT012345-6789",
        "a key sk-0123456789abcdef in a sentence",
        "AIzaREDACT0123456789abcdef",
        "AKIAREDACT0123456",
        "eyJREDACTabcdef.REDACTabcdefgh.REDACTsignature",
        "Bearer REDACT/0123+456=",
        "authorization: Bearer REDACT-short",
        "Authorization: Basic REDACTREDACT",
        '{"x-api-key": "REDACTED"}',
        "https://api.test/v1?api_key=REDACTED",
        "http://user:REDACTED@proxy.test:8080/",
        "http://:REDACTED@proxy.test",
    ],
)
def test_what_looks_like_a_key_is_masked(text: str) -> None:
    clean = Redactor().text(text)

    assert MASK in clean
    assert "REDACT" not in clean
    assert "0123456" not in clean


@pytest.mark.parametrize(
    "text",
    [
        "the task-list of a long-running worker-process",
        "deepseek,deepseek-chat",
        "https://api.test:8443/v1/messages",
        "input_tokens=12 seconds=0.5",
        "claude-sonnet-5-5-20260101",
        "mail me at user@host.test",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert text == Redactor().text(text)


def test_a_known_secret_is_masked_wherever_it_stands_also_in_a_url() -> None:
    redactor = Redactor()
    redactor.know([SECRET, "a b/c d&e f", "short"])

    assert f"x{MASK}y" == redactor.text(f"x{SECRET}y")
    assert f"?q={MASK}" == redactor.text("?q=a%20b%2Fc%20d%26e%20f")
    assert redactor.text("a short word") == "a short word"


def test_new_secrets_replace_the_old_ones() -> None:
    redactor = Redactor()
    redactor.know([SECRET])
    redactor.know([])

    assert redactor.text(SECRET) == SECRET


def test_the_longer_of_two_secrets_is_masked_whole() -> None:
    redactor = Redactor()
    redactor.know(["canary-1", "canary-1-and-more"])

    assert redactor.text("canary-1-and-more") == MASK


def test_nested_values_and_keys_are_redacted() -> None:
    redactor = Redactor()
    redactor.know([SECRET])
    nested = {"list": [SECRET, {SECRET: 1}], "set": {SECRET}, "bytes": SECRET.encode(), "n": 1, "none": None}

    clean = redactor.value(nested)

    assert SECRET not in repr(clean)
    assert isinstance(clean, dict)
    assert (clean["n"], clean["none"]) == (1, None)


def test_what_stands_under_a_secret_name_is_masked_however_it_looks() -> None:
    line = {
        "headers": {"Authorization": "word", "Set-Cookie": "a=b", "accept": "all"},
        "api_key": "x",
        "apikey": "",
    }

    assert Redactor()(None, "info", line) == {
        "headers": {"Authorization": MASK, "Set-Cookie": MASK, "accept": "all"},
        "api_key": MASK,
        "apikey": "",
    }


def test_what_lies_too_deep_is_not_written_at_all() -> None:
    deep: object = {"x": 1}
    for _ in range(20):
        deep = [deep]

    assert MASK in repr(Redactor().value(deep))


def test_an_object_is_written_as_its_redacted_text() -> None:
    class Loud:
        def __str__(self) -> str:
            return "sk-0123456789abcdef"

    assert Redactor().value(Loud()) == MASK


def test_half_a_surrogate_pair_becomes_an_escape() -> None:
    assert Redactor().text("\ud83d é") == "\\ud83d é"
