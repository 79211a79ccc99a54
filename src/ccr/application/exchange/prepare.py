"""Makes the provider's request of a job, for one target; each target is prepared anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, cast

from attrs import evolve, frozen

from ccr.application.call import Operation
from ccr.application.ports.upstream import UpstreamRequest
from ccr.domain.conversation.rewrite import with_prompt
from ccr.domain.routing.tag import strip_tag

if TYPE_CHECKING:
    from ccr.application.call import Headers
    from ccr.application.catalog.targets import Target
    from ccr.application.exchange.job import Job
    from ccr.application.ports.payload import Encoded
    from ccr.application.ports.transformer import EventStage
    from ccr.domain.conversation import Conversation
    from ccr.domain.fidelity import Loss
    from ccr.domain.models import ModelProfile

__all__ = ["Prepared", "ReplyStaging", "prepare", "relays"]

_PASSED_PREFIXES = ("anthropic-", "x-claude-code-", "x-stainless-")
_PASSED = frozenset({"user-agent", "x-app"})


class ReplyStaging(Protocol):
    """Optional ability of a ProviderDialect: to undo in the reply what it had to rename in the request."""

    def reply_stage(self, conversation: Conversation, profile: ModelProfile) -> EventStage | None:
        """Return the stage, or None if nothing was renamed."""
        ...


@frozen(eq=False)
class Prepared:
    """A request ready to go. ``stages`` are for its reply, in the order in which they see it."""

    request: UpstreamRequest
    relay: bool
    stages: tuple[EventStage, ...] = ()
    losses: tuple[Loss, ...] = ()


def relays(job: Job, target: Target) -> bool:
    """Say whether bytes go through as they came: same dialect, nothing to change, and nobody has been sent an opening."""
    return (
        job.client is not None
        and job.encoder is None
        and job.client.name == target.dialect.name
        and target.pipeline.is_identity
        and not job.decision.strip_tag
        and not job.request.foreign
        and not job.catalog.system_prompt
    )


async def prepare(job: Job, target: Target) -> Prepared:
    """Write the request of ``job`` for ``target`` and sign it."""
    facts, model = job.facts, target.ref.model
    url = target.hosting.url(target.endpoint, model, Operation.GENERATE, stream=facts.stream)
    relay = relays(job, target)
    stages: tuple[EventStage, ...] = ()
    losses: tuple[Loss, ...] = ()
    extra: tuple[tuple[str, str], ...] = ()
    if relay:
        body = job.request.retarget(model)
    else:
        conversation = _meaning(job, target)
        encoded = _written(conversation, target)
        body, losses, extra = encoded.payload.encode(), encoded.losses, encoded.headers
        stages = _stages(conversation, target)
    request = UpstreamRequest(
        method="POST",
        url=url,
        headers=_headers(job, target, extra),
        body=body,
        timeouts=target.timeouts,
    )
    return Prepared(await target.credential.authorize(request), relay, stages, losses)


def _meaning(job: Job, target: Target) -> Conversation:
    conversation = job.request.conversation()
    if job.decision.strip_tag:
        conversation = strip_tag(conversation)
    if job.catalog.system_prompt:
        conversation = with_prompt(conversation, job.catalog.system_prompt)
    conversation = evolve(conversation, model=target.ref.model)
    for hook in target.pipeline.requests:
        conversation = hook(conversation, target.destination)
    return conversation


def _written(conversation: Conversation, target: Target) -> Encoded:
    destination = target.destination
    encoded = target.dialect.write_request(
        conversation, destination.profile, is_anthropic=destination.is_anthropic
    )
    payload = encoded.payload
    for hook in target.pipeline.payloads:
        payload = hook(payload, destination)
    return evolve(encoded, payload=target.hosting.amend(payload))


def _stages(conversation: Conversation, target: Target) -> tuple[EventStage, ...]:
    made: list[EventStage | None] = []
    if hasattr(target.dialect, "reply_stage"):
        staging = cast("ReplyStaging", target.dialect)
        made.append(staging.reply_stage(conversation, target.destination.profile))
    made.extend(hook(target.destination) for hook in target.pipeline.stages)
    return tuple(stage for stage in made if stage is not None)


def _headers(job: Job, target: Target, extra: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Build from scratch; only Anthropic itself gets the client's own headers, by an open list (decision 7)."""
    merged = dict(target.headers)
    merged["accept"] = "text/event-stream" if job.facts.stream else "application/json"
    merged.update(extra)
    if target.endpoint.is_anthropic:
        merged.update(_passed(job.call.headers))
    if job.trail.span is not None:
        merged.update(job.trail.span.headers())
    return tuple(merged.items())


def _passed(headers: Headers) -> dict[str, str]:
    return {
        name: value for name, value in headers.items() if name in _PASSED or name.startswith(_PASSED_PREFIXES)
    }
