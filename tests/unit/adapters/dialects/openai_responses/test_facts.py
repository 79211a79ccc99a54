from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ccr.adapters.dialects.openai_responses import ResponsesClient
from ccr.domain.conversation import Effort, ReasoningMode
from ccr.domain.errors import InvalidRequestError
from ccr.domain.facts import Operation, RequestFacts
from tests.support.responses import call, request

TAG = "<CCR-SUBAGENT-MODEL>p,m</CCR-SUBAGENT-MODEL>"
PICTURE = {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}


def facts(headers: dict[str, str] | None = None, /, **fields: object) -> RequestFacts:
    return ResponsesClient().read(request(headers, **fields)).facts


def test_what_the_body_says() -> None:
    found = facts(
        model="gpt[1m]",
        stream=True,
        reasoning={"effort": "high"},
        max_output_tokens=9,
        tools=[
            {"type": "function", "name": "a"},
            {"type": "web_search"},
            {"type": "custom"},
            {"type": "namespace"},
        ],
    )

    assert (found.model, found.wants_1m) == ("gpt", True)
    assert (found.dialect, found.operation) == ("openai_responses", Operation.GENERATE)
    assert (found.stream, found.max_tokens) == (True, 9)
    assert (found.thinking, found.effort) == (ReasoningMode.ON, Effort.HIGH)
    assert (found.tool_kinds, found.tools) == (("web_search",), 4)
    assert facts(reasoning={"effort": "none"}).thinking is ReasoningMode.OFF


def test_what_the_headers_say() -> None:
    found = facts({"session_id": "s", "user-agent": "codex_cli_rs/0.1 (x)"}, prompt_cache_key="k")

    assert (found.session.session, found.client) == ("s", "codex_cli_rs/0.1")


def test_the_cache_key_names_the_session_when_no_header_does() -> None:
    assert facts(prompt_cache_key="k" * 300).session.session == "k" * 200
    assert facts().session.session == ""


@pytest.mark.parametrize(
    "items, seen",
    [
        ([{"role": "user", "content": [PICTURE]}], True),
        ([{"role": "user", "content": "no"}], False),
        ([{"role": "user", "content": [PICTURE]}, {"role": "assistant", "content": "x"}], False),
        ([{"role": "user", "content": [PICTURE]}, {"type": "function_call"}], False),
        ([{"type": "function_call"}, {"type": "function_call_output", "output": [PICTURE]}], True),
        ([{"role": "user", "content": [{"type": "input_text", "text": 'the word "input_image"'}]}], False),
        ([{"role": "user", "content": [{"type": "input_text", "x": {"input_image": 1}}]}, 3], False),
    ],
)
def test_pictures_of_the_current_turn(items: list[Any], seen: bool) -> None:
    assert facts(input=items).images is seen


def test_media_are_no_text() -> None:
    body = msgspec.json.encode({"model": "m", "input": [{"role": "user", "content": [PICTURE]}]})
    found = ResponsesClient().read(call(body)).facts

    assert found.size == len(body)
    assert found.text_size == len(body) - len("data:image/png;base64,AAAA")
    assert facts().text_size == facts().size


@pytest.mark.parametrize(
    "fields",
    [
        {"instructions": f"x {TAG}"},
        {"input": f"x {TAG}"},
        {"input": [{"role": "developer", "content": TAG}]},
        {"input": [{"role": "user", "content": [{"type": "input_text", "text": TAG}]}]},
    ],
)
def test_the_tag_of_a_subagent(fields: dict[str, object]) -> None:
    assert facts(None, **fields).subagent_tag == "p,m"


def test_a_tag_elsewhere_is_none() -> None:
    items = [{"role": "user", "content": "x"}, {"role": "user", "content": TAG}]

    assert facts(input=items).subagent_tag == ""
    assert (
        facts(input=[{"type": "function_call_output", "output": TAG}], instructions=None).subagent_tag == ""
    )


@pytest.mark.parametrize("name, value", [("stream", "x"), ("max_output_tokens", "x"), ("tools", 3)])
def test_a_field_of_the_wrong_type_is_named(name: str, value: object) -> None:
    with pytest.raises(InvalidRequestError) as raised:
        facts(None, **{name: value})

    assert raised.value.param == name
