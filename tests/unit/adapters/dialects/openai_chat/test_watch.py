from __future__ import annotations

import msgspec

from ccr.adapters.dialects.openai_chat import OpenAIChatProvider
from ccr.domain.errors import UpstreamUnavailableError
from ccr.domain.usage import Usage
from tests.support.chat import DONE, chunk, finish, text, tool, usage

PROVIDER = OpenAIChatProvider()


def test_a_stream_that_ends_well() -> None:
    watch = PROVIDER.reply_watch(stream=True)
    watch.feed(b": ping\n\n")
    assert (watch.started, watch.progress) == (False, 0)
    watch.feed(text("A"))
    assert (watch.started, watch.open_block, watch.ended) == (True, True, False)
    watch.feed(tool("{}", call="t", name="Read") + finish() + usage() + DONE)
    assert (watch.open_block, watch.ended, watch.error) == (False, True, None)
    assert Usage(input_uncached=60, cache_read=40, output=7) == watch.usage
    assert watch.close() == b""


def test_a_cut_adds_one_error_event() -> None:
    watch = PROVIDER.reply_watch(stream=True)
    watch.feed(text("A"))
    tail = watch.close()
    assert tail.startswith(b'data: {"error":{"message":')
    assert tail.endswith(b"\n\n")
    assert watch.error is not None
    assert watch.close() == b""


def test_an_event_that_was_cut_in_the_middle_is_dropped() -> None:
    """Or the client reads both as one line, which is no JSON."""
    watch = PROVIDER.reply_watch(stream=True)
    watch.feed(text("A") + b'data: {"choices":[{"de')
    tail = watch.close(UpstreamUnavailableError("reset"))
    assert tail.startswith(b'data: {"error":')


def test_an_error_from_outside_is_told() -> None:
    watch = PROVIDER.reply_watch(stream=True)
    watch.feed(text("A"))
    tail = watch.close(UpstreamUnavailableError("reset"))
    assert msgspec.json.decode(tail[6:])["error"]["message"] == "reset"


def test_an_end_without_done_is_an_end() -> None:
    watch = PROVIDER.reply_watch(stream=True)
    watch.feed(text("A") + finish())
    assert (watch.close(), watch.ended) == (b"", True)


def test_an_error_that_the_provider_told_is_not_told_again() -> None:
    watch = PROVIDER.reply_watch(stream=True)
    watch.feed(chunk(error={"message": "x", "code": 500}))
    assert watch.error is not None
    assert watch.close() == b""


def test_a_whole_reply() -> None:
    watch = PROVIDER.reply_watch(stream=False)
    whole = {
        "choices": [{"message": {"content": "A"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3},
    }
    watch.feed(msgspec.json.encode(whole))
    assert (b"", True, Usage(input_uncached=3)) == (watch.close(), watch.ended, watch.usage)


def test_a_whole_reply_that_is_junk() -> None:
    watch = PROVIDER.reply_watch(stream=False)
    watch.feed(b"junk")
    assert (watch.close(), watch.ended) == (b"", False)
    assert watch.error is not None
