"""Keeps the hooks of third parties from harming a request: whatever they raise is contained, and their time is watched.

A synchronous hook cannot be interrupted: it is measured, and one that is too slow too often is not called any more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import copy
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define, field, frozen
from typing_extensions import override

from ccr.adapters.plugins.found import HOOKS
from ccr.application.contained import Faults, contained, sentence
from ccr.application.ports.payload import Payload
from ccr.application.ports.transformer import Door, EventStage, Transformer
from ccr.domain.conversation import Conversation
from ccr.domain.errors import InternalError
from ccr.domain.models import Destination, ModelProfile
from ccr.domain.stream import GrammarError, StreamEvent, StreamFailed, StreamGrammar

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MOST_OVERRUNS", "Health", "guarded"]

T = TypeVar("T")

MOST_OVERRUNS = 3
"""Overruns after which a plugin is switched off until the configuration is loaded again."""


class SlowPluginError(RuntimeError):
    """A hook took longer than it may."""


@define(eq=False)
class Health:
    """How a plugin does since the configuration was loaded. ``limit`` in seconds; None = its time is not watched."""

    name: str
    faults: Faults
    limit: float | None = 0.05
    failures: int = 0
    overruns: int = 0
    last: str = ""
    clock: Callable[[], float] = field(default=perf_counter, repr=False)

    @property
    def off(self) -> bool:
        """It is not called any more."""
        return self.overruns >= MOST_OVERRUNS

    def call(
        self, hook: str, function: Callable[..., object], *given: object, of: type[T], always: bool = False
    ) -> T | None:
        """Call a hook; None if it is switched off, raises, or returns something else than ``of``.

        ``always``: although it is switched off, for what it has begun.
        """
        if self.off and not always:
            return None
        answer: object = None
        began = self.clock()
        with contained(f"plugin {self.name}", self.faults) as outcome:
            answer = _plain(function, given)
            if not isinstance(answer, of):
                raise TypeError(f"{hook}() returned {type(answer).__name__}, not {of.__name__}")
        self._timed(hook, self.clock() - began)
        if outcome.error is not None:
            self.failures += 1
            self.last = f"{hook}: {sentence(outcome.error)}"
        return answer if isinstance(answer, of) else None

    def _timed(self, hook: str, took: float) -> None:
        if self.limit is None or took <= self.limit:
            return
        self.overruns += 1
        self.last = f"{hook}() took {took * 1000:.0f} ms, and may take {self.limit * 1000:.0f}"
        if self.off:
            self.last += f"; switched off after {MOST_OVERRUNS} times"
        self.faults.report(f"plugin {self.name}", SlowPluginError(self.last))


def _plain(function: Callable[..., object], given: tuple[object, ...]) -> object:
    """Call it. What would end the process, or look like somebody's cancellation, is an error of the plugin like any other."""
    try:
        return function(*given)
    except Exception:
        raise
    except BaseException as error:
        raise RuntimeError(f"it raised {type(error).__name__}") from error


@frozen(eq=False)
class _Guarded(Transformer):
    """A transformer around one of a third party's. Only the hooks that the inner one has are overridden, below."""

    inner: Any
    health: Health

    @override
    def opens(self) -> Door | None:
        return self.inner.opens() if isinstance(self.inner, Transformer) else None

    @override
    def idle(self, to: Destination) -> bool:
        if not isinstance(self.inner, Transformer):
            return False
        return self.health.call("idle", self.inner.idle, to, of=bool) or False

    @override
    def profile(self, profile: ModelProfile) -> ModelProfile:
        if not isinstance(self.inner, Transformer):
            return profile
        return self.health.call("profile", self.inner.profile, profile, of=ModelProfile) or profile


def _request(self: _Guarded, conversation: Conversation, to: Destination) -> Conversation:
    return self.health.call("request", self.inner.request, conversation, to, of=Conversation) or conversation


def _payload(self: _Guarded, payload: Payload, to: Destination) -> Payload:
    return self.health.call("payload", self.inner.payload, payload, to, of=Payload) or payload


def _stage(self: _Guarded, to: Destination) -> EventStage | None:
    return _stage_of(self, "stage", to)


def _stage_for(self: _Guarded, conversation: Conversation, to: Destination) -> EventStage | None:
    return _stage_of(self, "stage_for", conversation, to)


def _stage_of(self: _Guarded, hook: str, *given: object) -> EventStage | None:
    def made() -> object:
        stage = getattr(self.inner, hook)(*given)
        if stage is not None and not callable(getattr(stage, "feed", None)):
            raise TypeError(f"{hook}() returned {type(stage).__name__}, which has no feed()")
        return stage

    stage = self.health.call(hook, made, of=object)
    return None if stage is None else _GuardedStage(stage, self.health)


_AROUND: Mapping[str, Callable[..., object]] = {
    "request": _request,
    "payload": _payload,
    "stage": _stage,
    "stage_for": _stage_for,
}


def guarded(inner: Any, health: Health) -> Transformer:
    """Return a transformer that calls the hooks of ``inner``, and only those it has."""
    hooks = {
        hook: _AROUND[hook]
        for hook in HOOKS
        if getattr(type(inner), hook, None) not in (None, getattr(Transformer, hook))
    }
    facts = {"name": health.name, "needless": getattr(inner, "needless", ""), "__slots__": ()}
    kind = type(type(inner).__name__, (_Guarded,), {**hooks, **facts})
    made: Transformer = kind(inner, health)
    return made


class _GuardedStage:
    """A stage of a third party. If it fails, the events go on without it, as long as that makes a legal reply."""

    def __init__(self, inner: Any, health: Health) -> None:
        self._inner = inner
        self._health = health
        self._given = StreamGrammar()
        self._made = StreamGrammar()
        self._failed = False
        self._ended = False

    @property
    def repairs(self) -> Sequence[Any]:
        """What the inner one has mended."""
        return getattr(self._inner, "repairs", ())

    def feed(self, events: Sequence[StreamEvent]) -> Sequence[StreamEvent]:
        """Return what becomes of these events."""
        if self._ended:
            return ()
        if self._failed:
            return events
        made = self._health.call("feed", self._fed, events, of=list, always=True)
        if made is None:
            self._failed = True
            made = self._without(events)
        # What comes in wrong is a fault of others, to be told by others.
        with suppress(GrammarError):
            self._given.check(events)
        self._ended = self._made.ended or any(isinstance(event, StreamFailed) for event in made)
        return made

    def _fed(self, events: Sequence[StreamEvent]) -> list[StreamEvent]:
        made = list(self._inner.feed(events))
        grammar = copy(self._made)
        grammar.check(made)
        self._made = grammar
        return made

    def _without(self, events: Sequence[StreamEvent]) -> list[StreamEvent]:
        """Where it stands as if it were not there, it is left out; else nobody could make sense of the rest."""
        if self._made.phase is self._given.phase and self._made.blocks == self._given.blocks:
            return list(events)
        if self._made.ended:
            return []
        return [
            StreamFailed(InternalError(f"the plugin {self._health.name} failed in the middle of a reply"))
        ]
