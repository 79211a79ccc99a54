"""Asks one model through the gateway's own path, and keeps account of what that costs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from ccr.application.call import Call, Disconnect, Operation
from ccr.application.exchange.built import BuiltCall
from ccr.application.exchange.commit import Opened, Whole
from ccr.application.exchange.job import Job
from ccr.application.exchange.live import EventReply
from ccr.application.exchange.trail import Trail
from ccr.application.exchange.watch import Watch
from ccr.domain.access import LOCAL
from ccr.domain.attempts import AttemptPlan
from ccr.domain.conversation import Image, Text, Thinking, ToolCall, ToolResult
from ccr.domain.errors import GatewayError, InternalError, UpstreamTimeoutError
from ccr.domain.routing.decision import RouteDecision, Verdict
from ccr.domain.stream import Folder, TextDelta
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from ccr.application.catalog.holder import Catalog
    from ccr.application.catalog.targets import Target
    from ccr.application.counting import Counting
    from ccr.application.exchange.attempts import Attempts
    from ccr.application.exchange.settle import Settle
    from ccr.application.operations.probing.budget import Budget
    from ccr.application.ports.payload import JsonCodec
    from ccr.application.ports.system import Clock, NewId
    from ccr.domain.conversation import Conversation
    from ccr.domain.fidelity import Loss
    from ccr.domain.models import ModelProfile
    from ccr.domain.reply import Reply, StopReason
    from ccr.domain.usage import Usage

__all__ = ["Answered", "Asker", "Means"]

_SECONDS = 180.0
"""The longest that one question may take: models that think at their highest effort take minutes."""

_IMAGE_TOKENS = 1600
"""What a picture costs at most where nobody told us (claude-code-contract.md)."""

_BYTES_A_TOKEN = 3


@frozen(eq=False)
class Answered:
    """A reply. ``pieces``: deltas of its text, 0 if it was not streamed."""

    reply: Reply
    pieces: int
    usage: Usage

    @property
    def text(self) -> str:
        """All visible text."""
        return "".join(block.text for block in self.reply.blocks if isinstance(block, Text))

    @property
    def calls(self) -> list[ToolCall]:
        """The tool calls in order."""
        return [block for block in self.reply.blocks if isinstance(block, ToolCall)]

    @property
    def thoughts(self) -> list[Thinking]:
        """The thinking that can be seen."""
        return [block for block in self.reply.blocks if isinstance(block, Thinking)]

    @property
    def reason(self) -> StopReason:
        """Why it stopped."""
        return self.reply.reason


@frozen(eq=False)
class Means:
    """What of the gateway asking takes."""

    attempts: Attempts
    settle: Settle
    counting: Counting
    clock: Clock
    new_id: NewId
    codec: JsonCodec


@define(eq=False)
class Asker:
    """Asks one target. ``losses`` and ``tokens`` add up over the questions of one probe."""

    means: Means
    catalog: Catalog
    target: Target
    budget: Budget
    losses: list[Loss] = field(factory=list)
    tokens: int = 0

    @property
    def profile(self) -> ModelProfile:
        """What is believed of the model."""
        return self.target.destination.profile

    def parsed(self, data: bytes | str) -> object:
        """Return plain JSON values. Raises ValueError."""
        return self.means.codec.decode(data.encode() if isinstance(data, str) else data)

    async def count(self, conversation: Conversation) -> int:
        """Return the input tokens as the gateway itself counts them."""
        counted = await self.means.counting.count(BuiltCall.of(conversation))
        return counted.tokens

    async def __call__(self, conversation: Conversation, *, stream: bool = False) -> Answered:
        """Ask, and return the whole reply.

        Raises:
            GatewayError: what the gateway would have told its caller.
            BudgetSpentError: the answer might cost more than is left; nothing was sent.
        """
        made = BuiltCall.of(evolve(conversation, model=str(self.target.ref), stream=stream))
        made = BuiltCall(made.built, evolve(made.facts, stream=stream))
        worst = _worst(conversation)
        self.budget.allow(worst)
        trail = self._trail(made)
        job = self._job(made, trail)
        answered: Answered | None = None
        try:
            async with asyncio.timeout(_SECONDS):
                answered = await self._asked(job)
            return answered
        except TimeoutError:
            trail.error = UpstreamTimeoutError(f"no whole answer within {_SECONDS:.0f} seconds")
            raise trail.error from None
        except GatewayError as error:
            trail.error = error
            raise
        finally:
            self._account(trail, worst, answered)
            self.means.settle(trail)

    def _account(self, trail: Trail, worst: int, answered: Answered | None) -> None:
        """A refusal is free of charge; what was cut off may have cost all that was allowed."""
        usage = answered.usage if answered is not None else trail.usage
        if answered is None and isinstance(trail.error, UpstreamTimeoutError):
            tokens = worst
        elif usage.input_total is None and usage.output is None:
            tokens = 0 if answered is None else min(worst, _size_of(answered) + worst // 4)
        else:
            tokens = (usage.input_total or 0) + (usage.output or 0)
        self.tokens += tokens
        self.budget.spend(tokens, usage)
        self.losses.extend(loss for loss in trail.losses if loss not in self.losses)

    async def _asked(self, job: Job) -> Answered:
        opened = await self.means.attempts.run(job)
        reply = opened.reply
        job.trail.status = reply.response.status
        try:
            if isinstance(reply, Whole):
                if reply.reply is None:
                    raise InternalError("a conversation is never relayed")
                job.trail.usage = reply.usage
                return Answered(reply.reply, 0, reply.usage)
            if not isinstance(reply, EventReply):
                raise InternalError("a conversation is never relayed")
            return await self._streamed(job, opened, reply)
        finally:
            await reply.response.aclose()

    async def _streamed(self, job: Job, opened: Opened, reply: EventReply) -> Answered:
        folder, pieces = Folder(), 0
        async with Watch(job.call.disconnect, idle=opened.target.timeouts.idle) as watch:
            while not reply.finished:
                events = await reply.events(watch)
                pieces += sum(isinstance(event, TextDelta) for event in events)
                folder.feed(events)
        job.trail.usage = reply.usage
        if folder.error is not None:
            raise folder.error
        return Answered(folder.reply(), pieces, reply.usage)

    def _trail(self, made: BuiltCall) -> Trail:
        clock = self.means.clock
        trail = Trail(self.means.new_id(), clock.now(), clock.monotonic(), LOCAL.id)
        trail.facts, trail.revision = made.facts, self.catalog.revision
        return trail

    def _job(self, made: BuiltCall, trail: Trail) -> Job:
        async def nothing() -> bytes:
            return b""

        call = Call(
            operation=Operation.GENERATE,
            dialect="",
            path="",
            headers={},
            principal=LOCAL,
            request_id=trail.id,
            load=nothing,
            disconnect=Disconnect(),
            received=trail.began,
        )
        ref = self.target.ref
        verdict = Verdict("explicit", matched=True, because="a probe of this model", target=ref)
        decision = trail.decision = RouteDecision(ref, "explicit", (verdict,))
        return Job(call, None, self.catalog, made, made.facts, decision, AttemptPlan((ref,)), trail)


def _worst(conversation: Conversation) -> int:
    """The most tokens that a question can cost."""
    size = BuiltCall.of(conversation).facts.text_size
    pictures = sum(_pictures(turn.blocks) for turn in conversation.turns)
    return size // _BYTES_A_TOKEN + _IMAGE_TOKENS * pictures + (conversation.max_tokens or 0)


def _pictures(blocks: Sequence[object]) -> int:
    return sum(
        _pictures(block.content) if isinstance(block, ToolResult) else isinstance(block, Image)
        for block in blocks
    )


def _size_of(answered: Answered) -> int:
    return len(answered.text.encode()) // _BYTES_A_TOKEN
