"""Several targets, several keys, retries, circuits, places: through the whole walk, by script."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from ccr.adapters.config.fixed_store import loaded_from
from ccr.adapters.upstream.fake import Pause, Reply
from ccr.application.ports.upstream import UpstreamRequest
from ccr.domain.errors import GatewayError, UpstreamTimeoutError, UpstreamUnavailableError
from tests.support.assembly import BODY, CONFIG, Bench, assembled, openai_chunks, streamed, whole

pytestmark = pytest.mark.anyio

OK = streamed(openai_chunks("Hi"))
BUSY = whole({"error": {"message": "Rate limit reached", "code": "rate_limit_exceeded"}}, 429)
DOWN = whole({"error": {"message": "Something broke"}}, 500)
WRONG_KEY = whole({"error": {"message": "Incorrect API key provided"}}, 401)


def cut_after(word: bytes) -> Reply:
    """Return a reply that ends behind the event with a word."""
    body = b"".join(chunk for chunk in OK.chunks if isinstance(chunk, bytes))
    end = body.index(b"\n\n", body.index(word)) + 2
    return Reply(headers=OK.headers, chunks=[body[:end]])


PATIENT = {"retries": 2, "maxWaitMs": 1}


def provider(name: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "api_base_url": f"http://{name}.test/v1/chat/completions",
        "api_key": f"sk-{name}-0123456789",
        "models": ["m"],
        **more,
    }


def config(default: Any, *providers: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    named = list(providers) or [provider("a"), provider("b")]
    return {**CONFIG, "Providers": named, "Router": {"default": default}, **more}


def headers(session: str = "", **more: str) -> dict[str, str]:
    return ({"x-claude-code-session-id": session} if session else {}) | more


def hosts(bench: Bench) -> list[str]:
    return [request.url.split("/")[2].partition(".")[0] for request in bench.upstream.requests]


def keys(bench: Bench) -> list[str]:
    return [
        dict(request.headers)["authorization"].removeprefix("Bearer ") for request in bench.upstream.requests
    ]


def reported(bench: Bench) -> dict[str, Any]:
    told = bench.made.container.check_health().status()["health"]
    assert isinstance(told, list)
    assert len(told) == 1
    return dict(told[0])


async def ask(bench: Bench, session: str = "", **more: Any) -> int:
    answer, _ = await bench.ask(BODY, headers=headers(session), **more)
    return answer.status


def always(**by_host: Reply | GatewayError) -> Any:
    """Answer by host, for ever."""

    def answer(request: UpstreamRequest) -> Reply:
        found = by_host.get(request.url.split("/")[2].partition(".")[0], OK)
        if isinstance(found, GatewayError):
            raise found
        return found

    return answer


async def many(default: Any, script: Any, count: int, *providers: Any, **more: Any) -> list[str]:
    async with assembled(*[script] * 200, config=config(default, *providers, **more)) as bench:
        for number in range(count):
            await ask(bench, f"s{number}")
        return hosts(bench)


# ------------------------------------------------------------------------------------------------- targets


async def test_the_second_of_a_route_answers_when_the_first_fails() -> None:
    async with assembled(DOWN, OK, config=config(["a,m", "b,m"])) as bench:
        answer, _ = await bench.ask()

        assert (answer.status, hosts(bench)) == (200, ["a", "b"])
        attempts = dict(answer.headers)["x-ccr-attempts"]
        assert '"a,m";status=500;error=upstream_unavailable;ms=' in attempts
        assert ', "b,m";status=200;ms=' in attempts


async def test_fallbacks_come_after_the_routes_own_targets() -> None:
    more = {"fallback": {"default": ["c,m", "b,m"]}}
    named = (provider("a"), provider("b"), provider("c"))
    async with assembled(DOWN, DOWN, OK, config=config(["a,m", "b,m"], *named, **more)) as bench:
        assert await ask(bench) == 200
        assert hosts(bench) == ["a", "b", "c"]


async def test_each_target_is_asked_in_its_own_dialect() -> None:
    named = (provider("a"), provider("b", api_base_url="http://b.test/v1/messages"))
    async with assembled(DOWN, DOWN, config=config(["a,m", "b,m"], *named)) as bench:
        await ask(bench)

        first, second = bench.upstream.requests
        assert (b'"system"' in first.body, first.url.endswith("/chat/completions")) == (False, True)
        assert second.url.endswith("/v1/messages")


async def test_the_error_that_says_most_is_told() -> None:
    async with assembled(BUSY, UpstreamUnavailableError("down"), config=config(["a,m", "b,m"])) as bench:
        answer, body = await bench.ask()

        assert (answer.status, b"Rate limit reached" in body) == (429, True)


async def test_weights_share_the_sessions() -> None:
    route = [{"target": "a,m", "weight": 9}, {"target": "b,m", "weight": 1}]
    served = await many(route, OK, 100)

    assert 70 < served.count("a") < 100


async def test_the_one_with_the_least_to_do_is_asked() -> None:
    forever = Reply(headers={"content-type": "text/event-stream"}, chunks=[asyncio.Event()])
    route = {"targets": ["a,m", "b,m"], "strategy": "leastInFlight"}
    async with assembled(forever, OK, OK, OK, config=config(route)) as bench:
        busy = asyncio.ensure_future(ask(bench, "s0"))
        while not bench.upstream.requests:
            await asyncio.sleep(0)
        for number in range(3):
            assert await ask(bench, f"s{number + 1}") == 200
        busy.cancel()
        await asyncio.wait({busy})

        first, *others = hosts(bench)
        assert set(others) == {"a", "b"} - {first}


async def test_the_quickest_is_asked() -> None:
    # A second: more than a busy machine takes from the quick one.
    slow = Reply(headers=OK.headers, chunks=OK.chunks, before=[Pause(1.0)])
    route = {"targets": ["a,m", "b,m"], "strategy": "latency"}
    served = await many(route, always(a=slow), 12)

    assert served.count("a") == 1


# ------------------------------------------------------------------------------------------------ affinity


async def test_a_session_stays_where_its_cache_is() -> None:
    route = {"targets": ["a,m", "b,m"], "strategy": "weighted"}
    async with assembled(*[OK] * 40, config=config(route)) as bench:
        for _ in range(20):
            await ask(bench, "one")
        for _ in range(20):
            await ask(bench, "two")

        served = hosts(bench)
        assert len(set(served[:20])) == 1
        assert len(set(served[20:])) == 1


async def test_subagents_of_one_session_spread() -> None:
    route = {"targets": ["a,m", "b,m"], "strategy": "weighted"}
    async with assembled(*[OK] * 40, config=config(route)) as bench:
        for number in range(40):
            await bench.ask(BODY, headers=headers("one", **{"x-claude-code-agent-id": f"agent{number}"}))

        assert 8 < hosts(bench).count("a") < 32


async def test_a_fallback_does_not_keep_a_session() -> None:
    more = {"fallback": {"default": ["b,m"]}}
    async with assembled(DOWN, OK, OK, config=config("a,m", **more)) as bench:
        for _ in range(2):
            assert await ask(bench, "one") == 200

        assert hosts(bench) == ["a", "b", "a"]


async def test_without_affinity_every_request_is_chosen_anew() -> None:
    route = {"targets": ["a,m", "b,m"], "strategy": "weighted"}
    async with assembled(*[OK] * 40, config=config(route, Failover={"affinity": False})) as bench:
        for _ in range(40):
            await ask(bench, "one")

        assert 8 < hosts(bench).count("a") < 32


async def test_one_failure_does_not_move_a_session() -> None:
    async with assembled(OK, DOWN, OK, OK, config=config(["a,m", "b,m"])) as bench:
        for _ in range(3):
            assert await ask(bench, "one") == 200

        assert hosts(bench) == ["a", "a", "b", "a"]


async def test_a_session_moves_where_its_target_is_barred_and_stays_there() -> None:
    async with assembled(OK, Reply(**BUSY_FOR_A_MINUTE), OK, OK, OK, config=config(["a,m", "b,m"])) as bench:
        for _ in range(4):
            assert await ask(bench, "one") == 200

        assert hosts(bench) == ["a", "a", "b", "b", "b"]


BUSY_FOR_A_MINUTE: dict[str, Any] = {
    "status": 429,
    "headers": {"content-type": "application/json", "retry-after": "60"},
    "chunks": BUSY.chunks,
}


async def test_after_compaction_a_session_is_free() -> None:
    route = {"targets": ["a,m", "b,m"], "strategy": "weighted"}
    async with assembled(*[OK] * 80, config=config(route)) as bench:
        for _ in range(40):
            await ask(bench, "one")
            await bench.ask(BODY, headers=headers("one", **{"x-claude-code-request-class": "compaction"}))
            # The compaction itself is served where the cache still is.
        served = hosts(bench)

        assert len(bench.made.container.balance().pins) <= 1
        assert {"a", "b"} == set(served[::2])
        assert served[::2] == served[1::2]


# ---------------------------------------------------------------------------------------------------- keys


async def test_keys_share_the_requests_by_weight() -> None:
    named = provider("a", api_key=["sk-one", {"key": "sk-two", "weight": 9}])
    async with assembled(*[OK] * 100, config=config("a,m", named)) as bench:
        for number in range(100):
            await ask(bench, f"s{number}")

        assert 70 < keys(bench).count("sk-two") < 100


async def test_a_session_stays_with_its_key() -> None:
    named = provider("a", api_key=["sk-one", "sk-two"])
    async with assembled(*[OK] * 20, config=config("a,m", named)) as bench:
        for _ in range(20):
            await ask(bench, "one")

        assert len(set(keys(bench))) == 1


@pytest.mark.parametrize("refusal", [BUSY, WRONG_KEY])
async def test_another_key_is_tried_before_another_target(refusal: Reply) -> None:
    named = (provider("a", api_key=["sk-one", "sk-two"]), provider("b"))
    async with assembled(refusal, OK, config=config(["a,m", "b,m"], *named)) as bench:
        answer, _ = await bench.ask()

        assert (answer.status, hosts(bench), set(keys(bench))) == (200, ["a", "a"], {"sk-one", "sk-two"})
        assert dict(answer.headers)["x-ccr-attempts"].count(";key=") == 2
        assert "sk-" not in dict(answer.headers)["x-ccr-attempts"]


async def test_a_key_that_was_refused_rests_and_the_others_go_on() -> None:
    named = provider("a", api_key=["sk-one", "sk-two"])
    async with assembled(WRONG_KEY, *[OK] * 20, config=config("a,m", named)) as bench:
        for number in range(20):
            assert await ask(bench, f"s{number}") == 200

        assert len(set(keys(bench)[1:])) == 1
        assert len(reported(bench)["keys_resting"]) == 1


async def test_a_limit_of_one_model_does_not_bar_the_others() -> None:
    named = provider("a", api_key=["sk-one", "sk-two"], models=["m", "n"])
    limited = Reply(**BUSY_FOR_A_MINUTE)
    async with assembled(limited, limited, *[OK] * 30, config=config("a,m", named)) as bench:
        assert await ask(bench) == 429
        for number in range(30):
            await ask(bench, f"s{number}", model="a,n")

        assert set(keys(bench)[2:]) == {"sk-one", "sk-two"}


async def test_when_all_keys_rest_the_only_target_is_asked_all_the_same() -> None:
    named = provider("a", api_key=["sk-one", "sk-two"])
    async with assembled(WRONG_KEY, WRONG_KEY, OK, config=config("a,m", named)) as bench:
        assert await ask(bench) == 502
        assert await ask(bench) == 200


# ------------------------------------------------------------------------------------------------- retries


async def test_a_failure_of_the_moment_is_tried_again() -> None:
    async with assembled(DOWN, DOWN, OK, config=config("a,m", Failover=PATIENT)) as bench:
        answer, _ = await bench.ask()

        assert (answer.status, len(bench.upstream.requests)) == (200, 3)
        assert [one.status for one in bench.record.attempts] == [500, 500, 200]


async def test_and_given_up_in_the_end() -> None:
    async with assembled(DOWN, DOWN, DOWN, config=config("a,m", Failover=PATIENT)) as bench:
        answer, body = await bench.ask()

        assert (answer.status, b"Something broke" in body) == (503, True)


async def test_a_wait_that_is_too_long_is_the_clients() -> None:
    async with assembled(Reply(**BUSY_FOR_A_MINUTE), config=config("a,m", Failover=PATIENT)) as bench:
        answer, _ = await bench.ask()

        assert (answer.status, dict(answer.headers)["retry-after"]) == (429, "60")


def limited(seconds: int) -> Reply:
    return whole({"error": {"message": "Rate limit reached"}}, 429, retry_after=str(seconds))


@pytest.mark.parametrize("waits", [(30, 7), (7, 30)])
async def test_of_several_limits_the_client_is_told_the_one_that_ends_first(waits: tuple[int, int]) -> None:
    two_keys = provider("a", api_key=["sk-one", "sk-two"])
    for default, *named in (("a,m", two_keys), (["a,m", "b,m"],)):
        async with assembled(*map(limited, waits), config=config(default, *named)) as bench:
            answer, _ = await bench.ask()

            assert (answer.status, dict(answer.headers)["retry-after"]) == (429, "7")
            assert len(bench.upstream.requests) == 2


async def test_what_a_target_said_last_is_what_counts() -> None:
    async with assembled(limited(0), limited(60), config=config("a,m"), Failover=PATIENT) as bench:
        answer, _ = await bench.ask()

        assert (answer.status, dict(answer.headers)["retry-after"]) == (429, "60")


async def test_retries_end_when_their_budget_is_spent() -> None:
    broke = config("a,m", Failover={**PATIENT, "retryBudgetPercent": 0})
    async with assembled(*[DOWN] * 40, config=broke) as bench:
        for _ in range(20):
            await ask(bench, "the same")

        assert len(bench.upstream.requests) == 20 + 10


async def test_what_may_have_been_billed_says_so_and_is_sent_again_once() -> None:
    def broken() -> UpstreamUnavailableError:
        error = UpstreamUnavailableError("a broke the connection")
        error.accepted = True
        return error

    async with assembled(broken(), broken(), OK, config=config("a,m", Failover=PATIENT)) as bench:
        answer, _ = await bench.ask()

        assert (answer.status, len(bench.upstream.requests)) == (503, 2)
        assert dict(answer.headers)["x-ccr-attempts"].count(";maybe-billed") == 2


async def test_a_reply_that_failed_before_its_content_may_have_been_billed() -> None:
    role = b'data: {"choices":[{"index":0,"delta":{"role":"assistant"}}]}\n\n'
    cut = Reply(headers=OK.headers, chunks=[role])
    async with assembled(cut, OK, config=config(["a,m", "b,m"])) as bench:
        answer, _ = await bench.ask()

        assert answer.status == 200
        assert [one.doubtful for one in bench.record.attempts] == [True, False]


async def test_a_client_that_leaves_ends_the_wait() -> None:
    waits = {"retries": 2, "maxWaitMs": 60_000}
    soon = Reply(**{**BUSY_FOR_A_MINUTE, "headers": {**BUSY_FOR_A_MINUTE["headers"], "retry-after": "50"}})
    async with assembled(soon, config=config("a,m", Failover=waits)) as bench:
        asked = asyncio.ensure_future(bench.ask(stream=False))
        while not bench.upstream.requests:
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        bench.disconnect.set()

        with pytest.raises(GatewayError):
            await asked
        assert (bench.record.outcome.value, len(bench.upstream.requests)) == ("client_closed", 1)


# ------------------------------------------------------------------------------------------------- circuits


async def test_failures_of_several_sessions_open_the_circuit_and_cost_nothing_from_then_on() -> None:
    served = await many(["a,m", "b,m"], always(a=DOWN), 20)

    assert (served.count("a"), served.count("b")) == (5, 20)


async def test_failures_of_one_session_do_not() -> None:
    more = {"fallback": {"default": ["b,m"]}}
    async with assembled(*[always(a=DOWN)] * 40, config=config("a,m", **more)) as bench:
        for _ in range(10):
            assert await ask(bench, "one") == 200

        assert hosts(bench).count("a") == 10


async def test_a_request_that_is_sent_again_counts_once() -> None:
    async with assembled(*[DOWN] * 40, config=config("a,m", Failover=PATIENT)) as bench:
        for number in range(4):
            await ask(bench, f"s{number}")

        assert len(bench.upstream.requests) == 12
        assert reported(bench)["circuit"] == "closed"


async def test_an_open_circuit_without_another_target_is_said_at_once() -> None:
    async with assembled(*[UpstreamUnavailableError("a is on fire")] * 9, config=config("a,m")) as bench:
        for number in range(5):
            await ask(bench, f"s{number}")
        answer, body = await bench.ask(headers=headers("s9"))

        assert (answer.status, len(bench.upstream.requests)) == (503, 5)
        assert b"a is on fire" in body
        assert 1 <= int(dict(answer.headers)["retry-after"]) <= 10
        told = reported(bench)
        assert (told["target"], told["circuit"], told["why"]) == ("a,m", "open", "a is on fire")


async def test_a_probe_closes_it() -> None:
    quick = {"retries": 0, "breakerRestMs": 1}
    script = [DOWN] * 5 + [OK] * 3
    async with assembled(*script, config=config("a,m", Failover=quick)) as bench:
        for number in range(5):
            assert await ask(bench, f"s{number}") == 503
        await asyncio.sleep(0.01)
        for number in range(3):
            assert await ask(bench, f"s{number}") == 200


async def test_a_clients_own_bad_request_never_counts() -> None:
    bad = whole({"error": {"message": "messages: too few"}}, 400)
    async with assembled(*[bad] * 20, config=config("a,m")) as bench:
        for number in range(20):
            assert await ask(bench, f"s{number}") == 400


async def test_a_reply_that_breaks_off_counts() -> None:
    cut = cut_after(b"Hi")
    async with assembled(*[cut] * 5, OK, config=config("a,m")) as bench:
        for number in range(5):
            await ask(bench, f"s{number}")

        assert await ask(bench, "s9") == 503


async def test_with_the_breaker_off_everybody_is_asked() -> None:
    off = {"retries": 0, "breakerFailures": 0}
    served = await many("a,m", UpstreamTimeoutError("slow"), 20, Failover=off)

    assert len(served) == 20


# --------------------------------------------------------------------------------------------------- places


async def test_a_provider_without_room_is_passed_over_and_the_session_is_not_moved() -> None:
    named = (provider("a", maxInFlight=1), provider("b"))
    gate = asyncio.Event()
    slow = Reply(headers=OK.headers, chunks=[*OK.chunks], before=[gate])
    async with assembled(OK, slow, OK, OK, config=config(["a,m", "b,m"], *named)) as bench:
        await ask(bench, "one")
        busy = asyncio.ensure_future(ask(bench, "two"))
        while len(bench.upstream.requests) < 2:
            await asyncio.sleep(0)
        await ask(bench, "one")
        gate.set()
        await busy
        await ask(bench, "one")

        assert hosts(bench) == ["a", "a", "b", "a"]


async def test_without_another_target_it_is_waited_for() -> None:
    gate = asyncio.Event()
    slow = Reply(headers=OK.headers, chunks=OK.chunks, before=[gate])
    async with assembled(slow, OK, config=config("a,m", provider("a", maxInFlight=1))) as bench:
        first, second = (asyncio.ensure_future(ask(bench, name)) for name in ("one", "two"))
        while not bench.upstream.requests:
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        assert len(bench.upstream.requests) == 1
        gate.set()

        assert [await first, await second] == [200, 200]


async def test_but_not_for_ever() -> None:
    short = {"providerQueueMs": 1}
    gate = asyncio.Event()
    slow = Reply(headers=OK.headers, chunks=OK.chunks, before=[gate])
    async with assembled(slow, config=config("a,m", provider("a", maxInFlight=1), Limits=short)) as bench:
        first = asyncio.ensure_future(ask(bench, "one"))
        while not bench.upstream.requests:
            await asyncio.sleep(0)
        answer, body = await bench.ask(headers=headers("two"))
        gate.set()
        await first

        assert (answer.status, dict(answer.headers)["retry-after"]) == (529, "2")
        assert b"overloaded_error" in body
        assert bench.made.container.health().slots("a").used == 0  # type: ignore[union-attr]


async def test_a_client_that_leaves_the_queue_leaves_it() -> None:
    gate = asyncio.Event()
    slow = Reply(headers=OK.headers, chunks=OK.chunks, before=[gate])
    async with assembled(slow, config=config("a,m", provider("a", maxInFlight=1))) as bench:
        first = asyncio.ensure_future(ask(bench, "one"))
        while not bench.upstream.requests:
            await asyncio.sleep(0)
        second = asyncio.ensure_future(bench.ask(headers=headers("two")))
        await asyncio.sleep(0.01)
        slots = bench.made.container.health().slots("a")
        assert slots is not None
        assert slots.queued == 1
        bench.disconnect.set()
        with pytest.raises(GatewayError):
            await second

        assert slots.queued == 0
        gate.set()
        await first


async def test_a_limit_that_comes_later_counts_what_is_under_way() -> None:
    gate = asyncio.Event()
    slow = Reply(headers=OK.headers, chunks=OK.chunks, before=[gate])
    limited = config("a,m", provider("a", maxInFlight=1), Limits={"providerQueueMs": 0})
    async with assembled(slow, OK, config=config("a,m", provider("a"))) as bench:
        first = asyncio.ensure_future(ask(bench, "one"))
        while not bench.upstream.requests:
            await asyncio.sleep(0)
        container = bench.made.container
        container.health().configure(loaded_from(limited, {}).settings)

        slots = container.health().slots("a")
        assert slots is not None
        assert (slots.used, slots.limit, slots.has_room) == (1, 1, False)
        gate.set()
        await first
        assert slots.used == 0


async def test_the_gateway_itself_takes_so_many_and_no_more() -> None:
    gate = asyncio.Event()
    slow = Reply(headers=OK.headers, chunks=OK.chunks, before=[gate])
    full = {"maxInFlight": 1, "queueMs": 0}
    async with assembled(slow, OK, config=config("a,m", Limits=full)) as bench:
        first = asyncio.ensure_future(ask(bench))
        while not bench.upstream.requests:
            await asyncio.sleep(0)
        answer, body = await bench.ask()
        gate.set()
        await first

        assert (answer.status, b"overloaded_error" in body) == (529, True)
        assert (dict(answer.headers)["retry-after"], bench.records.kept[0].outcome.value) == ("2", "overload")
        assert await ask(bench) == 200


async def test_a_whole_reply_that_came_as_a_stream_gives_its_connection_back() -> None:
    never = Reply(headers=OK.headers, chunks=[*OK.chunks, asyncio.Event()])
    async with assembled(never, config=config("a,m")) as bench:
        assert await ask(bench, stream=False) == 200

        assert [response.closed for response in bench.upstream.responses] == [True]
