from __future__ import annotations

import pytest

from ccr.adapters.wire.overflow import Overflow, find_overflow, overflow_message


@pytest.mark.parametrize(
    "said, expected",
    [
        ("prompt is too long: 208310 tokens > 200000 maximum", Overflow(208310, 200000)),
        ("Prompt is too long", Overflow()),
        (
            "input length and `max_tokens` exceed context limit: 190000 + 32000 > 200000, decrease",
            Overflow(222000, 200000),
        ),
        (
            "This model's maximum context length is 128,000 tokens. However, your messages resulted in 150000 tokens.",
            Overflow(150000, 128000),
        ),
        (
            "maximum context length is 65536 tokens. However, you requested 70000 tokens",
            Overflow(70000, 65536),
        ),
        ("context_length_exceeded", Overflow()),
        ("request (9000 tokens) exceeds the available context size (8192 tokens)", Overflow(9000, 8192)),
        (
            "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
            Overflow(1200000, 1048576),
        ),
        ("input too long: 9 messages, 500 input tokens, limit is 400", Overflow(500, 400)),
        ("prompt token count of 70000 exceeds the limit of 64000", Overflow(70000, 64000)),
        (
            "requested token count exceeds the model's maximum context length of 4096 tokens",
            Overflow(None, 4096),
        ),
        ("Input is too long for requested model.", Overflow()),
        ("This is beyond the model's maximum context limit", Overflow()),
        ("Your request exceeded model token limit: 131072", Overflow(None, 131072)),
        ("max_tokens is too large: 128000", None),
        ("", None),
    ],
)
def test_what_providers_say(said: str, expected: Overflow | None) -> None:
    assert expected == find_overflow(said)


def test_the_client_reads_anthropics_words() -> None:
    assert overflow_message(5, 4, "x") == "prompt is too long: 5 tokens > 4 maximum"
    assert overflow_message(None, None, "Prompt is too long") == "Prompt is too long"
    assert overflow_message(None, 4, "x") == "prompt is too long: more than 4 tokens maximum (x)"
    assert overflow_message(None, None, "x") == "prompt is too long (x)"
