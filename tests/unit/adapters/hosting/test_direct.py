from __future__ import annotations

import pytest

from ccr.adapters.hosting.direct import DirectHosting
from ccr.adapters.wire.json import CODEC
from ccr.application.ports.dialect import Frame
from ccr.application.ports.payload import Payload
from ccr.application.ports.provider import Endpoint
from ccr.domain.facts import Operation

ANTHROPIC = "https://api.anthropic.com"
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
    payload = Payload({"a": 1}, CODEC)

    assert DirectHosting().amend(payload) is payload
    assert DirectHosting().framer(limit=100).feed(b"data: x\n\n") == [Frame(b"", b"x")]
