from __future__ import annotations

from typing import Any

import pytest

from ccr.adapters.wire import json
from ccr.adapters.wire.tool_changes import applied
from ccr.domain.conversation import Conversation, FunctionTool, HostedTool, Opaque, Role, Text, Tool, Turn
from ccr.domain.verbatim import Json
from tests.support.assembly import BODY, assembled, openai_chunks, sse, streamed, text_events

LATE = FunctionTool("Late", deferred=True)
READ = FunctionTool("Read")
SEARCH = HostedTool("web_search_20250305", "web_search", "anthropic", Json(b"{}"))


def block(kind: str, tool: Any) -> Opaque:
    return Opaque("anthropic", kind, Json(json.encode({"type": kind, "tool": tool})))


def reference(name: str) -> dict[str, str]:
    return {"type": "tool_reference", "name": name}


def tools_after(*blocks: Opaque) -> tuple[Tool, ...]:
    turns = (Turn(Role.USER, (Text("hi"),)), Turn(Role.SYSTEM, blocks))
    return applied(Conversation("m", turns, tools=(READ, LATE, SEARCH))).tools


def test_a_deferred_tool_that_is_added_is_offered() -> None:
    assert tools_after(block("tool_addition", reference("Late"))) == (READ, FunctionTool("Late"), SEARCH)


def test_a_tool_that_is_removed_is_not() -> None:
    assert tools_after(block("tool_removal", reference("Read"))) == (LATE, SEARCH)


def test_changes_are_made_in_their_order() -> None:
    both = (block("tool_removal", reference("Read")), block("tool_addition", reference("Read")))

    assert tools_after(*both) == (LATE, SEARCH)


def test_a_definition_by_value_is_a_tool() -> None:
    schema = {"type": "object", "properties": {}}
    definition = {"name": "New", "description": "d", "input_schema": schema}
    made = tools_after(block("tool_addition", {"type": "tool_definition", "definition": definition}))[-1]

    assert made == FunctionTool("New", "d", Json(json.encode(schema)))


@pytest.mark.parametrize(
    "tool",
    [
        None,
        {"type": "mcp_toolset_reference", "server_name": "s"},
        reference("Nobody"),
        reference("web_search"),
        {"type": "tool_reference", "name": 5},
        {"type": "tool_definition", "definition": 5},
        {"type": "tool_definition", "definition": {"name": "New"}},
        {"type": "tool_definition", "definition": {"description": "x"}},
    ],
)
def test_what_cannot_be_understood_changes_nothing(tool: Any) -> None:
    assert tools_after(block("tool_addition", tool)) == (READ, LATE, SEARCH)


def test_junk_changes_nothing() -> None:
    for data in (b"{", b"[]"):
        assert tools_after(Opaque("anthropic", "tool_addition", Json(data))) == (READ, LATE, SEARCH)


def test_a_description_that_is_no_text_is_left_out() -> None:
    definition = {"name": "New", "description": 5, "input_schema": {}}
    made = tools_after(block("tool_addition", {"type": "tool_definition", "definition": definition}))[-1]

    assert isinstance(made, FunctionTool)
    assert made.description == ""


def test_blocks_leave_the_turns_and_empty_turns_go() -> None:
    removal = block("tool_removal", reference("Read"))
    turns = (
        Turn(Role.SYSTEM, (Text("keep"), removal)),
        Turn(Role.SYSTEM, (removal,)),
        Turn(Role.USER, (Text("x"),)),
    )

    assert applied(Conversation("m", turns)).turns == (Turn(Role.SYSTEM, (Text("keep"),)), turns[2])


def test_without_changes_the_conversation_stays_itself() -> None:
    same = Conversation("m", (Turn(Role.USER, (Text("x"), Opaque("anthropic", "other", Json(b"{}")))),))

    assert applied(same) is same


CHANGED = {
    **BODY,
    "tools": [
        {"name": "Read", "input_schema": {"type": "object"}},
        {"name": "Late", "input_schema": {"type": "object"}, "defer_loading": True},
    ],
    "messages": [
        {"role": "user", "content": "hi"},
        {
            "role": "system",
            "content": [
                {"type": "tool_addition", "tool": reference("Late")},
                {"type": "tool_removal", "tool": reference("Read")},
            ],
        },
    ],
}


@pytest.mark.anyio
async def test_through_the_gateway_a_provider_of_chat_completions_gets_the_changed_list() -> None:
    async with assembled(streamed(openai_chunks("ok"))) as bench:
        await bench.ask(CHANGED, model="oai,m1")
        sent: Any = json.decode(bench.upstream.requests[0].body)

    assert [tool["function"]["name"] for tool in sent["tools"]] == ["Late"]
    assert b"tool_addition" not in bench.upstream.requests[0].body


@pytest.mark.anyio
async def test_through_the_gateway_anthropic_gets_the_blocks_as_they_are() -> None:
    async with assembled(streamed(sse(*text_events()))) as bench:
        await bench.ask(CHANGED)

    assert (
        b'{"type":"tool_removal","tool":{"type":"tool_reference","name":"Read"}}'
        in bench.upstream.requests[0].body
    )
