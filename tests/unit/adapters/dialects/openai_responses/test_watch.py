from __future__ import annotations

import msgspec
import pytest
from hypothesis import given

from ccr.adapters.dialects.openai_responses import ResponsesProvider
from ccr.application.ports.dialect import ReplyWatch
from ccr.domain.errors import UpstreamProtocolError, UpstreamTimeoutError, UpstreamUnavailableError
from ccr.domain.usage import Usage
from tests.support.responses import (
    USAGE,
    about,
    added,
    arguments,
    completed,
    created,
    done,
    response,
    text,
)
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


BEGUN = created() + added(0, "function_call", call_id="c", name="Read") + arguments('{"path": ')
TOLD = about("function_call_arguments.done", arguments='{"path": ')


def called(given: str, status: str = "completed") -> dict[str, object]:
    return {"call_id": "c", "name": "Read", "arguments": given, "status": status}


@pytest.mark.parametrize("told", [TOLD, b""])
def test_a_broken_call_is_never_told_to_be_finished(told: bytes) -> None:
    """Codex runs a tool as soon as its item is done."""
    seen = watch()
    end = told + done(0, "function_call", **called('{"path": ')) + text("B", 1)

    assert seen.feed(BEGUN + end) + seen.feed(completed()) == BEGUN
    assert isinstance(seen.error, UpstreamProtocolError)
    assert seen.close().startswith(b"event: error\n")
    assert not seen.ended


@pytest.mark.parametrize("status", ["incomplete", "completed"])
def test_a_call_that_was_cut_short_goes_on_with_the_reason(status: str) -> None:
    seen = watch()
    item = called('{"path": ', status)
    end = completed("incomplete", incomplete_details={"reason": "max_output_tokens"})
    stream = BEGUN + TOLD + done(0, "function_call", **item) + end

    assert seen.feed(stream) == stream
    assert seen.ended


def test_a_tool_that_takes_text_is_not_judged() -> None:
    seen = watch()
    begun = created() + added(0, "custom_tool_call", call_id="c", name="patch")
    told = about("custom_tool_call_input.done", input="*** Begin Patch")
    item = {"call_id": "c", "name": "patch", "input": "*** Begin Patch"}
    stream = begun + told + done(0, "custom_tool_call", **item) + completed()

    assert seen.feed(stream) == stream
    assert seen.ended


def test_a_whole_reply_with_a_broken_call_is_none() -> None:
    broken = msgspec.json.encode(
        response("completed", output=[{"type": "function_call", **called('{"path": ')}])
    )
    short = msgspec.json.encode(
        response(
            "incomplete",
            output=[{"type": "function_call", **called('{"path": ', "incomplete")}],
            incomplete_details={"reason": "max_output_tokens"},
        )
    )
    bad, cut = watch(stream=False), watch(stream=False)
    bad.feed(broken)
    cut.feed(short)

    assert (bad.close(), cut.close()) == (b"", b"")
    assert isinstance(bad.error, UpstreamProtocolError)
    assert (cut.error, cut.ended) == (None, True)
