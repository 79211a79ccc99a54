from __future__ import annotations

from ccr.adapters.dialects.anthropic.wire import BLOCK, Raw, opening


def test_unknown_fields_are_skipped_and_absent_ones_are_empty() -> None:
    block = BLOCK.decode(b'{"type":"text","novel":{"a":1}}')

    assert (block.type, block.text, bytes(block.content)) == ("text", "", b"")


def test_the_first_byte_tells_the_kind() -> None:
    assert opening(Raw(b'"x"')) == b'"'
    assert opening(Raw()) == b""
