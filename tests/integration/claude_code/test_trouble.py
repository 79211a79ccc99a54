"""The real client when the upstream is in trouble: limits, cuts, errors, overflow."""

from __future__ import annotations

import pytest
from attrs import evolve

from tests.integration.claude_code.conftest import NewClient
from tests.integration.claude_code.test_work import check
from tests.support.scripts import (
    Answer,
    Failure,
    Seen,
    Text,
    ToolCall,
    by_turn,
    call,
    calls,
    failing_first,
    in_order,
    text,
)
from tests.support.stage import Stage, overflow

pytestmark = pytest.mark.client


def test_a_rate_limit_is_waited_out(rough_ccr: Stage, new_client: NewClient) -> None:
    limit = Failure(429, "slow down, please", headers={"retry-after": "1"})
    rough_ccr.play(failing_first(1, limit, by_turn(text("Here I am."))))

    run = new_client(rough_ccr).run("hello")

    check(run, rough_ccr)
    assert run.answer == "Here I am."
    assert run.seconds >= 1.0, "the client must have been told to wait"
    assert len(rough_ccr.upstream.model_requests) == 2


def test_an_overload_before_the_answer_is_tried_again(rough_ccr: Stage, new_client: NewClient) -> None:
    rough_ccr.play(failing_first(2, Failure(503, "overloaded"), by_turn(text("Here I am."))))

    run = new_client(rough_ccr).run("hello")

    check(run, rough_ccr)
    assert run.answer == "Here I am."


def test_a_stream_cut_in_the_text_ends_in_the_whole_answer(rough_ccr: Stage, new_client: NewClient) -> None:
    """An error event after content makes the client ask again without streaming, at once."""
    rough_ccr.play(in_order(text("half an answer that never ends").cut(4), text("The whole answer.")))

    run = new_client(rough_ccr).run("hello")

    check(run, rough_ccr)
    assert run.answer == "The whole answer."
    assert [seen.streaming for seen in rough_ccr.seen] == [True, False]
    assert run.seconds < 10


def test_a_stream_cut_before_any_content_is_tried_again(rough_ccr: Stage, new_client: NewClient) -> None:
    rough_ccr.play(in_order(text("half").cut(1), text("The whole answer.")))

    run = new_client(rough_ccr).run("hello")

    check(run, rough_ccr)
    assert run.answer == "The whole answer."
    assert run.seconds < 15


def test_a_tool_call_cut_in_its_arguments_is_never_run(rough_ccr: Stage, new_client: NewClient) -> None:
    half = calls(
        Text("I run it.", pieces=1),
        ToolCall("Bash", {"command": "touch trace", "description": "leaves a trace when run by mistake"}),
    )

    def script(seen: Seen, n: int) -> Answer:
        after = 5 if seen.dialect == "openai" else 8
        return half.cut(after) if n == 0 else text("Nothing was run.")

    rough_ccr.play(script)
    client = new_client(rough_ccr)

    run = client.run("hello")

    check(run, rough_ccr)
    assert run.answer == "Nothing was run."
    assert not (client.cwd / "trace").exists()


def test_an_error_in_the_stream_is_survived(rough_ccr: Stage, new_client: NewClient) -> None:
    broken = text("half an answer that never ends").failing(4, Failure(529, "overloaded right now"))
    rough_ccr.play(in_order(broken, text("The whole answer.")))

    run = new_client(rough_ccr).run("hello")

    check(run, rough_ccr)
    assert run.answer == "The whole answer."


def test_the_fallback_without_streaming_runs_tools_too(rough_ccr: Stage, new_client: NewClient) -> None:
    def script(seen: Seen, n: int) -> Answer:
        if n == 0:
            return text("half an answer that never ends").cut(4)
        if seen.assistant_turns == 0:
            return calls(Text("Now."), ToolCall("Bash", {"command": "echo ran", "description": "b"}))
        return text("It ran.")

    rough_ccr.play(script)

    run = new_client(rough_ccr).run("hello")

    check(run, rough_ccr)
    assert run.answer == "It ran."
    assert "ran" in rough_ccr.seen[-1].tool_results.popitem()[1]


def test_an_overflow_makes_the_client_compact_and_go_on(
    rough_ccr: Stage, new_client: NewClient, upstream_kind: str
) -> None:
    def script(seen: Seen, _n: int) -> Answer:
        if "TEXT ONLY" in seen.user_text:
            return text("<analysis>short</analysis><summary>Steps one to three were run.</summary>")
        if "Steps one to three" in seen.user_text:
            return text("Went on after compaction.")
        if seen.assistant_turns < 4:
            return call("Bash", command="seq 1 3000", description="s")
        return overflow(upstream_kind)

    rough_ccr.play(script)

    run = new_client(rough_ccr).run("run the steps")

    check(run, rough_ccr)
    assert run.answer == "Went on after compaction."


def test_a_single_prompt_too_long_is_said_in_the_clients_words(
    rough_ccr: Stage, new_client: NewClient, upstream_kind: str
) -> None:
    rough_ccr.play(in_order(overflow(upstream_kind)))

    run = new_client(rough_ccr).run("hello")

    assert run.result["is_error"] is True
    assert "Prompt is too long" in run.answer, run.describe() + rough_ccr.evidence()


def test_a_rejected_provider_key_is_shown_and_not_retried(rough_ccr: Stage, new_client: NewClient) -> None:
    rough_ccr.play(in_order(Failure(401, "the key of the provider has expired")))

    run = new_client(rough_ccr).run("hello", timeout=30)

    assert run.result["is_error"] is True
    assert "the key of the provider has expired" in run.answer, run.describe() + rough_ccr.evidence()
    assert "/login" not in run.answer
    assert len(rough_ccr.upstream.model_requests) <= 2


@pytest.mark.slow
def test_a_slow_answer_is_not_given_up(rough_ccr: Stage, new_client: NewClient) -> None:
    """Twenty seconds before the first byte, then a slow drip."""
    slow = text("slow but sure", pieces=10).dripping(0.5)
    rough_ccr.play(in_order(evolve(slow, delay=20.0)))

    run = new_client(rough_ccr).run("hello", timeout=90)

    check(run, rough_ccr)
    assert run.answer == "slow but sure"
    assert len(rough_ccr.seen) == 1


@pytest.mark.slow
def test_repeated_cuts_end_in_an_answer(rough_ccr: Stage, new_client: NewClient) -> None:
    cut = text("half an answer that never ends").cut(4)
    rough_ccr.play(in_order(cut, Failure(500, "broken"), Failure(503, "still broken"), text("At last.")))

    run = new_client(rough_ccr).run("hello", timeout=120)

    check(run, rough_ccr)
    assert run.answer == "At last."
