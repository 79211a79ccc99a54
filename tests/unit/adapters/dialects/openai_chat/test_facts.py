from __future__ import annotations

from typing import Any

import pytest

from ccr.domain.facts import Operation, SessionKey
from tests.support.chat_calls import parsed, request

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 5000}}


def asked(*messages: dict[str, Any], **fields: Any) -> Any:
    return parsed(messages=list(messages), **fields).facts


def user(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(content)}


def test_the_plain_facts() -> None:
    facts = parsed(
        {"user-agent": "codex/1.2 x"}, stream=True, max_completion_tokens=9, tools=[{"type": "function"}]
    ).facts
    assert (facts.operation, facts.dialect, facts.model) == (Operation.GENERATE, "openai_chat", "m")
    assert (facts.stream, facts.max_tokens, facts.tools, facts.tool_kinds) == (True, 9, 1, ())
    assert (facts.client, facts.size) == ("codex/1.2", facts.text_size)
    assert parsed(model="m[1m]").facts.wants_1m


def test_web_search_is_a_kind_of_tool() -> None:
    facts = parsed(web_search_options={}, tools=[{"type": "web_search"}], functions=[{"name": "f"}]).facts
    assert facts.tool_kinds == ("web_search", "web_search")
    assert facts.tools == 3


@pytest.mark.parametrize(
    "headers, fields, session",
    [
        ({}, {}, ""),
        ({}, {"user": "u"}, "u"),
        ({}, {"user": "u", "prompt_cache_key": "k"}, "k"),
        ({"session_id": "s"}, {"prompt_cache_key": "k"}, "s"),
    ],
)
def test_sessions(headers: dict[str, str], fields: dict[str, str], session: str) -> None:
    assert parsed(headers, **fields).facts.session == SessionKey(session)


def test_pictures_of_the_current_turn_only() -> None:
    said = {"role": "assistant", "content": "ok"}
    assert asked(user(PICTURE)).images
    assert asked({"role": "tool", "tool_call_id": "t", "content": [PICTURE]}, user()).images
    assert not asked(user(PICTURE), said, {"role": "user", "content": "and?"}).images
    assert not asked({"role": "user", "content": "image_url"}).images
    assert not asked(user({"type": "text", "text": "an image_url"})).images
    assert not asked(user({"type": "image_url", "text": 5})).images


def test_media_are_no_tokens() -> None:
    audio = {"type": "input_audio", "input_audio": {"data": "B" * 3000, "format": "wav"}}
    facts = asked(user(PICTURE, audio, {"type": "text", "text": "see base64"}))
    assert facts.size - facts.text_size == 8000
    told = asked({"role": "user", "content": 'I wrote "data:image/png;base64,AAAA" and base64'})
    assert told.size == told.text_size


def test_the_subagent_tag() -> None:
    tag = "<CCR-SUBAGENT-MODEL>p,m</CCR-SUBAGENT-MODEL>"
    assert asked({"role": "system", "content": tag}, user()).subagent_tag == "p,m"
    assert asked(user({"type": "text", "text": tag})).subagent_tag == "p,m"
    assert asked(user(), user({"type": "text", "text": tag})).subagent_tag == ""
    assert asked({"role": 5}, {"role": "user", "content": tag}, {"role": "user", "content": 5}).subagent_tag
    assert asked({"role": "user", "content": [5]}, {"role": "tool", "content": tag}).subagent_tag == ""


def test_the_helper_makes_what_it_says() -> None:
    assert request(model="x").startswith(b'{"model": "x"')
