from __future__ import annotations

import msgspec
import pytest

from ccr.adapters.dialects.gemini import GeminiProvider
from ccr.domain.conversation import Text
from ccr.domain.errors import UpstreamAuthError, UpstreamProtocolError
from tests.support.gemini import reply


def test_a_whole_reply_and_one_in_pieces() -> None:
    read = GeminiProvider().read_reply
    assert read(msgspec.json.encode(reply("hi", finishReason="STOP"))).blocks == (Text("hi"),)
    pieces = [reply("h"), reply("i", finishReason="STOP")]
    assert read(msgspec.json.encode(pieces)).blocks == (Text("hi"),)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"[]", b'{"candidates":[{}]}', b'{"candidates":7}'])
def test_what_is_no_reply(body: bytes) -> None:
    with pytest.raises(UpstreamProtocolError):
        GeminiProvider().read_reply(body)


def test_an_error_behind_a_200() -> None:
    with pytest.raises(UpstreamAuthError):
        GeminiProvider().read_reply(b'[{"error":{"code":401,"message":"no"}}]')
