"""From a Messages client to Anthropic with every turn written anew: the meaning stays, and the strict upstream takes it."""

from __future__ import annotations

import json
from typing import Any

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from ccr.adapters.dialects.anthropic import AnthropicClient, AnthropicProvider
from ccr.adapters.providers.loader import PackagedProviders
from ccr.domain.conversation import Conversation
from ccr.domain.models import ModelProfile
from tests.support.anthropic_calls import call
from tests.support.fake_anthropic import FakeAnthropic
from tests.support.loopback import Recorded
from tests.support.scripts import by_turn
from tests.support.scripts import text as words

_TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=9).filter(str.strip)
_MARK = st.sampled_from([{}, {"cache_control": {"type": "ephemeral", "ttl": "1h"}}])
_IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
_URL = {"type": "image", "source": {"type": "url", "url": "https://x.test/a.png"}}
_PDF = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "QQ=="}, "title": "T"}  # fmt: skip
_PLAIN = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "D"}, "citations": {"enabled": True}}  # fmt: skip
_INPUTS = st.dictionaries(_TEXT, st.none() | st.integers(-9, 9) | _TEXT | st.booleans(), max_size=2)
_FAILED: st.SearchStrategy[dict[str, Any]] = st.sampled_from([{}, {"is_error": True}])
SIGNED = "signed-by-the-upstream"


def said(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


@st.composite
def exchanges(draw: st.DrawFn, number: int) -> list[dict[str, Any]]:
    """What the user says, what is answered, and the results of the calls."""
    asked = draw(
        _TEXT
        | st.lists(_TEXT.map(said) | st.sampled_from([_IMAGE, _URL, _PDF, _PLAIN]), min_size=1, max_size=3)
    )
    answer: list[dict[str, Any]] = []
    if draw(st.booleans()):
        answer.append({"type": "thinking", "thinking": draw(_TEXT), "signature": SIGNED})
    answer.append(said(draw(_TEXT)))
    results: list[dict[str, Any]] = []
    for at in range(draw(st.integers(0, 2))):
        identity = f"toolu_{number}_{at}"
        answer.append({"type": "tool_use", "id": identity, "name": "f", "input": draw(_INPUTS)})
        content = draw(_TEXT | st.lists(_TEXT.map(said) | st.just(_IMAGE), min_size=1, max_size=2))
        results.append(
            {"type": "tool_result", "tool_use_id": identity, "content": content, **draw(_FAILED)}
        )  # fmt: skip
    more: bool = draw(st.booleans())
    if results and more:
        results.append(said(draw(_TEXT)))
    made: list[dict[str, Any]] = [
        {"role": "user", "content": asked},
        {"role": "assistant", "content": answer},
    ]
    return [*made, {"role": "user", "content": results}] if results else made


_THINKING = st.sampled_from(
    [
        {"type": "adaptive"},
        {"type": "disabled"},
        {"type": "enabled", "budget_tokens": 2000},
        {"type": "adaptive", "display": "summarized"},
    ]
)
_CHOICES = st.sampled_from(
    [
        {"type": "auto"},
        {"type": "any", "disable_parallel_tool_use": True},
        {"type": "tool", "name": "f"},
        {"type": "none"},
    ]
)


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """Requests of all that the vocabulary has a word for."""
    messages = [message for number in range(draw(st.integers(0, 3))) for message in draw(exchanges(number))]
    body: dict[str, Any] = {
        "model": "m",
        "max_tokens": 4000,
        "messages": [*messages, {"role": "user", "content": "go"}],
        "tools": [
            {"name": "f", "description": "d", "input_schema": {"type": "object"}, **draw(_MARK)},
            {"name": "g", "input_schema": {"type": "object"}, "strict": True},
        ],
        "tool_choice": draw(_CHOICES),
    }
    optional: dict[str, st.SearchStrategy[Any]] = {
        "system": _TEXT | st.tuples(_TEXT.map(said)).map(list),
        "top_k": st.integers(1, 9),
        "stop_sequences": st.lists(_TEXT, min_size=1, max_size=4),
        "thinking": _THINKING,
        "output_config": st.sampled_from(
            [{"effort": "high"}, {"effort": "low", "format": {"type": "json_schema", "schema": {"type": "object"}}}]
        ),
        "metadata": st.just({"user_id": "u"}),
        "service_tier": st.just("auto"),
        "stream": st.booleans(),
    }  # fmt: skip
    for name, values in optional.items():
        if draw(st.booleans()):
            body[name] = draw(values)
    return body


def read(body: bytes) -> Conversation:
    """Return what a request means, every turn as if it had been changed: nothing is left of its bytes."""
    asked = AnthropicClient().read(call(body)).conversation()
    return evolve(asked, turns=tuple(evolve(turn, source=None) for turn in asked.turns))


@given(bodies())
def test_a_request_keeps_its_meaning(body: dict[str, Any]) -> None:
    asked = read(json.dumps(body).encode())
    encoded = AnthropicProvider().write_request(asked, ModelProfile(), is_anthropic=True)
    sent = encoded.payload.encode()

    assert read(sent) == asked
    assert encoded.losses == ()
    fake = FakeAnthropic(by_turn(words("x")), key="")
    fake.signatures.add(SIGNED)
    fake.check(Recorded("POST", "/v1/messages", {}, sent, 0.0, json.loads(sent)))


@given(bodies())
def test_who_merely_speaks_it_takes_what_is_left(body: dict[str, Any]) -> None:
    spec = PackagedProviders().by_name("moonshot")
    assert spec is not None
    sent = AnthropicProvider().write_request(
        read(json.dumps(body).encode()), spec.profile("kimi-k2.5"), is_anthropic=False
    ).payload.encode()  # fmt: skip
    fake = FakeAnthropic(by_turn(words("x")), key="")
    fake.signatures.add(SIGNED)
    fake.check(Recorded("POST", "/v1/messages", {}, sent, 0.0, json.loads(sent)))

    assert len(json.loads(sent)["messages"]) <= len(body["messages"])
