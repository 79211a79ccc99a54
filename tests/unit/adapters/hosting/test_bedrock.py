from __future__ import annotations

import base64
import json

import pytest

from ccr.adapters.dialects.anthropic.provider import AnthropicProvider
from ccr.adapters.hosting.bedrock import BedrockHosting
from ccr.adapters.wire.eventstream import write_message
from ccr.adapters.wire.json import CODEC, encode
from ccr.application.ports.payload import Encoded, Payload
from ccr.application.ports.provider import Endpoint
from ccr.domain.errors import UnsupportedError, UpstreamLimitedError
from ccr.domain.facts import Operation
from ccr.domain.fidelity import Loss
from ccr.domain.stream import MessageStart, MessageStop, StreamEvent, StreamFailed, TextDelta
from ccr.domain.verbatim import Json

HOST = "https://bedrock-runtime.eu-west-1.amazonaws.com"
MODEL = "eu.anthropic.claude-x-v1:0"
HERE = Endpoint("anthropic", HOST, hosting="bedrock")
BILLING = {"type": "text", "text": "x-anthropic-billing-header: cc_version=1"}
RULES = {"type": "text", "text": "Be kind."}


def amended(
    fields: dict[str, object], betas: tuple[str, ...] = (), losses: tuple[Loss, ...] = ()
) -> tuple[dict[str, object], Encoded]:
    before = Encoded(Payload(fields, CODEC), losses, (("anthropic-version", "2023-06-01"), ("x-own", "1")))
    after = BedrockHosting().amend(before, HERE, betas, stream=True)
    body: dict[str, object] = json.loads(after.payload.encode())
    return body, after


@pytest.mark.parametrize(
    "url, stream, expected",
    [
        (HOST, False, f"{HOST}/model/eu.anthropic.claude-x-v1%3A0/invoke"),
        (f"{HOST}/", True, f"{HOST}/model/eu.anthropic.claude-x-v1%3A0/invoke-with-response-stream"),
        (f"{HOST}/model/other/invoke", False, f"{HOST}/model/eu.anthropic.claude-x-v1%3A0/invoke"),
        (f"{HOST}/model", False, f"{HOST}/model/eu.anthropic.claude-x-v1%3A0/invoke"),
        (
            "http://127.0.0.1:9/models/aws/?k=1",
            False,
            "http://127.0.0.1:9/models/aws/model/eu.anthropic.claude-x-v1%3A0/invoke?k=1",
        ),
    ],
)
def test_the_model_stands_in_the_path(url: str, stream: bool, expected: str) -> None:
    endpoint = Endpoint("anthropic", url, hosting="bedrock")

    assert BedrockHosting().url(endpoint, MODEL, Operation.GENERATE, stream=stream) == expected


def test_a_model_may_be_an_arn() -> None:
    arn = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc"

    url = BedrockHosting().url(HERE, arn, Operation.GENERATE, stream=False)

    assert url.endswith(
        "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Aapplication-inference-profile%2Fabc/invoke"
    )


@pytest.mark.parametrize("operation", [Operation.COUNT, Operation.MODELS])
def test_only_generations_go_through_this_door(operation: Operation) -> None:
    with pytest.raises(UnsupportedError, match=operation.value):
        BedrockHosting().url(HERE, MODEL, operation, stream=False)


def test_the_body_has_the_version_and_neither_model_nor_stream() -> None:
    body, after = amended({"model": MODEL, "stream": True, "max_tokens": 9, "messages": Json(b"[]")})

    assert body == {"max_tokens": 9, "messages": [], "anthropic_version": "bedrock-2023-05-31"}
    assert after.losses == ()
    assert after.headers == (("x-own", "1"), ("accept", "application/json"))
    assert not BedrockHosting().verbatim


@pytest.mark.parametrize(
    "betas, asked",
    [
        (("interleaved-thinking-2025-05-14",), ["interleaved-thinking-2025-05-14"]),
        (("advanced-tool-use-2025-11-20",), ["tool-search-tool-2025-10-19"]),
        (("advanced-tool-use-2025-11-20", "tool-search-tool-2025-10-19"), ["tool-search-tool-2025-10-19"]),
        (("claude-code-20250219", "context-management-2025-06-27", "of-tomorrow-2027-01-01"), None),
        (("claude-code-20250219", "context-1m-2025-08-07"), ["context-1m-2025-08-07"]),
    ],
)
def test_betas_go_in_the_body_if_they_are_taken(betas: tuple[str, ...], asked: list[str] | None) -> None:
    body, after = amended({"messages": []}, betas)

    assert body.get("anthropic_beta") == asked
    assert after.losses == ()


def test_betas_that_the_body_asks_for_already_count_too() -> None:
    fields: dict[str, object] = {"anthropic_beta": ["context-1m-2025-08-07", "nonsense", 7]}
    body, _ = amended(fields, ("effort-2025-11-24",))

    assert body["anthropic_beta"] == ["context-1m-2025-08-07", "effort-2025-11-24"]


def test_fields_that_are_refused_are_losses() -> None:
    kept: dict[str, object] = {
        "max_tokens": 1,
        "system": "s",
        "messages": [],
        "tools": [],
        "tool_choice": {},
        "thinking": {},
        "output_config": {},
        "temperature": 0,
        "top_p": 1,
        "top_k": 1,
        "stop_sequences": [],
    }
    refused: dict[str, object] = {
        "context_management": {},
        "container": "c",
        "mcp_servers": [],
        "service_tier": "auto",
        "inference_geo": "eu",
        "thread": {},
        "safeguards": [],
        "speed": "fast",
    }
    body, after = amended(
        kept | refused, ("context-management-2025-06-27",), (Loss("thinking"), Loss("thread"))
    )

    assert body == {**kept, "anthropic_version": "bedrock-2023-05-31"}
    assert after.losses == (
        Loss("thinking"),
        Loss("thread"),
        *(Loss(name) for name in refused if name != "thread"),
    )


@pytest.mark.parametrize(
    "metadata, kept, lost",
    [
        ({"user_id": "u"}, {"user_id": "u"}, ()),
        ({"user_id": "u", "more": 1}, {"user_id": "u"}, (Loss("metadata"),)),
        ({"more": 1}, None, (Loss("metadata"),)),
        ("x", None, (Loss("metadata"),)),
    ],
)
def test_of_metadata_only_the_user_is_kept(metadata: object, kept: object, lost: tuple[Loss, ...]) -> None:
    body, after = amended({"metadata": metadata})

    assert body.get("metadata") == kept
    assert after.losses == lost


@pytest.mark.parametrize(
    "system, kept",
    [
        (Json(encode([BILLING, RULES])), [RULES]),
        (Json(encode([RULES])), [RULES]),
        (Json(encode([BILLING])), None),
        ([RULES, {"type": "text", "text": 7}, "x"], [RULES, {"type": "text", "text": 7}, "x"]),
        ("Be kind.", "Be kind."),
        (BILLING["text"], None),
        (
            Json(encode({**RULES, "text": f"Say {BILLING['text']}"})),
            {"type": "text", "text": f"Say {BILLING['text']}"},
        ),
    ],
)
def test_the_bookkeeping_of_anthropic_is_not_sent(system: object, kept: object) -> None:
    body, after = amended({"system": system})

    assert body.get("system") == kept
    assert after.losses == ()


# ----------------------------------------------------------------------------------------------- the reply

REPLY = (
    {
        "type": "message_start",
        "message": {"id": "msg_bdrk_1", "model": "claude-x", "usage": {"input_tokens": 3}},
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Grüße"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
    {
        "type": "message_stop",
        "amazon-bedrock-invocationMetrics": {
            "inputTokenCount": 3,
            "outputTokenCount": 2,
            "invocationLatency": 9,
        },
    },
)


def message(event: object) -> bytes:
    payload = json.dumps(
        {"bytes": base64.b64encode(json.dumps(event).encode()).decode(), "p": "abc"}
    ).encode()
    return write_message({":event-type": "chunk", ":message-type": "event"}, payload)


def decoded(stream: bytes, size: int) -> list[StreamEvent]:
    decoder = AnthropicProvider().stream_decoder(BedrockHosting().framer(limit=10_000))
    events: list[StreamEvent] = []
    for at in range(0, len(stream), size):
        events += decoder.feed(stream[at : at + size])
    return events + decoder.close()


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_streamed_reply_ends_well_with_amazons_own_metrics_in_it(size: int) -> None:
    events = decoded(b"".join(map(message, REPLY)), size)

    assert isinstance(events[0], MessageStart)
    assert TextDelta("Grüße") in events
    assert isinstance(events[-1], MessageStop)
    assert (events[-1].reason.value, events[-1].usage.output) == ("end_turn", 2)


@pytest.mark.parametrize("size", [1, 100_000])
def test_an_exception_in_the_stream_is_a_failure_with_amazons_words(size: int) -> None:
    slow_down = write_message(
        {":message-type": "exception", ":exception-type": "throttlingException"}, b'{"message":"slow down"}'
    )
    events = decoded(message(REPLY[0]) + slow_down, size)

    assert isinstance(events[0], MessageStart)
    assert isinstance(events[-1], StreamFailed)
    assert isinstance(events[-1].error, UpstreamLimitedError)
    assert events[-1].error.message == "slow down"
