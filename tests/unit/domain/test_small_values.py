from __future__ import annotations

import sys

import attrs
import pytest
from attrs import field

from ccr.domain.conversation import Effort, Text
from ccr.domain.fidelity import Loss
from ccr.domain.models import KIMI_SEARCH, Destination, ModelProfile, ModelRef
from ccr.domain.record import Outcome
from ccr.domain.routing.decision import RouteDecision, Verdict
from ccr.domain.value import evolve, value


@value
class _Point:
    x: int


@value
class _Line:
    x: int
    _y: int = 0
    name: str = field(default="", kw_only=True)


def test_evolve_makes_another_value_and_knows_only_its_fields() -> None:
    loss = Loss("document")

    assert evolve(loss, what="as text") == Loss("document", "as text")
    assert loss == Loss("document")
    with pytest.raises(TypeError, match="no field 'why'"):
        evolve(loss, why="too large")  # type: ignore[call-arg]


def test_evolve_does_what_attrs_does_where_arguments_have_names_or_there_is_one_only() -> None:
    assert evolve(_Point(1), x=2) == _Point(2)
    assert evolve(_Line(1, 2, name="a"), y=3) == _Line(1, 3, name="a")


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


@pytest.mark.parametrize(
    "web_search, dialect, is_anthropic, searches, call",
    [
        ("kimi", "openai_chat", False, True, KIMI_SEARCH),
        ("kimi", "anthropic", False, False, ""),
        ("zhipu", "openai_chat", False, True, ""),
        ("", "anthropic", True, True, ""),
        ("", "openai_chat", False, False, ""),
    ],
)
def test_who_searches_and_who_asks_before(
    web_search: str, dialect: str, is_anthropic: bool, searches: bool, call: str
) -> None:
    profile = ModelProfile(web_search=web_search)
    there = Destination(ModelRef("p", "m"), profile, dialect, is_anthropic=is_anthropic)

    assert (there.searches, there.search_call) == (searches, call)


def test_who_may_be_told_a_temperature() -> None:
    assert ModelProfile().samples(thinking=True)
    assert not ModelProfile(sampling=False).samples(thinking=False)
    quiet = ModelProfile(sampling_with_reasoning=False)
    assert quiet.samples(thinking=False)
    assert not quiet.samples(thinking=True)
