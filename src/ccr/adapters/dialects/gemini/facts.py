"""What is known of a request before anything is decided: from the path, the headers, the top level and the current turn."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import msgspec
from attrs import define

from ccr.adapters.dialects.gemini.read_contents import text_parts
from ccr.adapters.dialects.gemini.read_tools import kinds_of
from ccr.adapters.dialects.gemini.wire import NAME, STRING, Raw, absent, camel, fields, get
from ccr.adapters.wire.complaint import OUTPUT_LIMIT, elements, invalid, opened
from ccr.adapters.wire.hints import of_enum, read_hints
from ccr.domain.conversation import Effort, Reasoning, ReasoningMode
from ccr.domain.errors import InvalidRequestError
from ccr.domain.facts import RequestFacts
from ccr.domain.routing.tag import read_tag

if TYPE_CHECKING:
    from ccr.application.call import Call

__all__ = ["INT", "Body", "facts_of", "open_body", "read_reasoning", "read_target"]

_STREAM = "streamGenerateContent"
_PREFIX = re.compile(r"/v\d+[a-z]*\d*/")
_WRAPPED = "generateContentRequest"
_AUTOMATIC = -1
INT = msgspec.json.Decoder(int)
_BOOL = msgspec.json.Decoder(bool)
_MEDIA = ("inlineData", "fileData")


@define(eq=False)
class Body:
    """A body opened: ``raw`` its top level as it came, ``top`` and ``config`` (``generationConfig``) in camel case."""

    data: bytes
    raw: Mapping[str, Raw]
    top: dict[str, Raw]
    config: dict[str, Raw]
    contents: Sequence[Raw]


def read_target(call: Call) -> tuple[str, bool, bool]:
    """Return the model, whether a stream is asked for, and whether as server-sent events. Raises InvalidRequestError.

    The path is ``/v1beta/models/<model>:<action>``; a model's name may hold slashes, commas and colons.
    """
    found = _PREFIX.search(call.path)
    name = call.path[found.end() :] if found else call.path.lstrip("/")
    model, _, action = name.rpartition(":")
    model = model.removeprefix("models/").removeprefix("models/")
    if not model.strip():
        raise invalid("model", "the path must name a model: /v1beta/models/<model>:generateContent")
    query = parse_qs(call.query)
    is_sse = "sse" in (*query.get("alt", ()), *query.get("$alt", ()))
    return model, action == _STREAM, is_sse


def open_body(data: bytes) -> Body:
    """Open a body. A count may wrap what it counts in ``generateContentRequest``. Raises InvalidRequestError."""
    raw = opened(data)
    top = {camel(name): value for name, value in raw.items() if not absent(value)}
    if _WRAPPED in top:
        top = fields(top[_WRAPPED], _WRAPPED)
    if "contents" not in top:
        raise invalid("contents", "is required")
    config = fields(top["generationConfig"], "generationConfig") if "generationConfig" in top else {}
    return Body(data, raw, top, config, elements(top["contents"], "contents"))


def facts_of(call: Call, body: Body, model: str, *, stream: bool) -> RequestFacts:
    """Gather the facts. Raises InvalidRequestError if a field that is read has the wrong type."""
    hints = read_hints(call.headers, model)
    reasoning = read_reasoning(body.config)
    count, kinds = kinds_of(body.top["tools"]) if "tools" in body.top else (0, ())
    return RequestFacts(
        operation=call.operation,
        dialect=NAME,
        model=hints.model,
        size=len(body.data),
        text_size=len(body.data) - _media_size(body),
        stream=stream,
        thinking=reasoning.mode,
        budget=reasoning.budget,
        effort=reasoning.effort,
        max_tokens=get(body.config, "maxOutputTokens", OUTPUT_LIMIT, "generationConfig"),
        tool_kinds=kinds,
        tools=count,
        images=_images(body.contents),
        session=hints.session,
        agent_type=hints.agent_type,
        request_class=hints.request_class,
        is_subagent=hints.is_subagent,
        compaction=hints.compaction,
        subagent_tag=_subagent_tag(body),
        wants_1m=hints.wants_1m,
        client=hints.client,
        prompt_id=hints.prompt_id,
    )


def read_reasoning(config: dict[str, Raw]) -> Reasoning:
    """Return what a ``thinkingConfig`` asks for. Raises InvalidRequestError."""
    path = "generationConfig.thinkingConfig"
    raw = config.get("thinkingConfig")
    if raw is None:
        return Reasoning()
    found = fields(raw, path)
    visible = get(found, "includeThoughts", _BOOL, path)
    effort = of_enum(Effort, (get(found, "thinkingLevel", STRING, path) or "").lower())
    budget = get(found, "thinkingBudget", INT, path)
    if budget == 0:
        return Reasoning(ReasoningMode.OFF, visible=visible)
    if budget == _AUTOMATIC:
        return Reasoning(ReasoningMode.ADAPTIVE, effort, visible=visible)
    if effort is None and budget is None:
        return Reasoning(visible=visible)
    return Reasoning(ReasoningMode.ON, effort, budget, visible)


# ------------------------------------------------------------------------------------------ the contents


def _parts(raw: Raw) -> Iterator[dict[str, Raw]]:
    """Yield parts leniently: what is wrong with them is said when they are translated, or by whom they are relayed to."""
    try:
        found = fields(raw, "")
        for part in elements(found["parts"], "") if "parts" in found else []:
            opened_part = fields(part, "")
            yield opened_part
            if "functionResponse" in opened_part:
                yield from _parts(opened_part["functionResponse"])
    except InvalidRequestError:
        return


def _media(raw: Raw) -> Iterator[dict[str, Raw]]:
    text = bytes(raw)
    if b"ata" not in text or not any(word in text for word in (b"Data", b"_data")):
        return
    for part in _parts(raw):
        for kind in _MEDIA:
            if kind in part:
                try:
                    yield fields(part[kind], "")
                except InvalidRequestError:
                    continue


def _media_size(body: Body) -> int:
    """Bytes of base64 media: they are never tokens one by one."""
    found = (media["data"] for raw in body.contents for media in _media(raw) if "data" in media)
    return sum(max(0, len(bytes(data)) - 2) for data in found)


def _images(contents: Sequence[Raw]) -> bool:
    """Whether a picture came since the model last spoke, in a function's response too."""
    for raw in reversed(contents):
        try:
            if get(fields(raw, ""), "role", STRING) == "model":
                return False
        except InvalidRequestError:
            continue
        if any(bytes(media.get("mimeType", b"")).startswith(b'"image/') for media in _media(raw)):
            return True
    return False


def _subagent_tag(body: Body) -> str:
    if b"CCR-SUBAGENT-MODEL" not in body.data:
        return ""
    return next((tag for text in _instructions(body) if (tag := read_tag(text))), "")


def _instructions(body: Body) -> Iterator[str]:
    """What the system says, and the first words of the user."""
    if "systemInstruction" in body.top:
        yield from text_parts(body.top["systemInstruction"], "systemInstruction")
    for index, raw in enumerate(body.contents):
        path = f"contents[{index}]"
        if get(fields(raw, path), "role", STRING, path) in (None, "user"):
            yield from text_parts(raw, path)
            return
