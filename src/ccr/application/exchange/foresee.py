"""What would become of a request at a target, without asking anybody: relayed or translated, and what it would lose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from ccr.application.exchange.prepare import meaning, relays, written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ccr.application.catalog.targets import Target
    from ccr.application.exchange.job import Job
    from ccr.application.exchange.seams import Adapter, Interceptor
    from ccr.domain.fidelity import Loss

__all__ = ["Foreseen", "foresee"]


@frozen
class Foreseen:
    """``path`` is ``relay`` or ``translate``."""

    path: str
    losses: tuple[Loss, ...] = ()


def foresee(job: Job, target: Target, helpers: Sequence[Adapter | Interceptor] = ()) -> Foreseen:
    """Write the request and throw it away; ``helpers`` are those that would answer for the model, and are not asked to.

    Raises InvalidRequestError as the request itself would.
    """
    if relays(job, target):
        return Foreseen("relay")
    conversation = meaning(job, target)
    emulated = [one.emulates for one in helpers if one.wants(job, target, conversation)]
    for hook in target.pipeline.requests:
        conversation = hook(conversation, target.destination)
    amending = job.amending
    encoded = written(conversation, target, profile=amending.profile(target) if amending else None)
    if amending is not None:
        encoded = amending.apply(target, encoded)
    losses = [loss for loss in encoded.losses if not _is_met(loss, emulated)]
    return Foreseen("translate", tuple(dict.fromkeys((*emulated, *losses))))


def _is_met(loss: Loss, emulated: Sequence[Loss]) -> bool:
    """A feature that is emulated is not lost besides, whatever version of it was asked for (``web_search_20250305``)."""
    return any(loss.feature.startswith(one.feature) for one in emulated)
