"""What stands in a delta, whichever way its provider writes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import attrgetter

from ccr.adapters.dialects.openai_chat.wire import NAME, Chunk, Delta
from ccr.adapters.wire import json
from ccr.domain.conversation import Citation

__all__ = ["arguments_text", "citations", "cited_urls", "more_text", "reasoning_texts", "reasons", "texts"]

_NEWS = attrgetter("usage", "x_groq", "web_search", "citations", "error", "code", "msg", "message")
"""What a chunk may say beside its choices."""
_NO_NEWS = (None,) * 8
_ENDS = attrgetter("message", "finish_reason", "stop_reason", "error")
_NO_END = (None,) * 4
_OTHERS = attrgetter(
    "reasoning_content",
    "reasoning",
    "reasoning_text",
    "reasoning_details",
    "refusal",
    "tool_calls",
    "function_call",
    "annotations",
)
_NO_OTHERS = (None,) * 8

_REASONING = attrgetter("reasoning_content", "reasoning", "reasoning_text", "reasoning_details")
_NO_REASONING = (None,) * 4


def more_text(chunk: Chunk, ours: object) -> str:
    """Return the text of a chunk that says nothing else, of the choice with the index ``ours``; "" = it has to be read."""
    choices = chunk.choices
    if not choices or len(choices) != 1 or _NEWS(chunk) != _NO_NEWS:
        return ""
    choice = choices[0]
    delta = choice.delta
    if delta is None or (choice.index is not None and choice.index != ours) or _ENDS(choice) != _NO_END:
        return ""
    content = delta.content
    return content if type(content) is str and _OTHERS(delta) == _NO_OTHERS else ""


def arguments_text(value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.encode_wire(value).decode()


def reasons(delta: Delta) -> bool:
    """Whether any field for reasoning is there."""
    return _REASONING(delta) != _NO_REASONING


def reasoning_texts(delta: Delta) -> Iterator[str]:
    """The same reasoning may stand in several fields; the details are the last resort."""
    for value in (delta.reasoning_content, delta.reasoning, delta.reasoning_text):
        if isinstance(value, str) and value:
            yield value
            return
    details = delta.reasoning_details
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, Mapping):
            yield from texts(detail.get("text") or detail.get("summary"))


def texts(value: object) -> Iterator[str]:
    """Text, or a list of parts with a text (Mistral's thinking)."""
    if isinstance(value, str):
        if value:
            yield value
    elif isinstance(value, list):
        for part in value:
            text = part.get("text") if isinstance(part, Mapping) else None
            if isinstance(text, str) and text:
                yield text


def citations(annotations: object) -> Iterator[Citation]:
    for annotation in annotations if isinstance(annotations, list) else ():
        if not isinstance(annotation, Mapping):
            continue
        cited = annotation.get("url_citation")
        if not isinstance(cited, Mapping):
            continue
        start, end = cited.get("start_index"), cited.get("end_index")
        yield Citation(
            kind="url",
            cited_text=_said(cited.get("content")),
            url=_said(cited.get("url")),
            title=_said(cited.get("title")),
            start=start if isinstance(start, int) else None,
            end=end if isinstance(end, int) else None,
            dialect=NAME,
            rest=json.json_of(json.encode_wire(dict(annotation))),
        )


def cited_urls(listed: object, known: set[str]) -> Iterator[Citation]:
    """Addresses alone, which come again with every chunk: those that are not ``known`` yet, which then are."""
    for url in listed if isinstance(listed, list) else ():
        if isinstance(url, str) and url and url not in known:
            known.add(url)
            yield Citation(kind="url", url=url)


def _said(value: object) -> str:
    return value if isinstance(value, str) else ""
