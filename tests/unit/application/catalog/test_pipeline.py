from __future__ import annotations

from attrs import frozen

from ccr.application.catalog.pipeline import IDENTITY, Pipeline
from ccr.application.ports.payload import Payload
from ccr.application.ports.transformer import EventStage, Transformer
from ccr.domain.conversation import Conversation
from ccr.domain.models import Destination
from tests.support.destinations import destination


@frozen
class Names(Transformer):
    label: str

    def request(self, conversation: Conversation, to: Destination) -> Conversation:
        return conversation


@frozen
class Body(Transformer):
    def payload(self, payload: Payload, to: Destination) -> Payload:
        return payload


@frozen
class Stages(Transformer):
    label: str

    def stage(self, to: Destination) -> EventStage | None:
        return None


@frozen
class Nothing(Transformer):
    pass


def test_hooks_that_nobody_overrides_are_not_called() -> None:
    assert Pipeline.of([Nothing()]) == IDENTITY
    assert Pipeline.of([]).is_identity


def test_requests_run_in_order_and_stages_in_reverse() -> None:
    first, second = Names("a"), Names("b")
    inner, outer = Stages("a"), Stages("b")
    pipeline = Pipeline.of([first, inner, Body(), second, outer])

    assert (first.request, second.request) == pipeline.requests
    assert len(pipeline.payloads) == 1
    assert (outer.stage_for, inner.stage_for) == pipeline.stages
    assert not pipeline.is_identity


def test_a_hook_that_is_inherited_from_a_transformer_counts() -> None:
    @frozen
    class Heir(Names):
        pass

    assert not Pipeline.of([Heir("x")]).is_identity


def test_a_stage_that_knows_the_request_counts_and_one_without_is_asked_the_old_way() -> None:
    seen: list[str] = []

    @frozen
    class Knowing(Transformer):
        def stage_for(self, conversation: Conversation, to: Destination) -> EventStage | None:
            seen.append(conversation.model)
            return None

    @frozen
    class Plain(Transformer):
        def stage(self, to: Destination) -> EventStage | None:
            seen.append(to.dialect)
            return None

    pipeline = Pipeline.of([Knowing(), Plain()])
    for hook in pipeline.stages:
        hook(Conversation("asked", ()), destination())

    assert seen == ["openai_chat", "asked"]


def test_what_is_idle_there_is_left_out() -> None:
    @frozen
    class Idle(Body):
        def idle(self, to: Destination) -> bool:
            return to.dialect == "openai_chat"

    assert Pipeline.of([Idle()], destination()) == IDENTITY
    assert not Pipeline.of([Idle()]).is_identity
