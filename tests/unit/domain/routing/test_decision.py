from __future__ import annotations

from ccr.domain.routing.decision import RouteDecision, Verdict
from tests.support.routing import BIG, MAIN


def test_the_reason_is_the_sentence_of_the_rule_that_decided_last() -> None:
    verdicts = (
        Verdict("a", True, "first", MAIN),
        Verdict("b", False, "no"),
        Verdict("c", True, "moved", BIG),
    )
    assert RouteDecision(BIG, "longContext", verdicts).reason == "moved"
    assert RouteDecision(BIG, "default", ()).reason == ""
