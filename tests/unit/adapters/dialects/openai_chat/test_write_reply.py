from __future__ import annotations

import json
from typing import Any

import pytest

from ccr.adapters.dialects.openai_chat import OpenAIChatClient
from ccr.adapters.dialects.openai_chat.read_request import ChatEcho
from ccr.domain.conversation import Citation, ContentBlock, Text, Thinking, ToolCall
from ccr.domain.errors import UpstreamProtocolError
from ccr.domain.facts import Operation, RequestFacts
from ccr.domain.reply import Reply, StopReason
from ccr.domain.usage import Usage
from ccr.domain.verbatim import Json
from tests.support.chat_calls import completion

FACTS = RequestFacts(Operation.GENERATE, "openai_chat", "asked")


def whole(
    *blocks: ContentBlock,
    reason: StopReason = StopReason.END_TURN,
    echo: ChatEcho | None = None,
    **fields: Any,
) -> dict[str, Any]:
    reply = Reply(**{"id": "r", "model": "m", **fields}, blocks=blocks, reason=reason)
    body = OpenAIChatClient(new_id=lambda: "new", now=lambda: 5.0).write_reply(reply, FACTS, echo)
    completion(body)
    return json.loads(body)  # type: ignore[no-any-return]


def message(*blocks: ContentBlock, **fields: Any) -> Any:
    return whole(*blocks, **fields)["choices"][0]["message"]


def test_a_whole_reply() -> None:
    usage = Usage(90, 10, 1, 2, output=7, reasoning=3)
    assert whole(Thinking("hm"), Text("A"), usage=usage) == {
        "id": "r",
        "object": "chat.completion",
        "created": 5,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "A",
                    "refusal": None,
                    "reasoning_content": "hm",
                },
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 103,
            "completion_tokens": 7,
            "total_tokens": 110,
            "prompt_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 3},
            "completion_tokens_details": {"reasoning_tokens": 3},
        },
    }


def test_names_stand_in_and_nothing_is_an_empty_text() -> None:
    made = whole(id="", model="")
    assert (made["id"], made["model"], made["choices"][0]["message"]["content"]) == ("new", "asked", "")


def test_calls() -> None:
    made = message(
        ToolCall("t", "f", Json(b'{"a":1}')),
        ToolCall("p", "patch", Json(b'{"input":"+a"}')),
        reason=StopReason.TOOL_USE,
        echo=ChatEcho(freeform=frozenset({"patch"})),
    )
    assert made["content"] is None
    assert made["tool_calls"] == [
        {"id": "t", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
        {"id": "p", "type": "custom", "custom": {"name": "patch", "input": "+a"}},
    ]


def test_a_function_of_old() -> None:
    made = whole(ToolCall("t", "f"), reason=StopReason.TOOL_USE, echo=ChatEcho(legacy=True))
    choice = made["choices"][0]
    assert choice["message"]["function_call"] == {"name": "f", "arguments": "{}"}
    assert (choice["message"]["content"], choice["finish_reason"]) == (None, "function_call")


def test_citations_and_refusals() -> None:
    cited = message(Text("ab", citations=(Citation("url", url="http://a", title="A"),)))
    place = {"start_index": 0, "end_index": 2, "url": "http://a", "title": "A"}
    assert cited["annotations"] == [{"type": "url_citation", "url_citation": place}]
    refused = message(Text("no"), reason=StopReason.REFUSAL)
    assert (refused["content"], refused["refusal"]) == ("no", "no")


def test_a_broken_call_is_no_reply_unless_it_was_cut_short() -> None:
    broken = ToolCall("t", "f", Json(b'{"a"'))
    with pytest.raises(UpstreamProtocolError, match="call of f"):
        whole(broken, reason=StopReason.TOOL_USE)
    cut = whole(broken, reason=StopReason.MAX_TOKENS)["choices"][0]
    assert cut["message"]["tool_calls"][0]["function"]["arguments"] == '{"a"'
