"""Searches that a provider ran, shown as searches: a call, its results, and a count (``usage.server_tool_use``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ccr.adapters.wire import json
from ccr.adapters.wire.web_results import KIND
from ccr.domain.conversation import ServerToolCall, ServerToolResult
from ccr.domain.stream import (
    BlockStart,
    BlockStop,
    CitationDelta,
    MessageStart,
    MessageStop,
    ToolInputDelta,
    UsageUpdate,
)
from ccr.domain.usage import NO_USAGE
from ccr.domain.value import evolve
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from ccr.domain.conversation import Citation
    from ccr.domain.stream import StreamEvent

__all__ = ["Searches", "results_in", "search_events"]


def results_in(listed: object) -> list[Mapping[str, object]]:
    """Return what a provider listed (Zhipu: ``web_search``) as results of every dialect."""
    made: list[Mapping[str, object]] = []
    for one in listed if isinstance(listed, list) else ():
        if not isinstance(one, Mapping):
            continue
        url = one.get("link") or one.get("url")
        if isinstance(url, str) and url:
            made.append(_result(url, one.get("title"), one.get("publish_date"), one.get("content")))
    return made


def _result(url: str, title: object, age: object, text: object) -> Mapping[str, object]:
    return {
        "type": "web_search_result",
        "url": url,
        "title": title if isinstance(title, str) and title else url,
        "page_age": age if isinstance(age, str) and age else None,
        "encrypted_content": text if isinstance(text, str) else "",
    }


def search_events(index: int, call_id: str, results: Sequence[Mapping[str, object]]) -> list[StreamEvent]:
    """Return the two blocks of a search, the first of which has that index. Nobody says what was searched for."""
    content = Json(json.encode_wire(list(results)))
    return [
        BlockStart(index, ServerToolCall(call_id, "web_search", "")),
        ToolInputDelta("{}"),
        BlockStop(index),
        BlockStart(index + 1, ServerToolResult(call_id, KIND, content)),
        BlockStop(index + 1),
    ]


class Searches:
    """A stage for replies to requests that asked for web search.

    What was cited is shown as the results of a search at the end of the reply, for only then is it known; a reader that
    was given results has shown them already.
    """

    def __init__(self) -> None:
        self._index = 0
        self._shown = False
        self._cited: dict[str, Citation] = {}
        self._usage = NO_USAGE
        self._id = ""

    def feed(self, events: Sequence[StreamEvent]) -> Sequence[StreamEvent]:
        """Return what becomes of these events."""
        passed: list[StreamEvent] = []
        for event in events:
            match event:
                case MessageStart(id=name):
                    self._id = name
                    self._usage = self._usage.merged(event.usage)
                case UsageUpdate(usage=usage):
                    self._usage = self._usage.merged(usage)
                case BlockStart(block=ServerToolResult(kind=kind)) if kind == KIND:
                    self._shown = True
                case BlockStop(index=index):
                    self._index = index + 1
                case CitationDelta(citation=citation) if citation.url:
                    self._cited.setdefault(citation.url, citation)
                case MessageStop():
                    passed.extend(self._ended(event))
                    continue
                case _:
                    pass
            passed.append(event)
        return passed

    def _ended(self, event: MessageStop) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        if self._cited and not self._shown:
            results = [
                _result(url, cited.title, None, cited.cited_text) for url, cited in self._cited.items()
            ]
            events = search_events(self._index, f"search_{self._id}", results)
        if not events and not self._shown:
            return [event]
        usage = self._usage.merged(event.usage)
        counted = evolve(event.usage, searches=max(usage.searches or 0, 1))
        return [*events, evolve(event, usage=counted)]
