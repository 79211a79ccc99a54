"""The commit gate: nothing is sent until there is real content, so that failures keep their status (decision 12)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from attrs import define

from ccr.application.exchange.live import DecodedSource, EventReply, ListSource, RelayedReply
from ccr.domain.errors import UpstreamProtocolError
from ccr.domain.stream import Folder, unfold

if TYPE_CHECKING:
    from ccr.application.catalog.targets import Target
    from ccr.application.exchange.job import Job
    from ccr.application.exchange.live import Progress
    from ccr.application.exchange.prepare import Prepared
    from ccr.application.exchange.watch import Watch
    from ccr.application.ports.hosting import WrappingHosting
    from ccr.application.ports.transformer import EventStage, WholeStage
    from ccr.application.ports.upstream import UpstreamResponse
    from ccr.domain.repair import Repair
    from ccr.domain.reply import Reply
    from ccr.domain.usage import Usage

__all__ = ["Opened", "Whole", "as_events", "as_whole", "commit"]


@define(eq=False)
class Whole:
    """A reply that came whole: its own bytes (relayed) or its meaning."""

    response: UpstreamResponse
    body: bytes
    reply: Reply | None
    usage: Usage
    repairs: tuple[Repair, ...] = ()


@define(eq=False)
class Opened:
    """A reply that has begun, and the target that gives it. ``headers`` are the provider's, lower-case names."""

    reply: EventReply | RelayedReply | Whole
    target: Target
    headers: dict[str, str]


async def commit(
    job: Job, target: Target, prepared: Prepared, response: UpstreamResponse, watch: Watch
) -> EventReply | RelayedReply | Whole:
    """Wait for real content. Raises whatever the reply failed with before that; the caller closes the response."""
    # text/event-stream, application/vnd.amazon.eventstream
    streamed = "event" in response.headers.get("content-type", "")
    if not job.facts.stream:
        return await _whole(target, prepared, response, watch, streamed=streamed)
    reply: EventReply | RelayedReply
    if prepared.relay and not _is_json(response):
        # Anthropic's own events of a later day are not ours to judge; of the others we know what they should be.
        strict = not target.destination.is_anthropic
        watcher = target.dialect.reply_watch(stream=True, strict=strict, limit=target.max_event)
        reply = RelayedReply(response, watcher)
    else:
        reply = await as_events(target, prepared, response)
    await reply.content(watch)
    return reply


async def as_events(target: Target, prepared: Prepared, response: UpstreamResponse) -> EventReply:
    """Return a translated reply as events, however it comes; a streamed one is not read yet."""
    if _is_json(response):
        body = await response.read(target.max_reply)
        return EventReply(response, ListSource(unfold(_read(target, body))), prepared.stages)
    return EventReply(response, _decoded(target, prepared, response), prepared.stages)


async def as_whole(reply: EventReply, watch: Progress) -> Whole:
    """Read events to their end."""
    whole = await _folded(reply, watch)
    return Whole(reply.response, b"", whole, reply.usage, reply.repairs)


def _is_json(response: UpstreamResponse) -> bool:
    """A provider that ignores ``stream`` answers with a JSON body; without a content type we trust the request."""
    return (
        "json" in response.headers.get("content-type", "")
        and "ndjson" not in response.headers["content-type"]
    )


def _decoded(target: Target, prepared: Prepared, response: UpstreamResponse) -> DecodedSource:
    decoder = target.dialect.stream_decoder(target.hosting.framer(limit=target.max_event))
    if any(getattr(stage, "mends", False) for stage in prepared.stages) and hasattr(decoder, "be_lenient"):
        decoder.be_lenient()
    return DecodedSource(response, decoder, target.secrets())


async def _whole(
    target: Target, prepared: Prepared, response: UpstreamResponse, watch: Watch, *, streamed: bool
) -> Whole:
    if streamed:
        return await as_whole(
            EventReply(response, _decoded(target, prepared, response), prepared.stages), watch
        )
    body = await response.read(target.max_reply)
    if prepared.relay:
        observer = target.dialect.reply_watch(stream=False)
        observer.feed(body)
        tail = observer.close()
        if observer.error is not None:
            raise observer.error
        if tail or not observer.ended:
            raise UpstreamProtocolError("the provider's reply is not a message of its dialect")
        if not getattr(observer, "mended", False):
            return Whole(response, body, None, observer.usage)
    whole = _read(target, body)
    if not all(_leaves(stage, whole) for stage in prepared.stages):
        return await as_whole(EventReply(response, ListSource(unfold(whole)), prepared.stages), watch)
    return Whole(response, b"", whole, whole.usage)


def _leaves(stage: EventStage, reply: Reply) -> bool:
    """Whether a stage says that it would change nothing; to send a whole reply through stages costs as much as to read it."""
    return hasattr(stage, "leaves") and cast("WholeStage", stage).leaves(reply)


def _read(target: Target, body: bytes) -> Reply:
    """Read a whole reply. Raises UpstreamProtocolError, or the error that a 200 hid."""
    if hasattr(target.hosting, "unwrapped"):
        body = cast("WrappingHosting", target.hosting).unwrapped(body)
    return target.dialect.read_reply(body)


async def _folded(reply: EventReply, watch: Progress) -> Reply:
    folder = Folder()
    while not reply.finished:
        folder.feed(await reply.events(watch))
    return folder.reply()
