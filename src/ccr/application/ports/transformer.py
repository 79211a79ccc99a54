"""Named, configured changes to what passes through."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol

from attrs import define

if TYPE_CHECKING:
    from ccr.application.ports.payload import Payload
    from ccr.application.settings import Settings
    from ccr.domain.conversation import Conversation
    from ccr.domain.models import Destination, ModelProfile
    from ccr.domain.repair import Repair
    from ccr.domain.reply import Reply
    from ccr.domain.stream import StreamEvent

__all__ = [
    "Door",
    "EventStage",
    "OptionInfo",
    "Transformer",
    "TransformerInfo",
    "TransformerRegistry",
    "WholeStage",
    "repairs_of",
]


class EventStage(Protocol):
    """One transformer's view of one reply. It flushes on MessageStop and StreamFailed.

    A stage may have two attributes more: ``repairs`` (:func:`repairs_of`), and ``mends`` (true: it makes JSON of inputs that
    are none, so a decoder that knows ``be_lenient()`` is to hand them on instead of failing; what is still broken when a
    client's encoder sees it ends the reply in an error).
    """

    def feed(self, events: Sequence[StreamEvent]) -> Sequence[StreamEvent]:
        """Return what becomes of these events."""
        ...


class WholeStage(EventStage, Protocol):
    """Optional ability of an EventStage: to say of a whole reply that it has nothing to do."""

    def leaves(self, reply: Reply) -> bool:
        """Whether ``feed`` would change nothing in the events of this reply."""
        ...


def repairs_of(stages: Iterable[object]) -> tuple[Repair, ...]:
    """Return what stages have mended so far: those that mend say so in an attribute ``repairs``."""
    return tuple(repair for stage in stages for repair in getattr(stage, "repairs", ()))


@define(frozen=True)
class Door:
    """What a transformer's name says about the way to a provider: empty = nothing.

    ``credential`` is a kind of :class:`ccr.application.ports.hosting.CredentialSource`. ``native``: the provider *is* what
    its dialect says (Anthropic's own models), not merely one that speaks like it.
    """

    dialect: str = ""
    hosting: str = ""
    credential: str = ""
    native: bool = False


@define(frozen=True)
class Transformer:
    """Override the hooks you need. Fields are options; none may hold the state of a reply (that is the stage's).

    ``door``: some of the ancestor's names choose a dialect, a hosting or a login rather than change anything.
    ``needless``: why a name that once did something does nothing now; empty = it does something.
    """

    name: ClassVar[str] = ""
    door: ClassVar[Door | None] = None
    needless: ClassVar[str] = ""

    def opens(self) -> Door | None:
        """Return the door that it chooses with these options."""
        return self.door

    def idle(self, to: Destination) -> bool:  # noqa: ARG002  # an ability that few have
        """Say whether it changes nothing there with these options, so that bytes may pass as they came."""
        return False

    def profile(self, profile: ModelProfile) -> ModelProfile:
        """Return what is known of a model, with what this name says about it. Asked once, when a target is made."""
        return profile

    def request(self, conversation: Conversation, to: Destination) -> Conversation:  # noqa: ARG002  # a no-op hook
        """Change what is meant."""
        return conversation

    def payload(self, payload: Payload, to: Destination) -> Payload:  # noqa: ARG002  # a no-op hook
        """Change the provider's own JSON, last."""
        return payload

    def stage(self, to: Destination) -> EventStage | None:  # noqa: ARG002  # a no-op hook
        """Change the reply, as events."""
        return None

    def stage_for(self, conversation: Conversation, to: Destination) -> EventStage | None:  # noqa: ARG002  # as above
        """Change the reply, knowing what was asked (its tools); called in place of ``stage``."""
        return self.stage(to)


@define(frozen=True)
class OptionInfo:
    """An option, in words. ``default`` is JSON, or ``required``."""

    name: str
    kind: str
    default: str
    doc: str = ""


@define(frozen=True)
class TransformerInfo:
    """What there is to say about a transformer.

    Attributes:
        summary: what it does.
        options: what it takes; with ``open_options`` it takes any field of the request.
        needless: why it has nothing to do any more; empty = it has.
        door: which way to a provider it chooses, if any.
        origin: who ships it: ``ccr``, a distribution's name and version, or the path of a file.
        replaces: a built-in transformer of that name gave way to it.
        off: it took too long too often, and is switched off until the configuration is loaded again.
        failures, overruns: how often it raised, and took longer than it may, since then.
        last: the last of these, in a sentence.
    """

    name: str
    summary: str = ""
    options: tuple[OptionInfo, ...] = ()
    open_options: bool = False
    needless: str = ""
    door: Door | None = None
    origin: str = "ccr"
    replaces: bool = False
    off: bool = False
    failures: int = 0
    overruns: int = 0
    last: str = ""


class TransformerRegistry(Protocol):
    """Transformers by name."""

    def configured(self, settings: Settings) -> TransformerRegistry:
        """Return a registry that has those of the configuration too, all in good health. Raises ConfigError."""
        ...

    def build(self, name: str, options: dict[str, object]) -> Transformer:
        """Return a configured transformer. Raises LookupError (unknown name; lists near ones) or ValueError (options)."""
        ...

    def names(self) -> tuple[str, ...]:
        """All names."""
        ...

    def describe(self) -> tuple[TransformerInfo, ...]:
        """Say what there is to say about each, as things stand now."""
        ...

    def warnings(self) -> tuple[str, ...]:
        """Say what a person should know now: those that fail, or were switched off."""
        ...
