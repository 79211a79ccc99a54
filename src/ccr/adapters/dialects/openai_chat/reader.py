"""Chunks of a reply, read in order: the machine behind streams and whole replies.

It makes one legal stream of whatever order providers choose (user-pains P1, P2, P5, P6): blocks never overlap, parallel
calls are buffered, usage may come before, with or after the reason to stop. An end without such a reason is a failure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ccr.adapters.dialects.openai_chat.deltas import (
    arguments_text,
    citations,
    cited_urls,
    more_text,
    reasoning_texts,
    reasons,
    texts,
)
from ccr.adapters.dialects.openai_chat.errors import error_in_reply
from ccr.adapters.dialects.openai_chat.found import results_in
from ccr.adapters.dialects.openai_chat.segments import Segments, ToolSegment
from ccr.adapters.dialects.openai_chat.usage import read_usage
from ccr.adapters.dialects.openai_chat.wire import Choice, Chunk, Delta, ToolPiece
from ccr.adapters.wire.broken_call import CUT_SHORT
from ccr.domain.errors import UpstreamProtocolError, UpstreamUnavailableError
from ccr.domain.reply import StopReason
from ccr.domain.stream import MessageStart, MessageStop, TextDelta, UsageUpdate
from ccr.domain.usage import NO_USAGE, Usage

if TYPE_CHECKING:
    from ccr.domain.stream import StreamEvent

__all__ = ["ChatReader"]

_REASONS = {
    "stop": StopReason.END_TURN,
    "eos": StopReason.END_TURN,
    "length": StopReason.MAX_TOKENS,
    "max_tokens": StopReason.MAX_TOKENS,
    "model_length": StopReason.MAX_TOKENS,
    "tool_calls": StopReason.TOOL_USE,
    "function_call": StopReason.TOOL_USE,
    "content_filter": StopReason.REFUSAL,
    "refusal": StopReason.REFUSAL,
    "sensitive": StopReason.REFUSAL,
    "model_context_window_exceeded": StopReason.CONTEXT_WINDOW,
}
_FAILED = frozenset({"error", "network_error", "insufficient_system_resource", "abort"})
"""Reasons that say that the reply is none (OpenRouter, Zhipu, DeepSeek, SGLang)."""

_LONGEST_REFUSAL = 16_384
"""Characters of text that are kept to be compared with a refusal."""


class ChatReader:
    """Reads chunks, in order. ``take`` and ``end`` return events and raise the error that ends the reply."""

    def __init__(self, *, stream: bool = True) -> None:
        self.lenient = False
        """Hand inputs of calls on although they are no JSON objects."""
        self._stream = stream
        self._segments: Segments | None = None
        self._usage = NO_USAGE
        self._finish = ""
        self._sequence: str | None = None
        self._refused = False
        self._said: list[str] = []  # the text so far, in case it is repeated as a refusal
        self._said_length = 0
        self._searched = False
        self._cited: set[str] = set()
        self._by_index: dict[object, ToolSegment] = {}
        self._touched: ToolSegment | None = None
        self._ours: object = None
        self._flows = False
        """More text would only go on with the open block."""

    @property
    def finished(self) -> bool:
        """The provider has given a reason to stop."""
        return bool(self._finish)

    @property
    def broken(self) -> str:
        """The name of a call whose input is no JSON object although the provider has said that the reply is whole."""
        if not self._finish or self._segments is None or _REASONS.get(self._finish) in CUT_SHORT:
            return ""
        return self._segments.broken

    @property
    def mended(self) -> bool:
        """The input of a call was put right."""
        return self._segments is not None and bool(self._segments.mended)

    def take(self, chunk: Chunk, events: list[StreamEvent]) -> None:
        """Read one chunk; what it says is added to ``events``. Raises GatewayError."""
        # Nine chunks in ten are a piece of text and nothing else.
        text = more_text(chunk, self._ours) if self._flows else ""
        if text:
            events.append(TextDelta(text))
            if self._said_length <= _LONGEST_REFUSAL:
                self._said.append(text)
                self._said_length += len(text)
        else:
            self._read(chunk, events)

    def _read(self, chunk: Chunk, events: list[StreamEvent]) -> None:
        error = error_in_reply(chunk)
        if error is not None:
            raise error
        usage = self._new_usage(chunk)
        segments = self._segments
        if segments is None:
            chunk_id, model = _text(chunk.id), _text(chunk.model)
            segments = self._segments = Segments(chunk_id, live=self._stream)
            events.append(MessageStart(chunk_id, model, self._usage))
        elif usage:
            events.append(UsageUpdate(self._usage))
        if chunk.web_search or chunk.citations:
            self._found(segments, chunk)
        # More than one choice comes only to those who ask for it, and we do not: the first one seen is ours.
        for choice in chunk.choices or ():
            if self._ours is None:
                self._ours = choice.index
            if choice.index is None or choice.index == self._ours:
                self._choice(segments, choice)
                break
        events.extend(segments.events)
        segments.events.clear()
        self._flows = segments.flows

    def end(self) -> list[StreamEvent]:
        """The provider has no more to say. Raises UpstreamProtocolError."""
        segments = self._segments
        if segments is None:
            raise UpstreamProtocolError("the provider's reply is empty")
        if not self._finish:
            raise UpstreamProtocolError("the provider's reply ended before it was complete")
        reason = _REASONS.get(self._finish, StopReason.END_TURN)
        segments.finish(cut=reason in CUT_SHORT, lenient=self.lenient)
        events = segments.events
        # Many say `stop` although there are calls; some say `tool_calls` although there are none.
        if reason in (StopReason.END_TURN, StopReason.TOOL_USE):
            reason = StopReason.TOOL_USE if segments.tools else StopReason.END_TURN
        if self._refused and reason is StopReason.END_TURN:
            reason = StopReason.REFUSAL
        if self._sequence is not None and reason is StopReason.END_TURN:
            return [*events, MessageStop(StopReason.STOP_SEQUENCE, self._sequence, usage=self._usage)]
        return [*events, MessageStop(reason, usage=self._usage)]

    def _new_usage(self, chunk: Chunk) -> bool:
        said = chunk.usage
        if said is None and chunk.x_groq is not None and isinstance(chunk.x_groq, Mapping):
            said = chunk.x_groq.get("usage")
        if said is None:
            return False
        merged = self._usage.merged(read_usage(said))
        changed = merged != self._usage
        self._usage = merged
        return changed

    def _found(self, segments: Segments, chunk: Chunk) -> None:
        """What the provider's own search gave: Zhipu lists it, xAI names the addresses, both beside the choices."""
        results = results_in(chunk.web_search) if chunk.web_search and not self._searched else []
        if results:
            self._searched = True
            segments.search(results)
            self._usage = self._usage.merged(Usage(searches=max(1, self._usage.searches or 0)))
        for citation in cited_urls(chunk.citations, self._cited):
            segments.cite(citation)

    def _choice(self, segments: Segments, choice: Choice) -> None:
        # Some send the whole message in the last chunk, after its pieces or in their place.
        whole = choice.message is not None and not segments.any_content
        delta = choice.message if whole else choice.delta
        if delta is not None:
            self._delta(segments, delta)
        finish = _text(choice.finish_reason)
        if finish in _FAILED:
            raise UpstreamUnavailableError(f"the provider gave the reply up ({finish})")
        self._finish = finish or self._finish
        if isinstance(choice.stop_reason, str):
            self._sequence = choice.stop_reason

    def _delta(self, segments: Segments, delta: Delta) -> None:
        if reasons(delta):
            self._reasoning(segments, delta)
        if delta.content:
            self._content(segments, delta.content)
        if delta.refusal:
            self._refusal(segments, delta.refusal)
        if delta.annotations:
            for citation in citations(delta.annotations):
                segments.cite(citation)
        if delta.tool_calls:
            seen: set[int] = set()
            for piece in delta.tool_calls:
                self._tool(segments, piece, seen)
        elif delta.function_call is not None:
            self._tool(segments, ToolPiece(function=delta.function_call), set())

    def _reasoning(self, segments: Segments, delta: Delta) -> None:
        for text in reasoning_texts(delta):
            segments.prose("thinking", text)
        if isinstance(delta.reasoning_details, list):
            segments.details([one for one in delta.reasoning_details if isinstance(one, Mapping)])

    def _refusal(self, segments: Segments, refusal: object) -> None:
        if isinstance(refusal, str):
            self._refused = True
            # A gateway may give the text as both.
            if refusal != "".join(self._said):
                segments.prose("text", refusal)

    def _content(self, segments: Segments, content: object) -> None:
        if isinstance(content, str):
            segments.prose("text", content)
            if self._said_length <= _LONGEST_REFUSAL:
                self._said.append(content)
                self._said_length += len(content)
        for part in content if isinstance(content, list) else ():
            if not isinstance(part, Mapping):
                continue
            for text in texts(part.get("thinking")):
                segments.prose("thinking", text)
            for text in texts(part.get("text")):
                segments.prose("text", text)

    def _tool(self, segments: Segments, piece: ToolPiece, seen: set[int]) -> None:
        function = piece.function
        name = (function.name if function else None) or ""
        arguments = arguments_text(function.arguments if function else None)
        tool = self._continued(piece, name, arguments, seen)
        if tool is None:
            tool = segments.tool()
        if piece.index is not None:
            self._by_index[_key(piece.index)] = tool
        self._touched = tool
        seen.add(tool.order)
        segments.name_id(tool, _text(piece.id))
        # A name in two pieces is joined; one that is repeated with every piece is not.
        if name and name != tool.name and not tool.pieces:
            tool.name += name
        if arguments:
            segments.input(tool, arguments)
        segments.pump()

    def _continued(self, piece: ToolPiece, name: str, arguments: str, seen: set[int]) -> ToolSegment | None:
        """Return the call that this piece goes on with, None if it begins one."""
        if piece.index is None:
            tool = self._touched
            if tool is not None and tool.order in seen:
                return None
        else:
            tool = self._by_index.get(_key(piece.index))
        if tool is None or not name:
            return tool
        wanted = _text(piece.id)
        if wanted and tool.id and wanted != tool.id:
            return None  # an index used twice
        if wanted and wanted == tool.id:
            return tool
        begun = bool(tool.pieces) and (name != tool.name or (bool(arguments) and tool.complete()))
        return None if begun else tool


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _key(index: object) -> object:
    return index if isinstance(index, int | str) else 0
