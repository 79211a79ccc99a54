"""A streamed reply: events of the Responses API in, events of ours out.

An end without ``response.completed``, ``response.incomplete`` or ``response.failed`` is a failure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from ccr.adapters.dialects.openai_responses.errors import error_in_event, error_in_response
from ccr.adapters.dialects.openai_responses.read_output import Output, understood
from ccr.adapters.dialects.openai_responses.usage import read_usage
from ccr.adapters.dialects.openai_responses.wire import EVENT, RESPONSE, WireEvent, WireResponse, absent
from ccr.adapters.wire import json
from ccr.adapters.wire.sniffing import SniffingDecoder
from ccr.domain.errors import UpstreamProtocolError
from ccr.domain.reply import StopReason
from ccr.domain.stream import MessageStart, MessageStop
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from ccr.application.ports.dialect import Frame, Framer
    from ccr.domain.stream import StreamEvent

__all__ = ["ResponsesReader", "ResponsesStreamDecoder", "whole_reply"]

_INCOMPLETE = {
    "max_output_tokens": StopReason.MAX_TOKENS,
    "content_filter": StopReason.REFUSAL,
}


class ResponsesReader:
    """Reads events, in order. ``take`` returns events of ours and raises the error that ends the reply."""

    def __init__(self) -> None:
        self._output = Output()
        self._started = False
        self.ended = False

    @property
    def broken(self) -> str:
        """The name of a call that came to its end with broken input."""
        return self._output.broken

    def take(self, event: WireEvent) -> list[StreamEvent]:
        """Read one event; of a type that we do not know it says nothing. Raises GatewayError."""
        handler = self._HANDLERS.get(event.type)
        if handler is not None:
            handler(self, event)
        elif not event.type and not absent(event.error):
            raise error_in_event(event)
        return self._taken()

    def take_response(self, response: WireResponse) -> list[StreamEvent]:
        """Read a whole response. Raises GatewayError."""
        self._start(response)
        self._end(response)
        return self._taken()

    def _taken(self) -> list[StreamEvent]:
        slots = self._output.slots
        events, slots.events = slots.events, []
        return events

    def _start(self, response: WireResponse) -> None:
        if not self._started:
            self._started = True
            self._output.slots.events.append(MessageStart(response.id or "", response.model or ""))

    def _begin(self) -> None:
        """Content without an announcement of the response."""
        if not self._started:
            self._start(WireResponse())

    def _opened(self, event: WireEvent) -> None:
        self._start(WireResponse() if absent(event.response) else understood(RESPONSE, event.response))

    def _ended(self, event: WireEvent) -> None:
        if absent(event.response):
            raise UpstreamProtocolError("the provider's reply ended without its response")
        response = understood(RESPONSE, event.response)
        self._start(response)
        if event.type == "response.failed":
            response.status = "failed"
        self._end(response)

    def _end(self, response: WireResponse) -> None:
        error = error_in_response(response)
        if error is not None:
            raise error
        output = self._output
        output.rest(response.output)
        usage = read_usage(response.usage)
        if output.searches:
            usage = evolve(usage, searches=output.searches)
        output.slots.events.append(MessageStop(self._reason(response), usage=usage))
        self.ended = True

    def _reason(self, response: WireResponse) -> StopReason:
        if response.status == "incomplete":
            details = json.object_of(response.incomplete_details) or {}
            reason = _INCOMPLETE.get(str(details.get("reason")))
            if reason is not None:
                return reason
        if self._output.calls:
            return StopReason.TOOL_USE
        return StopReason.REFUSAL if self._output.refused else StopReason.END_TURN

    def _failed(self, event: WireEvent) -> None:
        raise error_in_event(event)

    # ------------------------------------------------------------------------------------------- content

    def _added(self, event: WireEvent) -> None:
        self._begin()
        if not absent(event.item):
            self._output.added(event.output_index, event.item)

    def _done(self, event: WireEvent) -> None:
        self._begin()
        if not absent(event.item):
            self._output.done(event.output_index, event.item)

    def _part_done(self, event: WireEvent) -> None:
        self._begin()
        self._output.part_done(event.output_index, event.content_index, event.part)

    def _text(self, event: WireEvent) -> None:
        self._begin()
        self._output.text(event.output_index, event.content_index, event.delta)

    def _text_done(self, event: WireEvent) -> None:
        self._begin()
        self._output.text(event.output_index, event.content_index, event.text, whole=True)

    def _refusal(self, event: WireEvent) -> None:
        self._output.refused = True
        self._text(event)

    def _refusal_done(self, event: WireEvent) -> None:
        self._begin()
        self._output.refused = True
        self._output.text(event.output_index, event.content_index, event.refusal, whole=True)

    def _summary(self, event: WireEvent) -> None:
        self._begin()
        self._output.thought(event.output_index, f"s{event.summary_index}", event.delta)

    def _summary_done(self, event: WireEvent) -> None:
        self._begin()
        self._output.thought(event.output_index, f"s{event.summary_index}", event.text, whole=True)

    def _reasoning(self, event: WireEvent) -> None:
        self._begin()
        self._output.thought(event.output_index, f"c{event.content_index}", event.delta)

    def _reasoning_done(self, event: WireEvent) -> None:
        self._begin()
        self._output.thought(event.output_index, f"c{event.content_index}", event.text, whole=True)

    def _input(self, event: WireEvent) -> None:
        self._begin()
        self._output.input(event.output_index, event.delta)

    def _input_done(self, event: WireEvent) -> None:
        self._begin()
        self._output.input(event.output_index, event.arguments or event.input, whole=True)

    def _cited(self, event: WireEvent) -> None:
        self._begin()
        self._output.cite(event.output_index, event.content_index, event.annotation)

    _HANDLERS: ClassVar[dict[str, Callable[[ResponsesReader, WireEvent], None]]] = {
        "response.created": _opened,
        "response.queued": _opened,
        "response.in_progress": _opened,
        "response.completed": _ended,
        "response.incomplete": _ended,
        "response.failed": _ended,
        "error": _failed,
        "response.output_item.added": _added,
        "response.output_item.done": _done,
        "response.content_part.done": _part_done,
        "response.output_text.delta": _text,
        "response.output_text.done": _text_done,
        "response.output_text.annotation.added": _cited,
        "response.refusal.delta": _refusal,
        "response.refusal.done": _refusal_done,
        "response.reasoning_summary_text.delta": _summary,
        "response.reasoning_summary_text.done": _summary_done,
        "response.reasoning_text.delta": _reasoning,
        "response.reasoning_text.done": _reasoning_done,
        "response.function_call_arguments.delta": _input,
        "response.function_call_arguments.done": _input_done,
        "response.custom_tool_call_input.delta": _input,
        "response.custom_tool_call_input.done": _input_done,
    }


class ResponsesStreamDecoder(SniffingDecoder):
    """:class:`ccr.application.ports.dialect.StreamDecoder` of the Responses API."""

    def __init__(self, framer: Framer) -> None:
        super().__init__(framer)
        self._reader = ResponsesReader()

    @property
    def broken(self) -> str:
        """The name of a call that came to its end with broken input."""
        return self._reader.broken

    @override
    def _frames(self, frames: list[Frame], events: list[StreamEvent]) -> None:
        for frame in frames:
            data = frame.data.strip()
            if not data or data == b"[DONE]":
                continue
            events += self._reader.take(understood(EVENT, data))
            if self._reader.ended:
                self._ended = True
                return

    @override
    def _json(self, body: bytes, events: list[StreamEvent]) -> None:
        events += whole_reply(self._reader, body)
        self._ended = True

    @override
    def _end(self, events: list[StreamEvent]) -> None:
        raise UpstreamProtocolError("the provider's reply ended before it was complete")


def whole_reply(reader: ResponsesReader, body: bytes) -> list[StreamEvent]:
    """Read a body that is one JSON response. Raises UpstreamProtocolError, or the error that a 200 hid."""
    response = understood(RESPONSE, body)
    error = error_in_response(response)
    if error is not None:
        raise error
    if absent(response.output):
        raise UpstreamProtocolError("the provider's reply holds no output")
    return reader.take_response(response)
