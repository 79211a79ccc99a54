from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from ccr.adapters.logs.request_log import RequestLog, line_of
from ccr.adapters.logs.setup import Logs
from ccr.domain.facts import RequestClass
from ccr.domain.record import AttemptRecord, Outcome
from ccr.domain.usage import NO_USAGE
from tests.support.records import facts, record


def test_a_line_has_what_people_ask_for_and_nothing_empty() -> None:
    assert line_of(record()) == {
        "id": "req_1",
        "outcome": "ok",
        "status": 200,
        "seconds": 1.2346,
        "ttft": 0.5,
        "path": "translate",
        "revision": "abc",
        "principal": "local",
        "bytes_in": 100,
        "bytes_out": 200,
        "usage": {"input_uncached": 10, "cache_read": 5, "output": 3, "basis": "reported"},
        "attempts": [{"target": "deepseek,deepseek-chat", "status": 200, "seconds": 1.2, "error": ""}],
        "losses": ["thinking=dropped"],
        "dialect": "anthropic",
        "asked": "claude-sonnet-5-5",
        "stream": True,
        "session": "session-1",
        "agent": "agent-1",
        "agent_type": "Explore",
        "client": "claude-cli/2.1.330",
        "target": "deepseek,deepseek-chat",
        "scenario": "default",
        "reason": "it is the default",
    }


def test_a_request_that_came_nowhere_has_a_short_line() -> None:
    short = record(
        facts=None,
        decision=None,
        attempts=(),
        usage=NO_USAGE,
        first_byte=None,
        losses=(),
        path="",
        revision="",
    )

    assert {"id", "outcome", "status", "seconds", "principal", "bytes_in", "bytes_out"} == set(line_of(short))


def test_texts_that_callers_choose_are_bounded() -> None:
    line = line_of(record(facts=facts(model="m" * 10_000, agent_type="a" * 10_000), message="x" * 10_000))

    assert all(len(value) <= 500 for value in line.values() if isinstance(value, str))


def test_the_hint_of_the_client_is_its_word() -> None:
    assert line_of(record(facts=facts(request_class=RequestClass.COMPACTION)))["class"] == "compaction"


@pytest.mark.parametrize(
    "outcome, level",
    [
        (Outcome.OK, "info"),
        (Outcome.CLIENT_CLOSED, "info"),
        (Outcome.UPSTREAM_ERROR, "warning"),
        (Outcome.INTERNAL, "error"),
    ],
)
def test_the_level_says_how_it_ended(outcome: Outcome, level: str) -> None:
    stream = io.StringIO()
    log = RequestLog(Logs(lambda: datetime(2026, 11, 24, tzinfo=UTC), stream))

    log.accept(record(outcome=outcome, attempts=(AttemptRecord("p", "m", 0, 0.1, "upstream_timeout"),)))

    assert f" {level} " in stream.getvalue()
    assert stream.getvalue().count("\n") == 1


def test_a_long_text_is_redacted_before_it_is_cut() -> None:
    line = line_of(record(message="x" * 495 + "a-secret"), lambda text: text.replace("a-secret", "***"))

    assert line["message"] == "x" * 495 + "***"


@pytest.mark.parametrize(
    "said, written",
    [
        ("The model `gpt-9` does not exist", "The model `gpt-9` does not exist"),
        ("Unsupported parameter: 'max_tokens'", "Unsupported parameter: 'max_tokens'"),
        ('Invalid request: {"messages": [{"content": "the prompt"}]}', "Invalid request:"),
        ("bad input [{'role': 'user'}]", "bad input"),
        ("no such tool [Read]", "no such tool [Read]"),
        (f"Invalid value: '{'the prompt ' * 9}'. Expected one", "Invalid value: '...'. Expected one"),
        (f'I do not like "{"the prompt " * 9}"', "I do not like '...'"),
        ("first line\nthe prompt", "first line"),
        ("a" * 900, "a" * 300),
    ],
)
def test_what_a_provider_quotes_at_length_is_not_written(said: str, written: str) -> None:
    assert line_of(record(error="upstream_rejected", message=said))["message"] == written


def test_a_sentence_of_ours_is_written_as_it_is() -> None:
    assert line_of(record(error="invalid_request", message="x {y}"))["message"] == "x {y}"
