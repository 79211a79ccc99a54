from __future__ import annotations

from ccr.adapters.transformers.extrathinktag import ExtraThinkTag
from ccr.domain.conversation import Text
from ccr.domain.stream import BlockStart, BlockStop, MessageStart, StreamEvent, TextDelta
from tests.support.chat import outline
from tests.support.destinations import destination


def test_think_tags_become_thinking() -> None:
    stage = ExtraThinkTag().stage(destination())
    events: list[StreamEvent] = [
        MessageStart("i", "m"),
        BlockStart(0, Text("")),
        TextDelta("<think>hm</think>A"),
        BlockStop(0),
    ]
    assert outline(stage.feed(events)) == ["thinking:hm", "text:A"]
