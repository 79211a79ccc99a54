"""``codename``: a word that must not leave the house goes out as another one, and comes back as itself."""

# --8<-- [start:class]
from collections.abc import Sequence
from typing import ClassVar

from attrs import define, evolve, field
from attrs.validators import min_len

from ccr import (
    BlockStop,
    Conversation,
    Destination,
    EventStage,
    Payload,
    StreamEvent,
    StreamFailed,
    Text,
    TextDelta,
    Transformer,
    Turn,
)


@define(frozen=True)
class CodeName(Transformer):
    """Say ``alias`` to the model wherever ``secret`` stands, and the other way round in its answers."""

    name: ClassVar[str] = "codename"

    secret: str = field(validator=min_len(1), metadata={"doc": "What the model must not see."})
    alias: str = field(default="Bluebird", validator=min_len(1), metadata={"doc": "What it sees instead."})
    team: str = field(default="", metadata={"doc": "Sent as `user`, so that the bill can be split."})
    # --8<-- [end:class]

    # --8<-- [start:request]
    def request(self, conversation: Conversation, to: Destination) -> Conversation:
        return evolve(
            conversation,
            system=tuple(self._hidden(text) for text in conversation.system),
            turns=tuple(self._turn(turn) for turn in conversation.turns),
        )

    def _turn(self, turn: Turn) -> Turn:
        blocks = tuple(self._hidden(block) if isinstance(block, Text) else block for block in turn.blocks)
        # A turn that changed has no bytes of its own any more.
        return turn if blocks == turn.blocks else evolve(turn, blocks=blocks, source=None)

    def _hidden(self, text: Text) -> Text:
        return evolve(text, text=text.text.replace(self.secret, self.alias))

    # --8<-- [end:request]

    # --8<-- [start:payload]
    def payload(self, payload: Payload, to: Destination) -> Payload:
        return payload.with_("user", self.team) if self.team else payload

    # --8<-- [end:payload]

    # --8<-- [start:stage]
    def stage(self, to: Destination) -> EventStage:
        return _Shown(self.alias, self.secret)


class _Shown:
    """One reply. The alias may be cut anywhere, so what may be its beginning is held until it is known."""

    def __init__(self, alias: str, secret: str) -> None:
        self._alias, self._secret = alias, secret
        self._held = ""

    def feed(self, events: Sequence[StreamEvent]) -> Sequence[StreamEvent]:
        passed: list[StreamEvent] = []
        for event in events:
            if isinstance(event, TextDelta):
                text = (self._held + event.text).replace(self._alias, self._secret)
                at = len(text) - self._doubtful(text)
                text, self._held = text[:at], text[at:]
                if text:
                    passed.append(TextDelta(text))
                continue
            # A block ends with BlockStop; a reply that breaks off, with StreamFailed.
            if self._held and isinstance(event, BlockStop | StreamFailed):
                passed.append(TextDelta(self._held))
                self._held = ""
            passed.append(event)
        return passed

    def _doubtful(self, text: str) -> int:
        sizes = range(min(len(self._alias) - 1, len(text)), 0, -1)
        return next((size for size in sizes if self._alias.startswith(text[-size:])), 0)

    # --8<-- [end:stage]
