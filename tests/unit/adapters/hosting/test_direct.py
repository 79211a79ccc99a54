from __future__ import annotations

import pytest

from ccr.adapters.hosting.direct import DirectHosting
from ccr.adapters.wire.json import CODEC
from ccr.application.ports.dialect import Frame
from ccr.application.ports.payload import Encoded, Payload
from ccr.application.ports.provider import Endpoint
from ccr.domain.facts import Operation

ANTHROPIC = "https://api.anthropic.com"
GEMINI = "https://generativelanguage.googleapis.com"
CHAT = "https://openrouter.ai/api/v1"


@pytest.mark.parametrize(
    "dialect, url, operation, expected",
    [
        ("anthropic", ANTHROPIC, Operation.GENERATE, f"{ANTHROPIC}/v1/messages"),
        ("anthropic", f"{ANTHROPIC}/", Operation.GENERATE, f"{ANTHROPIC}/v1/messages"),
        ("anthropic", f"{ANTHROPIC}/v1", Operation.GENERATE, f"{ANTHROPIC}/v1/messages"),
        ("anthropic", f"{ANTHROPIC}/v1/messages", Operation.GENERATE, f"{ANTHROPIC}/v1/messages"),
        ("anthropic", f"{ANTHROPIC}/v1/messages", Operation.COUNT, f"{ANTHROPIC}/v1/messages/count_tokens"),
        ("anthropic", "https://x.io/anthropic", Operation.GENERATE, "https://x.io/anthropic/v1/messages"),
        ("anthropic", "https://x.io/a?k=1", Operation.MODELS, "https://x.io/a/v1/models?k=1"),
        ("openai_chat", f"{CHAT}/chat/completions", Operation.GENERATE, f"{CHAT}/chat/completions"),
        ("openai_chat", CHAT, Operation.GENERATE, f"{CHAT}/chat/completions"),
        ("openai_chat", f"{CHAT}/chat/completions", Operation.MODELS, f"{CHAT}/models"),
        (
            "openai_chat",
            "http://[::1]:11434/v1/",
            Operation.GENERATE,
            "http://[::1]:11434/v1/chat/completions",
        ),
        ("other", "https://x.io/generate", Operation.GENERATE, "https://x.io/generate"),
    ],
)
def test_urls(dialect: str, url: str, operation: Operation, expected: str) -> None:
    assert expected == DirectHosting().url(Endpoint(dialect, url), "m", operation, stream=True)


def test_the_body_is_not_changed_and_streams_are_sse() -> None:
    encoded = Encoded(Payload({"a": 1}, CODEC))

    assert DirectHosting().amend(encoded, Endpoint("anthropic", ANTHROPIC), ("beta",), stream=True) is encoded
    assert DirectHosting().framer(limit=100).feed(b"data: x\n\n") == [Frame(b"", b"x")]


@pytest.mark.parametrize(
    "url, model, operation, stream, expected",
    [
        (GEMINI, "g", Operation.GENERATE, False, f"{GEMINI}/v1beta/models/g:generateContent"),
        (GEMINI, "g", Operation.GENERATE, True, f"{GEMINI}/v1beta/models/g:streamGenerateContent?alt=sse"),
        (f"{GEMINI}/v1beta/models/", "g", Operation.COUNT, False, f"{GEMINI}/v1beta/models/g:countTokens"),
        (f"{GEMINI}/v1", "models/a/b", Operation.COUNT, True, f"{GEMINI}/v1/models/a%2Fb:countTokens"),
        (f"{GEMINI}/v1beta/models", "", Operation.MODELS, False, f"{GEMINI}/v1beta/models"),
    ],
)
def test_a_gemini_address_holds_the_model(
    url: str, model: str, operation: Operation, stream: bool, expected: str
) -> None:
    assert DirectHosting().url(Endpoint("gemini", url), model, operation, stream=stream) == expected


def test_a_model_in_the_address_is_not_repeated_in_the_body() -> None:
    encoded = Encoded(Payload({"model": "g", "stream": True, "contents": []}, CODEC))

    amended = DirectHosting().amend(encoded, Endpoint("gemini", GEMINI), (), stream=True)

    assert dict(amended.payload.fields) == {"contents": []}
