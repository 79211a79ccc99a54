"""The walk of one request through the real gateway, with a transport by script."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path
from typing import Any

import pytest

from ccr.adapters.upstream.fake import Pause, Reply
from ccr.adapters.wire import json
from ccr.application.call import Answer
from ccr.application.exchange.relay import COMMENT
from ccr.domain.access import Principal
from ccr.domain.conversation import Conversation
from ccr.domain.errors import ClientGoneError, ConfigError, UpstreamUnavailableError
from ccr.domain.record import Outcome
from tests.support.assembly import BODY, assembled, openai_chunks, sse, streamed, text_events, whole

pytestmark = pytest.mark.anyio

QUICK = {"commitAfterMs": 20, "keepAliveMs": 10}
FALLBACK = {"default": "ant,claude-sonnet-5-5"}


def headers_of(answer: Any) -> dict[str, str]:
    return dict(answer.headers)


async def test_the_same_dialect_is_relayed_byte_for_byte() -> None:
    stream = sse(*text_events()) + b": trailing comment\n\n"
    pieces = [stream[at : at + 7] for at in range(0, len(stream), 7)]
    async with assembled(streamed(*pieces)) as bench:
        answer, body = await bench.ask()

    assert answer.status == 200
    assert stream.startswith(body)
    assert body.endswith(b'data: {"type":"message_stop"}\n\n')
    assert headers_of(answer)["content-type"].startswith("text/event-stream")
    assert (
        "scenario=explicit" in headers_of(answer)["x-ccr-decision"]
        or "default" in headers_of(answer)["x-ccr-decision"]
    )
    assert headers_of(answer)["request-id"] == "req_test"


async def test_only_the_model_changes_in_a_relayed_request() -> None:
    raw = b'{ "model" : "ant,claude-sonnet-5-5",  "unknown_field":{"a":[1, 2]}, "max_tokens":5,"stream":true,"messages":[{"role":"user","content":"h\\u00e9"}] }'
    async with assembled(streamed(sse(*text_events()))) as bench:
        await bench.ask(raw)
        sent = bench.upstream.requests[0]

    assert raw.replace(b'"ant,claude-sonnet-5-5"', b'"claude-sonnet-5-5"') == sent.body
    assert sent.url == "http://ant.test/v1/messages"


async def test_anthropic_gets_the_client_s_own_headers_and_our_key_only() -> None:
    client = {
        "anthropic-version": "2023-06-01",
        "anthropic-beta": "a,b",
        "x-claude-code-session-id": "s1",
        "authorization": "Bearer client-secret",
        "x-api-key": "client-secret",
        "cookie": "c=1",
        "x-ccr-anything": "1",
        "x-forwarded-for": "1.2.3.4",
        "host": "127.0.0.1",
    }
    async with assembled(streamed(sse(*text_events()))) as bench:
        await bench.ask(headers=client)
        sent = dict(bench.upstream.requests[0].headers)

    assert sent["anthropic-beta"] == "a,b"
    assert sent["x-claude-code-session-id"] == "s1"
    assert sent["x-api-key"] == "sk-ant-canary-0123456789"
    assert not {"authorization", "cookie", "x-ccr-anything", "x-forwarded-for", "host"} & set(sent)


async def test_anthropic_is_told_its_version_although_the_client_does_not_say_it() -> None:
    async with assembled(streamed(sse(*text_events()))) as bench:
        await bench.ask()

    assert dict(bench.upstream.requests[0].headers)["anthropic-version"] == "2023-06-01"


async def test_another_dialect_is_translated_both_ways() -> None:
    async with assembled(streamed(openai_chunks("Hel", "lo"))) as bench:
        answer, body = await bench.ask(
            model="oai,m1", headers={"anthropic-beta": "x", "x-claude-code-session-id": "s"}
        )
        sent = bench.upstream.requests[0]

    assert answer.status == 200
    assert b'"text":"Hel"' in body
    assert body.endswith(b'event: message_stop\ndata: {"type":"message_stop"}\n\n')
    request: Any = json.decode(sent.body)
    assert request["model"] == "m1"
    assert request["messages"][-1] == {"role": "user", "content": "Hello"}
    assert dict(sent.headers)["authorization"] == "Bearer sk-oai-canary-0123456789"
    assert not [name for name, _ in sent.headers if name.startswith(("anthropic", "x-claude"))]
    assert bench.record.outcome is Outcome.OK
    assert bench.record.usage.output == 2
    assert bench.record.path == "translate"


async def test_a_whole_reply_is_relayed_as_it_came() -> None:
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "x",
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 2},
        "new": 1,
    }
    async with assembled(whole(message, anthropic_ratelimit_requests_remaining="7", x_evil="1")) as bench:
        answer, body = await bench.ask(stream=False)

    assert json.encode(message) == body
    assert headers_of(answer)["anthropic-ratelimit-requests-remaining"] == "7"
    assert "x-evil" not in headers_of(answer)
    assert bench.record.usage.output == 2


async def test_a_whole_reply_whose_call_was_put_right_is_written_anew() -> None:
    """Its own bytes would tell the client of a call with broken input."""
    call = {"id": "call_1", "type": "function", "function": {"name": "Read", "arguments": '{"path": "/x",}'}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    reply = {"id": "c1", "model": "m1", "choices": [{"message": message, "finish_reason": "tool_calls"}]}
    asked = {"model": "oai,m1", "messages": [{"role": "user", "content": "Hello"}]}
    async with assembled(whole(reply)) as bench:
        answer, body = await bench.ask(asked, dialect="openai_chat", path="/v1/chat/completions")

    said = json.decode(body)
    assert answer.status == 200
    assert isinstance(said, dict)
    assert said["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] == '{"path": "/x"}'


async def test_a_stream_is_folded_for_a_client_that_wants_it_whole() -> None:
    async with assembled(streamed(openai_chunks("Hel", "lo"))) as bench:
        answer, body = await bench.ask(model="oai,m1", stream=False)

    reply: Any = json.decode(body)
    assert answer.status == 200
    assert reply["content"] == [{"type": "text", "text": "Hello"}]


async def test_a_json_reply_becomes_the_stream_that_was_asked_for() -> None:
    reply = {
        "id": "c",
        "model": "m1",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
    }
    async with assembled(whole(reply)) as bench:
        _, body = await bench.ask(model="oai,m1")

    assert b'"text":"Hi"' in body
    assert b"event: message_stop" in body


@pytest.mark.parametrize(
    "script, status, kind",
    [
        (
            whole(
                {"type": "error", "error": {"type": "invalid_request_error", "message": "max_tokens: bad"}},
                400,
            ),
            400,
            "invalid_request_error",
        ),
        (
            whole(
                {"type": "error", "error": {"type": "authentication_error", "message": "invalid x-api-key"}},
                401,
            ),
            502,
            "api_error",
        ),
        (
            whole(
                {"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}},
                429,
                retry_after="7",
            ),
            429,
            "rate_limit_error",
        ),
        (
            whole({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}, 529),
            529,
            "overloaded_error",
        ),
        (Reply(502, {"content-type": "text/html"}, [b"<html>bad gateway</html>"]), 503, "api_error"),
        (UpstreamUnavailableError("connection refused"), 503, "api_error"),
        (Reply(302, {"location": "http://evil.test"}), 502, "api_error"),
        (
            streamed(sse({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}})),
            529,
            "overloaded_error",
        ),
        (streamed(), 502, "api_error"),
        (streamed(b"junk\n\n"), 502, "api_error"),
    ],
)
async def test_a_failure_before_content_is_a_status(script: Any, status: int, kind: str) -> None:
    async with assembled(script) as bench:
        answer, body = await bench.ask()

    error: Any = json.decode(body)
    assert (answer.status, error["type"], error["error"]["type"]) == (status, "error", kind)
    assert b"<html" not in body
    assert bench.record.outcome is not Outcome.OK
    assert bench.record.status == status


async def test_an_error_body_of_the_same_dialect_passes_unmodified_but_for_our_key() -> None:
    body = b'{"type":"error", "error":{"type":"invalid_request_error","message":"bad key sk-ant-canary-0123456789 seen"},"x":1}'
    async with assembled(Reply(400, {"content-type": "application/json"}, [body])) as bench:
        _, said = await bench.ask()

    assert body.replace(b"sk-ant-canary-0123456789", b"***") == said


async def test_retry_after_survives() -> None:
    script = whole({"error": {"message": "slow"}}, 429, retry_after="7")
    async with assembled(script) as bench:
        answer, _ = await bench.ask(model="oai,m1")

    assert (answer.status, headers_of(answer)["retry-after"]) == (429, "7")


async def test_the_next_target_is_tried_before_content() -> None:
    config_fallback = {"default": ["oai,m1"]}
    async with assembled(
        UpstreamUnavailableError("down"), streamed(openai_chunks("ok")), fallback=config_fallback
    ) as bench:
        answer, body = await bench.ask(model="claude-sonnet-5-5")

    assert answer.status == 200
    assert b'"text":"ok"' in body
    assert [a.error for a in bench.record.attempts] == ["upstream_unavailable", ""]


async def test_a_request_that_is_wrong_is_not_tried_elsewhere() -> None:
    wrong = whole({"type": "error", "error": {"type": "invalid_request_error", "message": "bad"}}, 400)
    async with assembled(wrong, streamed(openai_chunks("ok")), fallback={"default": ["oai,m1"]}) as bench:
        answer, _ = await bench.ask(model="claude-sonnet-5-5")

    assert answer.status == 400
    assert len(bench.upstream.requests) == 1


async def test_a_cut_after_content_ends_in_one_error_event() -> None:
    stream = sse(*text_events()[:3])
    async with assembled(streamed(stream, UpstreamUnavailableError("reset"))) as bench:
        answer, body = await bench.ask()

    assert answer.status == 200
    assert body.startswith(stream)
    assert body.count(b"event: error") == 1
    assert b"message_stop" not in body
    assert bench.record.outcome is Outcome.UPSTREAM_ERROR


@pytest.mark.parametrize("model", ["ant,claude-sonnet-5-5", "oai,m1"])
async def test_an_end_without_an_end_is_an_error(model: str) -> None:
    stream = (
        sse(*text_events()[:3]) if model.startswith("ant") else openai_chunks("Hel", finish=None, usage=False)
    )
    async with assembled(streamed(stream)) as bench:
        _, body = await bench.ask(model=model)

    assert body.count(b"event: error") == 1
    assert b"end_turn" not in body
    assert bench.record.outcome is Outcome.UPSTREAM_TRUNCATED


async def test_a_client_that_waits_hears_from_us_and_gets_its_reply() -> None:
    gate = asyncio.Event()
    stream = sse(*text_events())
    async with assembled(
        Reply(200, {"content-type": "text/event-stream"}, [stream], before=[gate]), Timeouts=QUICK
    ) as bench:
        answer = await bench.answer()
        asyncio.get_running_loop().call_later(0.05, gate.set)
        body = await bench.read(answer)

    assert answer.status == 200
    assert body.startswith(COMMENT)
    assert body.replace(COMMENT, b"") == stream


async def test_a_translated_client_that_waits_gets_an_opened_message_and_pings() -> None:
    gate = asyncio.Event()
    reply = Reply(200, {"content-type": "text/event-stream"}, [openai_chunks("ok")], before=[gate])
    async with assembled(reply, Timeouts=QUICK) as bench:
        answer = await bench.answer(model="oai,m1")
        asyncio.get_running_loop().call_later(0.05, gate.set)
        body = await bench.read(answer)

    assert body.startswith(b"event: message_start")
    assert body.count(b"event: message_start") == 1
    assert b"event: ping" in body
    assert body.count(b"event: message_stop") == 1


async def test_after_the_status_other_targets_are_still_tried_until_content() -> None:
    gate = asyncio.Event()
    failing = Reply(500, {}, [b"{}"], before=[gate])
    async with assembled(
        failing,
        streamed(sse(*text_events())),
        Timeouts=QUICK,
        fallback={"default": ["ant,claude-sonnet-5-5"]},
    ) as bench:
        answer = await bench.answer(model="oai,m1")
        asyncio.get_running_loop().call_later(0.03, gate.set)
        body = await bench.read(answer)

    assert body.count(b"event: message_start") == 1
    assert b'"text":"Hi there"' in body
    assert b"event: error" not in body


async def test_failing_after_the_status_is_an_error_event() -> None:
    gate = asyncio.Event()
    async with assembled(Reply(500, {}, [b"{}"], before=[gate]), Timeouts=QUICK) as bench:
        answer = await bench.answer()
        asyncio.get_running_loop().call_later(0.03, gate.set)
        body = await bench.read(answer)

    assert body.replace(COMMENT, b"").startswith(b"event: error")
    assert bench.record.outcome is Outcome.UPSTREAM_ERROR


async def test_silence_in_the_middle_is_bridged_and_then_given_up() -> None:
    never = asyncio.Event()
    async with assembled(streamed(sse(*text_events()[:3]), never), Timeouts={**QUICK, "idleMs": 80}) as bench:
        _, body = await bench.ask()

    assert COMMENT in body
    assert body.count(b"event: error") == 1
    assert bench.record.outcome is Outcome.TIMEOUT
    assert bench.upstream.responses[0].closed


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_leaves_before_content_cancels_the_provider(stream: bool) -> None:
    never = asyncio.Event()
    async with assembled(Reply(200, {}, [b"x"], before=[never])) as bench:
        task = asyncio.create_task(bench.answer(stream=stream))
        await asyncio.sleep(0.01)
        bench.disconnect.set()
        with pytest.raises(ClientGoneError):
            await task

    assert bench.record.outcome is Outcome.CLIENT_CLOSED


async def test_a_client_that_leaves_in_the_middle_closes_the_provider_s_stream() -> None:
    never = asyncio.Event()
    async with assembled(streamed(sse(*text_events()[:3]), never)) as bench:
        answer = await bench.answer()
        asyncio.get_running_loop().call_later(0.02, bench.disconnect.set)
        await bench.read(answer)

    assert bench.record.outcome is Outcome.CLIENT_CLOSED
    assert bench.upstream.responses[0].closed
    assert bench.record.usage.input_uncached == 3


async def test_an_answer_that_nobody_relays_is_settled_by_closing_it() -> None:
    async with assembled(streamed(sse(*text_events()))) as bench:
        answer = await bench.answer()
        assert answer.close is not None
        await answer.close()

    assert bench.record.outcome is Outcome.CLIENT_CLOSED
    assert bench.upstream.responses[0].closed


async def test_body_and_conversation_are_let_go_when_content_starts() -> None:
    gate, heard = asyncio.Event(), asyncio.Event()
    begun = openai_chunks("a", finish=None, usage=False)

    async def write(_: bytes) -> None:
        heard.set()

    async def relayed(answer: Answer) -> None:
        assert answer.relay is not None
        await answer.relay(write)

    gc.collect()
    others = {
        id(found) for found in gc.get_objects() if type(found) is Conversation
    }  # of other tests' modules
    async with assembled(streamed(begun, gate, openai_chunks("b"))) as bench:
        call = bench.call(model="oai,m1")
        answer = await bench.made.container.gateway().handle_call(call)
        relaying = asyncio.create_task(relayed(answer))
        await heard.wait()
        gc.collect()

        assert call.body == b""
        left = [
            found for found in gc.get_objects() if type(found) is Conversation and id(found) not in others
        ]
        assert not left
        gate.set()
        await relaying


async def test_a_malformed_request_says_where() -> None:
    async with assembled() as bench:
        answer, body = await bench.ask(b'{"model": "x", "messages": "none"}')

    error: Any = json.decode(body)
    assert (answer.status, error["error"]["type"]) == (400, "invalid_request_error")
    assert "messages" in error["error"]["message"]
    assert bench.record.outcome is Outcome.INVALID


async def test_an_unknown_target_is_a_400_that_lists_near_names() -> None:
    async with assembled() as bench:
        answer, body = await bench.ask(model="ant,claude-sonet-5-5")

    assert answer.status == 400
    assert b"claude-sonnet-5-5" in body


async def test_while_draining_new_work_is_refused_before_its_body_is_read() -> None:
    async with assembled() as bench:
        bench.made.container.admission().drain()
        call = bench.call()
        answer = await bench.made.container.gateway().handle_call(call)

    assert (answer.status, call.body) == (529, None)
    assert headers_of(answer)["retry-after"] == "5"
    assert bench.record.outcome is Outcome.DRAINED


async def test_a_key_with_limited_models_is_checked_on_the_resolved_target() -> None:
    async with assembled() as bench:
        answer, _ = await bench.ask(principal=Principal("p", models=("oai,*",)))

    assert answer.status == 403
    assert not bench.upstream.requests


async def test_a_fault_of_ours_ends_the_stream_in_an_error_event_and_is_raised() -> None:
    async with assembled(streamed(sse(*text_events()[:3]), RuntimeError("bug"))) as bench:
        answer = await bench.answer()
        with pytest.raises(RuntimeError, match="bug"):
            await bench.read(answer)

    assert bench.record.outcome is Outcome.INTERNAL


@pytest.mark.parametrize("model", ["ant,claude-sonnet-5-5", "oai,m1"])
async def test_a_server_that_stops_says_so_in_an_error_event(model: str) -> None:
    begun = (
        sse(*text_events()[:3]) if model.startswith("ant") else openai_chunks("a", finish=None, usage=False)
    )
    said: list[bytes] = []
    heard = asyncio.Event()

    async def write(data: bytes) -> None:
        said.append(data)
        heard.set()

    async def relayed(answer: Answer) -> None:
        assert answer.relay is not None
        await answer.relay(write)

    async with assembled(streamed(begun, asyncio.Event())) as bench:
        task = asyncio.create_task(relayed(await bench.answer(model=model)))
        await heard.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert b"".join(said).count(b"event: error") == 1
    assert b"overloaded_error" in said[-1]
    assert bench.record.outcome is Outcome.DRAINED
    assert bench.upstream.responses[0].closed


@pytest.mark.parametrize("model", ["ant,claude-sonnet-5-5", "oai,m1"])
async def test_a_server_that_stops_says_so_before_there_is_content(model: str) -> None:
    said: list[bytes] = []
    heard = asyncio.Event()

    async def write(data: bytes) -> None:
        said.append(data)
        heard.set()

    async with assembled(Reply(before=[asyncio.Event()]), Timeouts=QUICK) as bench:
        answer = await bench.answer(model=model)
        assert answer.relay is not None
        task = asyncio.ensure_future(answer.relay(write))
        await heard.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert b"".join(said).count(b"event: error") == 1
    assert bench.record.outcome is Outcome.DRAINED


async def test_what_is_cut_before_its_answer_is_no_fault_of_ours() -> None:
    async with assembled(Reply(before=[asyncio.Event()])) as bench:
        task = asyncio.ensure_future(bench.answer(stream=False))
        while not bench.upstream.requests:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert bench.record.outcome is Outcome.DRAINED


async def test_a_cut_behind_the_end_of_a_reply_cuts_nothing() -> None:
    pieces: list[bytes] = []

    async def write(data: bytes) -> None:
        pieces.append(data)

    async with assembled(streamed(sse(*text_events()), asyncio.Event())) as bench:
        answer = await bench.answer()
        assert answer.relay is not None
        task = asyncio.ensure_future(answer.relay(write))
        while b"message_stop" not in b"".join(pieces):
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        task.cancel()
        await task

    assert (bench.record.outcome, bench.upstream.responses[0].closed) == (Outcome.OK, True)


async def test_every_request_that_came_in_has_left() -> None:
    async with assembled(streamed(sse(*text_events())), UpstreamUnavailableError("x")) as bench:
        await bench.ask()
        await bench.ask()
        await bench.ask(b"not json")

        assert bench.made.container.admission().active == 0
        assert len(bench.records.kept) == 3


async def test_a_subagent_tag_is_removed_although_the_dialect_is_the_same() -> None:
    tagged = {
        **BODY,
        "system": [
            {"type": "text", "text": "<CCR-SUBAGENT-MODEL>ant,claude-sonnet-5-5</CCR-SUBAGENT-MODEL>You help"}
        ],
    }
    async with assembled(streamed(sse(*text_events()))) as bench:
        await bench.ask(tagged)
        sent: Any = json.decode(bench.upstream.requests[0].body)

    assert sent["system"] == [{"type": "text", "text": "You help"}]
    assert sent["messages"] == BODY["messages"]


async def test_thinking_that_was_sealed_by_another_provider_does_not_go_to_anthropic() -> None:
    """Relayed as it came, Anthropic would refuse the signature; translated, the block is left out (P12)."""
    async with assembled(streamed(thinking_chunks()), streamed(sse(*text_events()))) as bench:
        _, first = await bench.ask(model="oai,m1")
        signature = first.partition(b'"signature_delta","signature":"')[2].partition(b'"')[0].decode()
        thought = {"type": "thinking", "thinking": "hm", "signature": signature}
        turns = [
            *BODY["messages"],
            {"role": "assistant", "content": [thought, {"type": "text", "text": "ok"}]},
            {"role": "user", "content": "on"},
        ]
        await bench.ask(messages=turns)
        sent: Any = json.decode(bench.upstream.requests[1].body)

    assert signature.startswith("ccr1.")
    assert sent["messages"][1]["content"] == [{"type": "text", "text": "ok"}]
    assert sent["messages"][0] == BODY["messages"][0]


async def test_a_system_prompt_of_the_user_s_own_replaces_that_of_the_client(tmp_path: Path) -> None:
    prompt = tmp_path / "prompt.md"
    prompt.write_text("Mine ")
    system = [{"type": "text", "text": "You are Claude"}, {"type": "text", "text": "Theirs <env>cwd</env>"}]
    async with assembled(streamed(sse(*text_events())), REWRITE_SYSTEM_PROMPT=str(prompt)) as bench:
        await bench.ask(system=system)
        sent: Any = json.decode(bench.upstream.requests[0].body)

    assert [block["text"] for block in sent["system"]] == ["You are Claude", "Mine <env>cwd</env>"]


async def test_a_system_prompt_that_cannot_be_read_is_a_problem_of_the_configuration(tmp_path: Path) -> None:
    for content in (None, b"\xff", b"x" * (1024 * 1024 + 1)):
        path = tmp_path / "prompt.md"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ConfigError, match="REWRITE_SYSTEM_PROMPT"):
            async with assembled(REWRITE_SYSTEM_PROMPT=str(path)):
                pass


def thinking_chunks() -> bytes:
    thought = {"id": "c", "model": "m1", "choices": [{"index": 0, "delta": {"reasoning_content": "hm"}}]}
    return b"data: " + json.encode(thought) + b"\n\n" + openai_chunks("ok")


async def test_a_limit_that_runs_out_behind_the_end_of_a_reply_spoils_nothing() -> None:
    lingers = streamed(sse(*text_events()), Pause(0.2))
    async with assembled(lingers, Timeouts={"totalMs": 60}) as bench:
        _, body = await bench.ask()

        assert body.endswith(b'data: {"type":"message_stop"}\n\n')
        assert (bench.record.outcome, bench.record.error) == (Outcome.OK, "")


async def test_a_limit_that_runs_out_when_all_but_the_last_word_was_said_spoils_nothing() -> None:
    without_end = streamed(sse(*text_events()[:-1]), Pause(5.0))
    async with assembled(without_end, Timeouts={"totalMs": 60}) as bench:
        _, body = await bench.ask()

        assert body.endswith(b'data: {"type":"message_stop"}\n\n')
        assert (bench.record.outcome, bench.record.error) == (Outcome.OK, "")
