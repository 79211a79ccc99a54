"""Reasoning that a model writes between tags at the start of its text, told apart from the answer.

Only a tag at the very start counts: an answer that talks about the tag later is an answer. An answer without the tag,
or without its end, loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from ccr.domain.conversation import Text, Thinking
from ccr.domain.provenance import Origin, Seal
from ccr.domain.stream import (
    BlockStart,
    BlockStop,
    CitationDelta,
    SealDelta,
    StreamFailed,
    TextDelta,
    ThinkingDelta,
)
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from ccr.domain.stream import StreamEvent

__all__ = ["TagSplitter", "ThoughtStage"]

_Kind = Literal["text", "thinking"]

_SEAL = Seal(Origin("tags"), "ccr", "unsigned")
"""Claude's client wants a signature; this one is recognised and never shown to Anthropic."""


class TagSplitter:
    """Splits one text; pieces of any size, a tag may be cut anywhere."""

    def __init__(self, tag: str) -> None:
        self._open, self._close = f"<{tag}>", f"</{tag}>"
        self._state: Literal["start", "inside", "after", "plain"] = "start"
        self._held = ""

    def feed(self, text: str) -> Iterator[tuple[_Kind, str]]:
        """Yield what is sure by now."""
        self._held += text
        if self._state == "start":
            self._begin()
        if self._state == "inside":
            yield from self._think()
        if self._state == "after":
            # The blank lines between the tag and the answer belong to neither.
            self._held = self._held.lstrip()
            if self._held:
                self._state = "plain"
        if self._state == "plain":
            yield from self.flush()

    def flush(self) -> Iterator[tuple[_Kind, str]]:
        """Yield what is held: the text has ended."""
        held, self._held = self._held, ""
        if held:
            yield ("thinking" if self._state == "inside" else "text"), held

    def _begin(self) -> None:
        text = self._held.lstrip()
        if text.startswith(self._open):
            self._state, self._held = "inside", text[len(self._open) :]
        elif not self._open.startswith(text):
            self._state = "plain"

    def _think(self) -> Iterator[tuple[_Kind, str]]:
        at = self._held.find(self._close)
        if at >= 0:
            thought, self._held = self._held[:at], self._held[at + len(self._close) :]
            self._state = "after"
        else:
            keep = _overlap(self._held, self._close)
            thought, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        if thought:
            yield "thinking", thought


def _overlap(text: str, tag: str) -> int:
    """Return how many characters at the end of ``text`` may be the beginning of ``tag``."""
    return next(
        (size for size in range(min(len(tag) - 1, len(text)), 0, -1) if tag.startswith(text[-size:])), 0
    )


class ThoughtStage:
    """:class:`ccr.application.ports.transformer.EventStage`: tagged text becomes thinking blocks of their own."""

    def __init__(self, tag: str) -> None:
        self._tag = tag
        self._splitter: TagSplitter | None = None  # while a text block of the provider is open
        self._open: _Kind | None = None  # the block that is open on our side of it
        self._index = 0
        self._out: list[StreamEvent] = []

    def feed(self, events: Sequence[StreamEvent]) -> Sequence[StreamEvent]:
        """Return what becomes of these events; blocks are counted anew."""
        for event in events:
            self._take(event)
        out, self._out = self._out, []
        return out

    def _take(self, event: StreamEvent) -> None:
        splitter = self._splitter
        match event:
            case BlockStart(block=Text()):
                self._splitter = TagSplitter(self._tag)
            case BlockStart():
                self._out.append(evolve(event, index=self._index))
            case TextDelta(text=text) if splitter is not None:
                self._say(splitter.feed(text))
            case CitationDelta() if self._open != "text":
                pass  # there is no text yet that it could belong to
            case BlockStop() if splitter is not None:
                self._say(splitter.flush())
                self._stop()
                self._splitter = None
            case BlockStop():
                self._out.append(BlockStop(self._index))
                self._index += 1
            case StreamFailed() if splitter is not None:
                self._say(splitter.flush())
                self._out.append(event)
            case _:
                self._out.append(event)

    def _say(self, parts: Iterator[tuple[_Kind, str]]) -> None:
        for kind, text in parts:
            if kind != self._open:
                self._stop()
                self._open = kind
                self._out.append(BlockStart(self._index, Text("") if kind == "text" else Thinking("")))
            self._out.append(TextDelta(text) if kind == "text" else ThinkingDelta(text))

    def _stop(self) -> None:
        if self._open is None:
            return
        if self._open == "thinking":
            self._out.append(SealDelta(_SEAL))
        self._out.append(BlockStop(self._index))
        self._index += 1
        self._open = None
