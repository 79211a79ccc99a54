from __future__ import annotations

import sys

import attrs
import pytest

from ccr.domain._value import value
from ccr.domain.conversation import Effort, Text
from ccr.domain.fidelity import Loss
from ccr.domain.models import ModelRef
from ccr.domain.record import Outcome
from ccr.domain.routing.decision import RouteDecision, Verdict


@value
class _Point:
    x: int


def test_values_are_equal_by_content_and_hashable() -> None:
    assert _Point(1) == _Point(1)
    assert len({_Point(1), _Point(1)}) == 1


@pytest.mark.skipif(
    not sys.flags.dev_mode, reason="values are frozen in development mode only (make test sets it)"
)
def test_values_are_frozen_where_tests_run() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Text("a").text = "b"  # type: ignore[misc]


def test_efforts_rise() -> None:
    assert Effort.LOW.rank < Effort.HIGH.rank < Effort.MAX.rank


def test_values_read_as_people_write_them() -> None:
    assert str(ModelRef("deepseek", "deepseek-chat")) == "deepseek,deepseek-chat"
    assert str(Loss("document", "as text")) == "document=as text"
    assert Outcome.OK.value == "ok"


def test_the_reason_of_a_decision_is_that_of_the_rule_that_decided() -> None:
    verdicts = (
        Verdict("explicit", False, "no provider named"),
        Verdict("default", True, "nothing else matched"),
    )

    assert RouteDecision(ModelRef("a", "b"), "default", verdicts).reason == "nothing else matched"
    assert RouteDecision(ModelRef("a", "b"), "default", ()).reason == ""
