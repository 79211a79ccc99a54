from __future__ import annotations

from ccr.adapters.wire.call_seals import carried, with_call_seals
from ccr.domain.conversation import ContentBlock, Text, Thinking, ToolCall
from ccr.domain.provenance import Origin, Seal

SEAL = Seal(Origin("gemini", "g"), "signature", "s")


def test_a_seal_finds_its_call_again_whatever_its_id() -> None:
    for call_id in ("c", "a:b:c", ""):
        call = ToolCall(call_id, "Read")
        blocks = (Text("x"), Thinking("", carried(call_id, SEAL)), call)

        assert with_call_seals(blocks) == (Text("x"), ToolCall(call_id, "Read", seal=SEAL))


def test_a_carrier_without_its_call_goes() -> None:
    assert with_call_seals((Thinking("", carried("gone", SEAL)), Text("x"))) == (Text("x"),)


def test_blocks_without_carriers_stay_the_same_object() -> None:
    blocks: tuple[ContentBlock, ...] = (Thinking("hm", SEAL), Thinking("hm"), ToolCall("c", "Read"))

    assert with_call_seals(blocks) is blocks
