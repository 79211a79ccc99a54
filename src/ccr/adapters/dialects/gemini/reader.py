"""Chunks as events, whether they come in a stream or as one whole reply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.adapters.dialects.gemini.finish import finish_of
from ccr.adapters.dialects.gemini.grounding import Grounding
from ccr.adapters.dialects.gemini.names import made_id
from ccr.adapters.dialects.gemini.partial_args import PartialArgs
from ccr.adapters.dialects.gemini.seals import CALL, HOME, IMAGE, TEXT, THOUGHT, is_dummy
from ccr.adapters.dialects.gemini.usage import read_usage
from ccr.adapters.dialects.gemini.wire import NAME, OPAQUE, Raw, absent, object_of
from ccr.adapters.wire import json
from ccr.domain.conversation import Image, Inline, Opaque, Text, Thinking, ToolCall
from ccr.domain.errors import UpstreamProtocolError
from ccr.domain.provenance import Seal
from ccr.domain.reply import StopReason
from ccr.domain.stream import (
    BlockStart,
    BlockStop,
    CitationDelta,
    MessageStart,
    MessageStop,
    SealDelta,
    TextDelta,
    ThinkingDelta,
    ToolInputDelta,
    UsageUpdate,
)
from ccr.domain.usage import NO_USAGE
from ccr.domain.value import evolve
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from ccr.adapters.dialects.gemini.wire import WireCall, WireCandidate, WireChunk, WirePart
    from ccr.domain.conversation import ContentBlock
    from ccr.domain.stream import StreamEvent

__all__ = ["Reader"]


class Reader:
    """Reads chunks in order. ``take`` and ``end`` return events and raise the error that ends the reply."""

    def __init__(self) -> None:
        self._events: list[StreamEvent] = []
        self._started = False
        self._id = ""
        self._index = 0
        self._open: type[Text | Thinking] | None = None
        self._text: list[str] = []  # of the open text
        self._signed: Seal | None = None  # a signature that stands after the text before it
        self._pending: tuple[WireCall, str, PartialArgs] | None = None  # a call that is not whole yet
        self._calls = 0
        self._usage = NO_USAGE
        self._grounding: Grounding | None = None
        self._told_search = False
        self._reason = ""
        self._without_reason = 0
        self._message = ""
        self._feedback = Raw()

    @property
    def finished(self) -> bool:
        """A reason to stop has come, and from a version of the API that does not give one with every chunk."""
        return bool(self._reason) and self._without_reason > 0

    def take(self, chunk: WireChunk) -> list[StreamEvent]:
        """Read one chunk."""
        usage = read_usage(chunk.usage_metadata)
        if not self._started:
            self._started = True
            self._id = chunk.response_id or ""
            self._usage = usage
            self._events.append(MessageStart(self._id, chunk.model_version or "", usage))
        elif usage not in (NO_USAGE, self._usage):
            self._usage = usage
            self._events.append(UsageUpdate(usage))
        if not absent(chunk.prompt_feedback):
            self._feedback = Raw(bytes(chunk.prompt_feedback))
        for candidate in chunk.candidates or ():
            if not candidate.index:
                self._candidate(candidate)
        return self._taken()

    def end(self) -> list[StreamEvent]:
        """The chunks are over."""
        if self._pending is not None and self._reason:
            self._call_done(cut=self._reason == "MAX_TOKENS")
        self._close()
        self._search()
        blocked = object_of(self._feedback).get("blockReason") is not None
        finish = finish_of(self._reason, self._message, self._feedback if blocked else Raw())
        reason = (
            StopReason.TOOL_USE if self._calls and finish.reason is StopReason.END_TURN else finish.reason
        )
        usage = self._usage
        if self._grounding is not None and self._grounding.searched:
            usage = evolve(usage, searches=max(1, len(self._grounding.queries)))
        self._events.append(MessageStop(reason, details=finish.details, usage=usage))
        return self._taken()

    def _taken(self) -> list[StreamEvent]:
        events, self._events = self._events, []
        return events

    def _candidate(self, candidate: WireCandidate) -> None:
        if not absent(candidate.grounding_metadata):
            self._grounding = Grounding(candidate.grounding_metadata)
            if self._open is not Text:
                self._search()
        for part in (candidate.content.parts if candidate.content else None) or ():
            self._part(part)
        if not candidate.finish_reason:
            self._without_reason += 1
        self._reason = candidate.finish_reason or self._reason
        self._message = candidate.finish_message or self._message

    # ------------------------------------------------------------------------------------------- parts

    def _part(self, part: WirePart) -> None:
        if self._pending is not None and (part.function_call is None or part.function_call.name):
            self._call_done()  # the next part has begun
        if part.function_call is not None:
            signature = part.thought_signature or ""
            self._call(part.function_call, "" if is_dummy(signature) else signature)
        elif part.text is not None:
            self._words(part.text, part.thought_signature or "", thought=part.thought is True)
        elif part.inline_data is not None:
            self._blob(part)
        else:
            self._rare(part)

    def _words(self, text: str, signature: str, *, thought: bool) -> None:
        kind = Thinking if thought else Text
        if text and (self._open is not kind or self._signed is not None):
            self._close()
            self._start(kind(""))
            self._open = kind
        if text:
            self._events.append(ThinkingDelta(text) if thought else TextDelta(text))
            if not thought:
                self._text.append(text)
        if not signature:
            return
        seal = Seal(HOME, THOUGHT if thought else TEXT, signature)
        if thought and self._open is Thinking:
            self._events.append(SealDelta(seal))
            self._close()
        else:
            self._sign(seal)

    def _sign(self, seal: Seal) -> None:
        """A signature without a block of its own. It waits, for the citations of the text before it may still come."""
        if self._signed is not None or self._open is Thinking:
            self._close()
        self._signed = seal

    def _call(self, call: WireCall, signature: str) -> None:
        if self._pending is None:
            self._close()
            self._pending = (call, signature, PartialArgs())
        known, _, args = self._pending
        if call.partial_args:
            args.take(call.partial_args)
        if not absent(call.args):
            known.args = call.args
        if not call.will_continue:
            self._call_done()

    def _call_done(self, *, cut: bool = False) -> None:
        assert self._pending is not None, "whoever asks has looked"
        (call, signature, partial), self._pending = self._pending, None
        if not call.name:
            raise UpstreamProtocolError("the provider called a tool without a name")
        args = bytes(call.args).decode() if not absent(call.args) else partial.whole()
        index = str(self._calls)
        self._calls += 1
        call_id = call.id or made_id(*((self._id, index) if self._id else (call.name, args, index)))
        seal = Seal(HOME, CALL, signature) if signature else None
        self._start(ToolCall(call_id, call.name, "", seal=seal))
        # A call that was cut off must not look like a whole one.
        self._events.append(ToolInputDelta(args[:-1] if cut else args))
        self._stop()

    def _blob(self, part: WirePart) -> None:
        blob = part.inline_data
        assert blob is not None, "whoever asks has looked"
        if blob.mime_type.startswith("image/"):
            self._atomic(Image(Inline(blob.mime_type, blob.data)))
        else:
            whole = {"inlineData": {"mimeType": blob.mime_type, "data": blob.data}}
            self._atomic(Opaque(NAME, "inlineData", Json(json.encode_wire(whole))))
        if part.thought_signature:
            self._sign(Seal(HOME, IMAGE, part.thought_signature))

    def _rare(self, part: WirePart) -> None:
        """A part of an unknown kind says nothing; a signature alone does."""
        found = (
            part.executable_code,
            part.code_execution_result,
            part.tool_call,
            part.tool_response,
            part.file_data,
        )
        for kind, raw in zip(OPAQUE, found, strict=True):
            if not absent(raw):
                whole: dict[str, object] = {kind: Raw(bytes(raw))}
                if part.thought_signature:
                    whole["thoughtSignature"] = part.thought_signature
                self._atomic(Opaque(NAME, kind, Json(json.encode_wire(whole))))
                return
        if part.thought_signature:
            self._words("", part.thought_signature, thought=part.thought is True)

    # ------------------------------------------------------------------------------------------ blocks

    def _start(self, block: ContentBlock) -> None:
        self._events.append(BlockStart(self._index, block))

    def _stop(self) -> None:
        self._events.append(BlockStop(self._index))
        self._index += 1

    def _atomic(self, block: ContentBlock) -> None:
        self._close()
        self._start(block)
        self._stop()

    def _close(self) -> None:
        """Close the open text or thinking, and write the signature that stands after it."""
        if self._open is Text and self._grounding is not None:
            self._events += map(CitationDelta, self._grounding.citations("".join(self._text)))
        if self._open is not None:
            self._stop()
        self._open, self._text = None, []
        signed, self._signed = self._signed, None
        if signed is not None:
            self._start(Thinking(""))
            self._events.append(SealDelta(signed))
            self._stop()

    def _search(self) -> None:
        """Tell of the search, once: before the text if it is known so early, else at the end."""
        grounding = self._grounding
        if grounding is None or not grounding.searched or self._told_search:
            return
        self._told_search = True
        self._close()
        call_id = made_id(self._id, "search", *grounding.queries)
        call, given = grounding.call(call_id)
        self._start(call)
        self._events.append(ToolInputDelta(given))
        self._stop()
        self._atomic(grounding.result(call_id, NAME))
