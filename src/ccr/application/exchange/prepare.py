"""Makes the provider's request of a job, for one target; each target is prepared anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, cast

from attrs import define

from ccr.application.call import Operation
from ccr.application.exchange.stamp import Stamp
from ccr.application.ports.upstream import UpstreamRequest
from ccr.domain.conversation.homeward import homeward, unsealed
from ccr.domain.conversation.rewrite import with_prompt
from ccr.domain.routing.tag import strip_tag
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from ccr.application.call import Headers
    from ccr.application.catalog.targets import Target
    from ccr.application.exchange.job import Job
    from ccr.application.ports.payload import Encoded
    from ccr.application.ports.transformer import EventStage
    from ccr.domain.conversation import Conversation
    from ccr.domain.fidelity import Loss
    from ccr.domain.models import ModelProfile

__all__ = ["Prepared", "ReplyStaging", "meaning", "prepare_relay", "prepare_translation", "relays", "written"]

_PASSED_PREFIXES = ("anthropic-", "x-claude-code-", "x-stainless-")
_PASSED = frozenset({"user-agent", "x-app"})


class ReplyStaging(Protocol):
    """Optional ability of a ProviderDialect: to undo in the reply what it had to rename in the request."""

    def reply_stage(self, conversation: Conversation, profile: ModelProfile) -> EventStage | None:
        """Return the stage, or None if nothing was renamed."""
        ...


@define(eq=False)
class Prepared:
    """A request ready to go. ``stages`` are for its reply, in the order in which they see it."""

    request: UpstreamRequest
    relay: bool
    stages: tuple[EventStage, ...] = ()
    losses: tuple[Loss, ...] = ()


def relays(job: Job, target: Target) -> bool:
    """Say whether bytes go through as they came: same dialect, nothing to change, and nobody has been sent an opening.

    Bytes that were not understood could not be continued, either (``job.armed``). A provider that merely speaks like
    Anthropic gets bytes only if it knows every word of them (P45).
    """
    return (
        job.client is not None
        and not job.armed
        and job.encoder is None
        and job.client.name == target.dialect.name
        and target.hosting.verbatim
        and target.pipeline.is_identity
        and not job.decision.strip_tag
        and not job.request.foreign
        and not job.catalog.system_prompt
        and not (job.amending is not None and job.amending.amends(target))
        and (target.endpoint.is_anthropic or _is_plain(job, target))
    )


def _is_plain(job: Job, target: Target) -> bool:
    limit, wanted = target.destination.profile.max_output, job.facts.max_tokens
    return (limit is None or wanted is None or wanted <= limit) and job.request.plain


def meaning(job: Job, target: Target) -> Conversation:
    """Return what ``job`` means for ``target``: its model, what our configuration changes, no seals but its own."""
    conversation = job.request.conversation()
    if job.decision.strip_tag:
        conversation = strip_tag(conversation)
    if job.catalog.system_prompt:
        conversation = with_prompt(conversation, job.catalog.system_prompt)
    conversation = evolve(conversation, model=target.ref.model)
    if job.amending is not None and job.amending.unseals(target):
        return unsealed(conversation)
    return homeward(conversation, target.dialect.name, _home(target))


def _home(target: Target) -> str:
    return "" if target.destination.is_anthropic else target.ref.provider


async def prepare_relay(job: Job, target: Target) -> Prepared:
    """Sign the bytes of ``job`` for ``target``."""
    body = job.request.retarget(target.ref.model)
    if job.amending is not None:
        job.amending.relayed(target, body)
    return Prepared(await _signed(job, target, body, _headers(job, target, ())), relay=True)


async def prepare_translation(
    job: Job, target: Target, conversation: Conversation, losses: tuple[Loss, ...] = ()
) -> Prepared:
    """Write ``conversation`` for ``target`` and sign it; ``losses`` are those that there were before."""
    for hook in target.pipeline.requests:
        conversation = hook(conversation, target.destination)
    profile = target.destination.profile if job.amending is None else job.amending.profile(target)
    encoded = written(conversation, target, _betas(job.call.headers), profile)
    encoded = evolve(encoded, headers=_headers(job, target, encoded.headers))
    if job.amending is not None:
        encoded = job.amending.apply(target, encoded)
    request = await _signed(job, target, encoded.payload.encode(), encoded.headers)
    lost = tuple(dict.fromkeys((*losses, *encoded.losses)))
    return Prepared(request, relay=False, stages=_stages(conversation, target), losses=lost)


async def _signed(
    job: Job, target: Target, body: bytes, headers: tuple[tuple[str, str], ...]
) -> UpstreamRequest:
    model = target.ref.model
    request = UpstreamRequest(
        method="POST",
        url=target.hosting.url(target.endpoint, model, Operation.GENERATE, stream=job.facts.stream),
        headers=headers,
        body=body,
        timeouts=target.timeouts,
    )
    return await target.credential.authorize(request)


def written(
    conversation: Conversation,
    target: Target,
    betas: Sequence[str] = (),
    profile: ModelProfile | None = None,
) -> Encoded:
    """Return the request of a conversation in the provider's dialect, as its door wants it.

    ``profile`` in place of the target's own.
    """
    destination = target.destination
    encoded = target.dialect.write_request(
        conversation, profile or destination.profile, is_anthropic=destination.is_anthropic
    )
    payload = encoded.payload
    for hook in target.pipeline.payloads:
        payload = hook(payload, destination)
    if payload is not encoded.payload:
        encoded = evolve(encoded, payload=payload)
    return target.hosting.amend(encoded, target.endpoint, betas, stream=conversation.stream)


def _betas(headers: Headers) -> tuple[str, ...]:
    found = headers.get("anthropic-beta")
    if not found:
        return ()
    return tuple(beta for part in found.split(",") if (beta := part.strip()))


def _stages(conversation: Conversation, target: Target) -> tuple[EventStage, ...]:
    made: list[EventStage | None] = [Stamp.of(target)]
    if hasattr(target.dialect, "reply_stage"):
        staging = cast("ReplyStaging", target.dialect)
        made.append(staging.reply_stage(conversation, target.destination.profile))
    made.extend(hook(conversation, target.destination) for hook in target.pipeline.stages)
    return tuple(stage for stage in made if stage is not None)


def _headers(job: Job, target: Target, extra: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Build from scratch; only Anthropic itself gets the client's own headers, by an open list (decision 7)."""
    merged = dict(target.headers)
    merged["accept"] = "text/event-stream" if job.facts.stream else "application/json"
    merged.update(extra)
    if target.endpoint.is_anthropic and target.hosting.verbatim:
        merged.update(_passed(job.call.headers))
    if job.trail.span is not None:
        merged.update(job.trail.span.headers())
    return tuple(merged.items())


def _passed(headers: Headers) -> dict[str, str]:
    return {
        name: value for name, value in headers.items() if name in _PASSED or name.startswith(_PASSED_PREFIXES)
    }
