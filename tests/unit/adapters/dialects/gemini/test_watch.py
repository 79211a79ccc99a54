from __future__ import annotations

import msgspec

from ccr.adapters.dialects.gemini import GeminiProvider
from ccr.domain.errors import UpstreamProtocolError, UpstreamTimeoutError, UpstreamUnavailableError
from ccr.domain.usage import Usage
from tests.support.gemini import frames, reply, sse

USED = {"promptTokenCount": 3, "candidatesTokenCount": 2}


def test_a_stream_goes_by() -> None:
    watch = GeminiProvider().reply_watch(stream=True)
    watch.feed(sse({"usageMetadata": {"promptTokenCount": 3}}))
    assert not watch.started
    before = watch.progress
    watch.feed(sse(reply("a")))
    assert (watch.started, watch.open_block, watch.ended, watch.usage) == (
        True,
        True,
        False,
        Usage(input_uncached=3),
    )
    assert watch.progress > before
    watch.feed(b": comment\n\n")
    watch.feed(sse(reply({"functionCall": {"name": "f"}}, usage=USED, finishReason="STOP")))
    assert not watch.open_block
    assert watch.close() == b""
    assert (watch.ended, watch.error, watch.usage) == (True, None, Usage(input_uncached=3, output=2))
    assert watch.close() == b""


def test_a_cut_is_told_as_one_event() -> None:
    watch = GeminiProvider().reply_watch(stream=True)
    watch.feed(sse(reply("a")))
    (told,) = frames(watch.close())
    assert told["error"]["status"] == "INTERNAL"
    assert isinstance(watch.error, UpstreamProtocolError)
    assert watch.close() == b""


def test_an_error_of_the_connection_in_the_middle_of_an_event() -> None:
    watch = GeminiProvider().reply_watch(stream=True)
    watch.feed(sse(reply("a")) + b"data: {")
    data = watch.close(UpstreamTimeoutError("late"))
    assert frames(data)[0]["error"]["code"] == 504
    assert isinstance(watch.error, UpstreamTimeoutError)


def test_a_connection_that_breaks_after_the_end_breaks_nothing() -> None:
    watch = GeminiProvider().reply_watch(stream=True)
    watch.feed(sse(reply("a", finishReason="STOP")))
    assert watch.close(UpstreamUnavailableError("reset")) == b""
    assert (watch.ended, watch.error) == (True, None)


def test_an_error_that_the_provider_told_is_not_told_again() -> None:
    watch = GeminiProvider().reply_watch(stream=True)
    watch.feed(sse({"error": {"code": 503, "message": "x"}}))
    assert isinstance(watch.error, UpstreamUnavailableError)
    assert watch.close() == b""


def test_whole_replies() -> None:
    good = GeminiProvider().reply_watch(stream=False)
    good.feed(msgspec.json.encode(reply("a", usage=USED, finishReason="STOP")))
    assert good.progress == 1
    assert good.close() == b""
    assert (good.ended, good.usage) == (True, Usage(input_uncached=3, output=2))
    bad = GeminiProvider().reply_watch(stream=False)
    bad.feed(b"{")
    assert bad.close() == b""
    assert isinstance(bad.error, UpstreamProtocolError)
    cut = GeminiProvider().reply_watch(stream=False)
    assert cut.close(UpstreamTimeoutError("late")) == b""
    assert isinstance(cut.error, UpstreamTimeoutError)
