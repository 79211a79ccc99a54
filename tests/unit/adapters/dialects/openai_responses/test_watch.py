from __future__ import annotations

import msgspec
from hypothesis import given

from ccr.adapters.dialects.openai_responses import ResponsesProvider
from ccr.application.ports.dialect import ReplyWatch
from ccr.domain.errors import UpstreamProtocolError, UpstreamTimeoutError, UpstreamUnavailableError
from ccr.domain.usage import Usage
from tests.support.responses import USAGE, completed, created, done, response, text
from tests.support.strategies import chunkings

STREAM = (
    created() + text("A") + done(0, "message", content=[{"type": "output_text", "text": "A"}]) + completed()
)
USED = Usage(input_uncached=60, cache_read=40, output=7, reasoning=3)


def watch(*, stream: bool = True) -> ReplyWatch:
    return ResponsesProvider().reply_watch(stream=stream)


@given(chunkings(STREAM))
def test_a_reply_that_ends_well(pieces: list[bytes]) -> None:
    seen = watch()
    for piece in pieces:
        seen.feed(piece)

    assert seen.close() == b""
    assert (seen.started, seen.ended, seen.open_block, seen.error) == (True, True, False, None)
    assert seen.usage == USED
    assert seen.progress == 5


def test_a_block_is_open_while_it_is_written() -> None:
    seen = watch()
    seen.feed(created())
    assert (seen.started, seen.open_block) == (False, False)
    seen.feed(text("A"))
    assert (seen.started, seen.open_block, seen.ended) == (True, True, False)


def test_a_cut_is_one_error_event() -> None:
    seen = watch()
    seen.feed(created() + b"data: {")
    said = seen.close()

    assert said.startswith(b"event: error\ndata: ")
    payload = msgspec.json.decode(said.split(b"data: ")[1])
    assert (payload["type"], payload["code"]) == ("error", "server_error")
    assert isinstance(seen.error, UpstreamProtocolError)
    assert seen.close() == b""


def test_whoever_cuts_says_why() -> None:
    seen = watch()
    seen.feed(created())
    said = seen.close(UpstreamTimeoutError("too long"))

    assert said.startswith(b"event: error\n")
    assert b"too long" in said
    assert isinstance(seen.error, UpstreamTimeoutError)


def test_a_failure_that_the_provider_told_is_not_told_again() -> None:
    seen = watch()
    seen.feed(created() + completed("failed", error={"code": "server_error", "message": "x"}))

    assert isinstance(seen.error, UpstreamUnavailableError)
    assert seen.close() == b""


def test_a_whole_reply_is_judged_at_its_end() -> None:
    body = msgspec.json.encode(response("completed", usage=USAGE))
    seen, bad, cut = watch(stream=False), watch(stream=False), watch(stream=False)
    seen.feed(body[:5])
    seen.feed(body[5:])
    bad.feed(b"{}")

    assert (seen.close(), bad.close(), cut.close(UpstreamTimeoutError("x"))) == (b"", b"", b"")
    assert (seen.ended, seen.usage, seen.progress) == (True, USED, 2)
    assert isinstance(bad.error, UpstreamProtocolError)
    assert isinstance(cut.error, UpstreamTimeoutError)
