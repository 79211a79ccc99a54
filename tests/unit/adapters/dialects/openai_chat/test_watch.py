from __future__ import annotations

import msgspec
import pytest

from ccr.adapters.dialects.openai_chat import OpenAIChatProvider
from ccr.domain.errors import DrainingError, UpstreamUnavailableError
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


def test_an_error_has_the_code_that_it_has_in_a_translated_stream() -> None:
    watch = PROVIDER.reply_watch(stream=True)
    watch.feed(text("A"))
    said = msgspec.json.decode(watch.close(DrainingError("the gateway is stopping"))[6:])
    assert said["error"]["code"] == "server_is_overloaded"


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


CALL = tool(call="t", name="Read") + tool('{"path": ')


@pytest.mark.parametrize("end", [DONE, usage() + DONE, b""])
def test_a_broken_call_is_never_told_to_be_finished(end: bytes) -> None:
    """Clients run tools as soon as they read why the reply ends."""
    watch = PROVIDER.reply_watch(stream=True)

    passed = watch.feed(text("A") + CALL) + watch.feed(finish("tool_calls")) + watch.feed(end)

    assert passed == text("A") + CALL
    assert watch.close().startswith(b'data: {"error":{')
    assert not watch.ended


def test_a_call_that_was_cut_short_goes_on_with_the_reason() -> None:
    watch = PROVIDER.reply_watch(stream=True)
    stream = CALL + finish("length") + usage() + DONE

    assert watch.feed(stream) == stream
    assert watch.ended


def test_input_behind_the_reason_makes_a_call_whole() -> None:
    watch = PROVIDER.reply_watch(stream=True)

    assert watch.feed(CALL + finish("tool_calls")) == CALL
    assert watch.feed(tool("1}")) == finish("tool_calls") + tool("1}")
    assert watch.feed(DONE) == DONE
    assert watch.ended


def test_without_done_the_reason_goes_on_at_the_end() -> None:
    watch = PROVIDER.reply_watch(stream=True)
    passed = watch.feed(CALL + tool("1}") + finish("tool_calls"))

    assert (passed, watch.close(), watch.ended) == (CALL + tool("1}") + finish("tool_calls"), b"", True)


def test_what_our_reader_would_put_right_is_broken_to_others() -> None:
    watch = PROVIDER.reply_watch(stream=True)
    call = tool('{"path": 1,}', name="Read")

    assert watch.feed(call + finish("tool_calls") + DONE) == call
    assert watch.close() != b""


@pytest.mark.parametrize("pieces", [("",), ("null",), ("{}",), ()])
def test_a_call_without_input_is_whole(pieces: tuple[str, ...]) -> None:
    watch = PROVIDER.reply_watch(stream=True)
    stream = tool(call="t", name="Read") + b"".join(map(tool, pieces)) + finish("tool_calls") + DONE

    assert watch.feed(stream) == stream
    assert watch.ended


def test_what_waits_behind_a_broken_call_is_bounded() -> None:
    watch = PROVIDER.reply_watch(stream=True, limit=1000)
    watch.feed(CALL + finish("tool_calls"))
    for _ in range(20):
        watch.feed(usage())

    assert watch.error is not None


@pytest.mark.parametrize("arguments, mended", [('{"path": 1,}', True), ('{"path": 1}', False), ("", False)])
def test_a_whole_reply_with_a_call_that_was_put_right_says_so(arguments: str, mended: bool) -> None:
    watch = PROVIDER.reply_watch(stream=False)
    call = {"id": "t", "type": "function", "function": {"name": "Read", "arguments": arguments}}
    message = {"content": None, "tool_calls": [call]}
    watch.feed(msgspec.json.encode({"choices": [{"message": message, "finish_reason": "tool_calls"}]}))
    watch.close()

    assert (watch.ended, getattr(watch, "mended", None)) == (True, mended)
