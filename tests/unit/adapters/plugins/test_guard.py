from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, count
from typing import Any

import pytest

from ccr.adapters.plugins.guard import Health, guarded
from ccr.adapters.wire.json import CODEC
from ccr.application.catalog.pipeline import Pipeline
from ccr.application.contained import Faults
from ccr.application.ports.payload import Payload
from ccr.application.ports.transformer import EventStage, repairs_of
from ccr.domain.conversation import Conversation, Text
from ccr.domain.errors import InternalError
from ccr.domain.models import ModelProfile
from ccr.domain.repair import Fix, Repair
from ccr.domain.reply import StopReason
from ccr.domain.stream import (
    BlockStart,
    BlockStop,
    MessageStart,
    MessageStop,
    StreamEvent,
    StreamFailed,
    StreamGrammar,
    TextDelta,
)
from tests.support.destinations import destination

ASKED = Conversation("m", ())
PAYLOAD = Payload({"a": 1}, CODEC)
REPLY: list[StreamEvent] = [
    MessageStart("i", "m"),
    BlockStart(0, Text("")),
    TextDelta("one"),
    TextDelta("two"),
    BlockStop(0),
    MessageStop(StopReason.END_TURN),
]


class Told:
    def __init__(self) -> None:
        self.said: list[str] = []

    def __call__(self, place: str, error: Exception) -> None:
        self.said.append(f"{place}: {type(error).__name__}: {error}")


def health(*ticks: float, told: Told | None = None) -> Health:
    clock: Iterator[float] = chain(ticks, count(100.0, 0.0))
    return Health("p", Faults(told), 0.05, clock=lambda: next(clock))


class Whole:
    """Every hook, each by a function."""

    def __init__(self, act: Callable[..., Any]) -> None:
        self.act = act

    def request(self, conversation: Any, to: Any) -> Any:
        return self.act(conversation)

    def payload(self, payload: Any, to: Any) -> Any:
        return self.act(payload)

    def stage_for(self, conversation: Any, to: Any) -> Any:
        return self.act(None)


def fails(_given: object) -> Any:
    raise ValueError("broken")


def ends(_given: object) -> Any:
    raise SystemExit(3)


def interrupts(_given: object) -> Any:
    raise KeyboardInterrupt


def cancels(_given: object) -> Any:
    raise asyncio.CancelledError


@pytest.mark.parametrize(
    "act,why",
    [
        (fails, "ValueError: broken"),
        (lambda _: 5, "TypeError: "),
        (ends, "it raised SystemExit"),
        (interrupts, "it raised KeyboardInterrupt"),
        (cancels, "it raised CancelledError"),
    ],
)
def test_what_a_hook_raises_or_returns_wrongly_is_contained(act: Callable[..., Any], why: str) -> None:
    told, state = Told(), health()
    state.faults = Faults(told)
    made = guarded(Whole(act), state)

    assert made.request(ASKED, destination()) is ASKED
    assert made.payload(PAYLOAD, destination()) is PAYLOAD
    assert made.stage_for(ASKED, destination()) is None
    assert state.failures == 3
    assert len(told.said) == 3
    assert why in state.last


def test_only_the_hooks_that_are_there_are_called() -> None:
    class One:
        def payload(self, payload: Payload, to: Any) -> Payload:
            return payload.with_("b", 2)

    pipeline = Pipeline.of([guarded(One(), health())])
    assert (pipeline.requests, len(pipeline.payloads), pipeline.stages) == ((), 1, ())


def test_three_overruns_switch_it_off() -> None:
    told = Told()
    state = health(0, 0.04, 1, 1.06, 2, 2.06, 3, 3.06, told=told)
    made = guarded(Whole(lambda payload: payload.with_("b", 2)), state)
    answers = [made.payload(PAYLOAD, destination()).get("b") for _ in range(5)]

    assert answers == [2, 2, 2, 2, None]
    assert state.off
    assert told.said == [
        "plugin p: SlowPluginError: payload() took 60 ms, and may take 50",
        "plugin p: SlowPluginError: payload() took 60 ms, and may take 50",
        "plugin p: SlowPluginError: payload() took 60 ms, and may take 50; switched off after 3 times",
    ]


def test_without_a_limit_nobody_looks_at_the_clock() -> None:
    state = Health("p", Faults(), None, clock=iter([0.0, 99.0]).__next__)
    assert guarded(Whole(lambda payload: payload), state).payload(PAYLOAD, destination()) is PAYLOAD
    assert state.overruns == 0


def test_a_profile_that_fails_is_the_old_one() -> None:
    from ccr.application.ports.transformer import Transformer

    class Knowing(Transformer):
        def profile(self, profile: ModelProfile) -> ModelProfile:
            raise KeyError

        def idle(self, to: Any) -> bool:
            return True

    made = guarded(Knowing(), health())
    assert made.profile(ModelProfile()) == ModelProfile()
    assert made.idle(destination())


def test_a_profile_of_its_own() -> None:
    from ccr.application.ports.transformer import Transformer

    class Knowing(Transformer):
        def profile(self, profile: ModelProfile) -> ModelProfile:
            return ModelProfile(max_output=5)

    made = guarded(Knowing(), health())
    assert made.profile(ModelProfile()).max_output == 5
    assert not made.idle(destination())


class Scripted:
    """A stage that answers by script: a list is returned, an exception raised, None = what came."""

    repairs = (Repair("t", Fix.NAME),)

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def feed(self, events: Sequence[StreamEvent]) -> Sequence[StreamEvent]:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return events if answer is None else answer


def staged(inner: Scripted, state: Health | None = None) -> list[StreamEvent]:
    """Every event as its own batch."""

    class Staging:
        def stage(self, to: Any) -> Any:
            return inner

    (hook,) = Pipeline.of([guarded(Staging(), state or health())]).stages
    stage: EventStage | None = hook(ASKED, destination())
    assert stage is not None
    assert repairs_of([stage]) == Scripted.repairs
    got = [out for event in REPLY for out in stage.feed([event])]
    StreamGrammar().check(got)
    return got


def test_a_stage_that_works_is_heard() -> None:
    assert [*REPLY[:2], TextDelta("ONE"), *REPLY[3:]] == staged(
        Scripted(None, None, [TextDelta("ONE")], None, None, None)
    )


def test_a_stage_that_fails_is_left_out_for_the_rest_of_the_reply() -> None:
    state = health()
    assert staged(Scripted(None, None, [TextDelta("ONE")], ValueError("x")), state)[2:] == [
        TextDelta("ONE"),
        *REPLY[3:],
    ]
    assert state.failures == 1


def test_an_illegal_reply_is_a_failure() -> None:
    state = health()
    assert staged(Scripted(None, [BlockStop(0)]), state) == REPLY
    assert state.last.startswith("feed: GrammarError")


def test_where_the_rest_would_make_no_sense_the_reply_fails() -> None:
    got = staged(Scripted(None, [], ValueError("x")))
    (start, failed) = got
    assert start == REPLY[0]
    assert isinstance(failed, StreamFailed)
    assert isinstance(failed.error, InternalError)
    assert "the plugin p failed in the middle of a reply" in str(failed.error)


def test_a_stage_that_fails_after_its_end_says_nothing_more() -> None:
    end = MessageStop(StopReason.END_TURN)
    assert staged(Scripted(None, [end], ValueError("x")))[1:] == [end]


def test_a_stage_that_is_switched_off_ends_what_it_has_begun() -> None:
    state = health(*chain.from_iterable((n, n + 1.0) for n in range(9)))
    got = staged(Scripted(None, None, [], [TextDelta("onetwo")], None, None), state)
    assert [*REPLY[:2], TextDelta("onetwo"), *REPLY[4:]] == got
    assert state.off
