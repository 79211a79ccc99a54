"""A reply that was cut, and what goes on from there, as one. Pure: fed and returns.

The client sees one message, whatever was cut: one start, blocks counted on, one end, usage summed. Text goes on in the block
that is open. All but text and thinking is held until it is whole, so that half of it has never been sent; behind a whole
tool call everything is, because the call is where a reply may end.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from ccr.domain.conversation.blocks import ServerToolCall, ServerToolResult, Text, Thinking, ToolCall
from ccr.domain.conversation.conversation import Role, Turn
from ccr.domain.overlap import Overlap, anchor_of
from ccr.domain.reply import StopReason
from ccr.domain.stream.events import (
    BlockStart,
    BlockStop,
    MessageStart,
    MessageStop,
    StreamFailed,
    TextDelta,
    ToolInputDelta,
    UsageUpdate,
)
from ccr.domain.stream.fold import Folder
from ccr.domain.usage import NO_USAGE, Basis, Usage
from ccr.domain.value import evolve
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ccr.domain.conversation.blocks import ContentBlock
    from ccr.domain.conversation.conversation import Conversation
    from ccr.domain.errors import GatewayError
    from ccr.domain.stream.events import StreamEvent

__all__ = ["Joint", "Standing", "continued"]

_GO_ON = (
    "Your last message was cut off in transit: only what you see of it has arrived. Go on from exactly where it ends, as if "
    "nothing had happened: no greeting, no apology, no word about the interruption, and nothing that was said already."
)
_FROM_HERE = (
    "\n\nIt ends with these words:\n\n<tail>{}</tail>\n\nBegin with the words inside <tail>, exactly as they are and without "
    "the marks around them, and go on from there. If nothing was missing, repeat them and stop."
)


class Standing(Enum):
    """What may become of a reply that was cut."""

    GO_ON = "go_on"
    """Somebody may be asked for the rest."""
    FINISH = "finish"
    """It has called a tool: it may end here."""
    FAIL = "fail"
    """Nobody else can go on: thinking, or a search of the provider's own, is under way."""


class _Fate(Enum):
    """What becomes of a block that a reply opens."""

    SHOWN = "shown"
    HELD = "held"
    JOINED = "joined"
    """Its text goes on where the text before the cut ended."""
    HIDDEN = "hidden"
    """Thinking about how to go on, in the middle of a text."""


class Joint:
    """Feed it the events of a reply; when ``failed`` is there, ask ``standing``, and call :meth:`turn` or :meth:`finish`.

    Args:
        is_whole: whether the input (second) of a call of a tool (first) is complete.

    Attributes:
        failed: what the reply under way was cut with; it is not shown.
        ended: the whole has ended well.
    """

    def __init__(self, is_whole: Callable[[str, str], bool]) -> None:
        self._is_whole = is_whole
        self._told = Folder()  # what the client has
        self._out: list[StreamEvent] = []
        self._held: list[StreamEvent] = []
        self._before = NO_USAGE  # what the replies before this one came to
        self._now = NO_USAGE
        self._index = 0
        self._fate = _Fate.SHOWN
        self._broken = False  # a call that is held is not whole: only the end says that it was meant so
        self._overlap = Overlap("")
        self._joins = False  # the first text goes on where the text before the cut ended
        self._started = False
        self._calls = False
        self._searching: set[str] = set()
        self.failed: GatewayError | None = None
        self.ended = False

    @property
    def usage(self) -> Usage:
        """Of all replies so far."""
        return self._before.plus(self._now)

    @property
    def standing(self) -> Standing:
        """What may become of it now."""
        if self._searching:
            return Standing.FAIL
        if self._calls:
            return Standing.FINISH
        return Standing.FAIL if isinstance(self._told.open, Thinking) else Standing.GO_ON

    @property
    def said(self) -> tuple[ContentBlock, ...]:
        """What the client has, as it may be told to whoever goes on: no blank text, and no thinking at the end."""
        blocks = [block for block in self._told.so_far if not isinstance(block, Text) or block.text.strip()]
        while blocks and isinstance(blocks[-1], Thinking):
            blocks.pop()
        return tuple(map(_sound, blocks))

    def feed(self, events: Iterable[StreamEvent]) -> list[StreamEvent]:
        """Take legal events of a reply, in pieces of any size; return those for the client."""
        for event in events:
            if self.failed is not None or self.ended:
                break
            self._one(event)
        return self._shown()

    def turn(self) -> None:
        """Begin the reply that goes on."""
        self._before, self._now = self._floor, NO_USAGE
        last = self.said[-1:]
        sent = last[0].text if last and isinstance(last[0], Text) else ""
        self._overlap, self._joins = Overlap(sent), bool(sent) or self._told.open is not None
        self._broken, self.failed = False, None

    def finish(self) -> list[StreamEvent]:
        """End with the calls that the client has."""
        self.failed = None
        self._end(MessageStop(StopReason.TOOL_USE), self._floor)
        return self._shown()

    @property
    def _floor(self) -> Usage:
        """Who was cut has not said what it came to."""
        return evolve(self.usage, basis=Basis.FLOOR)

    # ------------------------------------------------------------------------------------- the message

    def _one(self, event: StreamEvent) -> None:
        match event:
            case MessageStart(usage=usage):
                self._now = self._now.merged(usage)
                self._show(UsageUpdate(self.usage) if self._started else evolve(event, usage=self.usage))
                self._started = True
            case UsageUpdate(usage=usage):
                self._now = self._now.merged(usage)
                self._show(UsageUpdate(self.usage))
            case MessageStop(usage=usage):
                self._now = self._now.merged(usage)
                self._release()
                self._end(event, self.usage)
            case StreamFailed(error=error):
                self._held.clear()
                self._fate, self.failed = _Fate.SHOWN, error
            case BlockStart(block=block):
                self._begin(block)
            case BlockStop():
                self._stop()
            case _:
                self._fill(event)

    def _end(self, event: MessageStop, usage: Usage) -> None:
        self.ended = True
        self._show(evolve(event, usage=usage))

    def _show(self, event: StreamEvent) -> None:
        self._told.feed((event,))
        self._out.append(event)

    def _shown(self) -> list[StreamEvent]:
        shown, self._out = self._out, []
        return shown

    # ---------------------------------------------------------------------------------------- a block

    def _begin(self, block: ContentBlock) -> None:
        self._fate = self._fate_of(block)
        if self._fate is _Fate.HELD:
            self._held.append(BlockStart(0, block))
        elif self._fate is _Fate.SHOWN:
            self._open(block)

    def _fate_of(self, block: ContentBlock) -> _Fate:
        if self._calls or self._broken or not isinstance(block, Text | Thinking):
            return _Fate.HELD
        if isinstance(block, Text):
            return _Fate.JOINED if self._joins else _Fate.SHOWN
        return _Fate.SHOWN if self._told.open is None else _Fate.HIDDEN

    def _fill(self, event: StreamEvent) -> None:
        if self._fate is _Fate.HELD:
            self._held.append(event)
        elif self._fate is _Fate.SHOWN:
            self._show(event)
        elif self._fate is _Fate.JOINED:
            self._join(event)

    def _join(self, event: StreamEvent) -> None:
        if isinstance(event, TextDelta):
            self._say(self._overlap.feed(event.text))
            return
        # A citation is of the text before it, all of which must have been sent.
        self._say(self._overlap.close())
        if self._told.open is None:
            self._open(Text(""))
        self._show(event)

    def _say(self, text: str) -> None:
        if text:
            if self._told.open is None:
                self._open(Text(""))
            self._show(TextDelta(text))

    def _stop(self) -> None:
        if self._fate is _Fate.HELD:
            self._held.append(BlockStop(0))
            self._broken = self._broken or not self._is_held_whole()
            if not self._broken:
                self._release()
        elif self._fate is _Fate.SHOWN:
            self._close()
        elif self._fate is _Fate.JOINED:
            self._say(self._overlap.close())
            self._close()
            self._joins = False
        self._fate = _Fate.SHOWN

    def _is_held_whole(self) -> bool:
        opened = self._held[0]
        if not isinstance(opened, BlockStart) or not isinstance(opened.block, ToolCall):
            return True
        given = opened.block.input
        text = "".join(event.text for event in self._held if isinstance(event, ToolInputDelta))
        text = text or (given.data.decode() if isinstance(given, Json) else given)
        return not text or self._is_whole(opened.block.name, text)

    def _open(self, block: ContentBlock) -> None:
        if isinstance(block, ToolCall):
            self._calls = True
        elif isinstance(block, ServerToolCall):
            self._searching.add(block.id)
        elif isinstance(block, ServerToolResult):
            self._searching.discard(block.call_id)
        self._show(BlockStart(self._index, block))

    def _close(self) -> None:
        if self._told.open is not None:
            self._show(BlockStop(self._index))
            self._index += 1

    def _release(self) -> None:
        """Show what was held; a text that waited for more is complete."""
        self._close()
        self._joins = False
        held, self._held = self._held, []
        for event in held:
            if isinstance(event, BlockStart):
                self._open(event.block)
            elif isinstance(event, BlockStop):
                self._close()
            else:
                self._show(event)


def _sound(block: ContentBlock) -> ContentBlock:
    """Half a surrogate pair cannot be written down; two halves that came apart can."""
    if not isinstance(block, Text | Thinking) or block.text.isascii():
        return block
    return evolve(block, text=block.text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))


def continued(conversation: Conversation, said: tuple[ContentBlock, ...]) -> Conversation:
    """Return what is asked of whoever goes on: the request, what the client has, and a turn that asks for the rest.

    With nothing worth telling it is the request itself. (A reply that is begun in the assistant's own turn is refused by
    Claude 4.6 and later, so the last turn is the user's.)
    """
    if not said:
        return conversation
    ask, last = _GO_ON, said[-1]
    if isinstance(last, Text):
        ask += _FROM_HERE.format(anchor_of(last.text))
    more = (Turn(Role.ASSISTANT, said), Turn(Role.USER, (Text(ask),)))
    return evolve(conversation, turns=(*conversation.turns, *more))
