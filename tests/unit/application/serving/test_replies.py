from __future__ import annotations

from typing import Any

from ccr.application.exchange.trail import Trail
from ccr.application.serving.replies import decision_headers, provider_headers
from ccr.domain.fidelity import Loss
from tests.support.records import AT, decision


def trail(**changes: Any) -> Trail:
    return Trail(**{"id": "req_1", "at": AT, "began": 0.0, "principal": "local", **changes})


def test_before_a_decision_there_is_the_id_alone() -> None:
    assert decision_headers(trail()) == (("request-id", "req_1"),)


def test_decision_and_losses_are_told() -> None:
    given = trail(
        decision=decision(), losses=(Loss("thinking"), Loss("document", "as text"), Loss("thinking"))
    )

    assert dict(decision_headers(given)) == {
        "request-id": "req_1",
        "x-ccr-decision": 'scenario=default; target="deepseek,deepseek-chat"; reason="it is the default"',
        "x-ccr-degraded": "document=as text, thinking=dropped",
    }


def test_a_callers_text_cannot_break_a_header() -> None:
    given = trail(decision=decision(model='é"\r\nx-evil: 1' + "m" * 5000, because='say "é"\n' * 1000))

    value = dict(decision_headers(given))["x-ccr-decision"]
    assert value.isascii()
    assert value.isprintable()
    assert value.count(chr(34)) == 4
    assert len(value) < 500


def test_a_provider_may_speak_of_rate_limits_and_nothing_else() -> None:
    given = {
        "anthropic-ratelimit-requests-remaining": "9",
        "x-ratelimit-limit-tokens": "100",
        "x-ratelimit-evil": "a\tb",
        "x-ratelimit-long": "x" * 300,
        "anthropic-ratelimit-odd": "é",
        "set-cookie": "a=b",
        "server": "theirs",
        "x-request-id": "up_1",
    }

    assert provider_headers(given) == (
        ("anthropic-ratelimit-requests-remaining", "9"),
        ("x-ratelimit-limit-tokens", "100"),
        ("x-ccr-upstream-request-id", "up_1"),
    )


def test_an_id_that_is_no_plain_text_is_dropped() -> None:
    assert provider_headers({"request-id": "a\nb"}) == ()
