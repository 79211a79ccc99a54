"""One question to one target outside the commit gate: a round of a search loop, a call of our own on the side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.application.exchange.commit import as_events
from ccr.application.exchange.mask import mask_body, mask_error
from ccr.application.exchange.prepare import prepare_translation
from ccr.domain.errors import GatewayError, UpstreamError, UpstreamProtocolError

if TYPE_CHECKING:
    from ccr.application.catalog.targets import Target
    from ccr.application.exchange.job import Job
    from ccr.application.exchange.live import EventReply
    from ccr.application.ports.upstream import Upstream, UpstreamResponse
    from ccr.domain.conversation import Conversation
    from ccr.domain.fidelity import Loss

__all__ = ["checked", "one_round"]

_MAX_ERROR_BODY = 1024 * 1024
_FIRST_ERROR_STATUS = 400
_FIRST_NOT_OK = 300


async def one_round(
    upstream: Upstream, job: Job, target: Target, said: Conversation
) -> tuple[EventReply, tuple[Loss, ...]]:
    """Write a conversation for a target, send it, and return the reply as events, nothing of a streamed one read yet.

    The losses are those of the writing.

    Whoever asks closes its ``response``. Raises GatewayError.
    """
    prepared = await prepare_translation(job, target, said)
    response = await upstream.open(prepared.request)
    try:
        await checked(target, response)
        return await as_events(target, prepared, response), prepared.losses
    except BaseException as error:
        await response.aclose()
        if isinstance(error, GatewayError):
            mask_error(error, target.secrets())
        raise


async def checked(target: Target, response: UpstreamResponse) -> None:
    """Raise what an error status means; our own key is masked."""
    status = response.status
    if status >= _FIRST_ERROR_STATUS:
        try:
            body = await response.read(_MAX_ERROR_BODY)
        except UpstreamError:
            body = b""  # cut short, or without end: its status says enough
        body = mask_body(body, target.secrets())
        raise target.dialect.decode_error(status, response.headers, body, provider=target.ref.provider)
    if status >= _FIRST_NOT_OK:
        raise UpstreamProtocolError(
            f"the provider answered with a redirect ({status}), which is not followed"
        )
