"""What routing was configured to do, compiled: names looked up, targets resolved, windows known."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping

from attrs import field

from ccr.domain.conversation.conversation import Effort
from ccr.domain.models import ModelRef
from ccr.domain.routing.balance import Group
from ccr.domain.routing.glob import SUFFIX_1M, Glob
from ccr.domain.value import value

__all__ = ["Hit", "KnownProvider", "RoutePolicy", "Routes", "Window", "clip"]

_LONGEST_NAME = 120
"""Characters of a name that we repeat: names come from callers and go into headers and messages."""

_MOST_NAMES = 5
"""Names that a message lists: enough to see a slip, few enough to read."""


def clip(text: str) -> str:
    """Return a caller's text fit for a sentence: printable, one line, bounded."""
    clean = "".join(char if char.isprintable() else "?" for char in text[:_LONGEST_NAME])
    return clean if len(text) <= _LONGEST_NAME else clean + "..."


@value
class Window:
    """Limits of a model in tokens; None = unknown."""

    context: int | None = None
    max_output: int | None = None


_UNKNOWN_WINDOW = Window()


@value
class KnownProvider:
    """A provider as routing sees it.

    Attributes:
        models: every listed name under itself and under its lower-case form.
        is_open: any model name is passed on.
        windows: by lower-case model name.
        measure: limits of a name that is in no list; pure.
    """

    name: str
    models: Mapping[str, str] = field(factory=dict, hash=False)
    is_open: bool = False
    windows: Mapping[str, Window] = field(factory=dict, hash=False)
    measure: Callable[[str], Window] | None = field(default=None, eq=False, repr=False)

    def find(self, model: str, *, wants_1m: bool = False) -> str | None:
        """Return the provider's own spelling of a model, None if it has no such model.

        With ``wants_1m`` a model that is listed *with* the suffix is preferred.
        """
        wanted = (model + SUFFIX_1M, model) if wants_1m else (model,)
        for name in wanted:
            found = self.models.get(name) or self.models.get(name.lower())
            if found is not None:
                return found
        return model if self.is_open and model else None

    def window(self, model: str) -> Window:
        """Return the limits of a model."""
        found = self.windows.get(model.lower())
        if found is not None:
            return found
        return self.measure(model) if self.measure is not None else _UNKNOWN_WINDOW


@value
class Routes:
    """Targets by scenario; None = not configured. A session's own router replaces the whole value.

    Attributes:
        threshold: tokens of input above which a request is long.
        agents: by lower-case agent type.
        models: by glob over the requested name, or a family word, in the order of the configuration.
        think_effort: the least effort that counts as thinking.
        groups: by the words of ``by_scenario``, where a route has several targets; above stands the first of them.
    """

    default: ModelRef | None = None
    background: ModelRef | None = None
    think: ModelRef | None = None
    long_context: ModelRef | None = None
    threshold: int = 60_000
    web_search: ModelRef | None = None
    image: ModelRef | None = None
    compaction: ModelRef | None = None
    subagent: ModelRef | None = None
    agents: Mapping[str, ModelRef] = field(factory=dict, hash=False)
    models: tuple[tuple[Glob, ModelRef], ...] = ()
    think_effort: Effort = Effort.HIGH
    groups: Mapping[str, Group] = field(factory=dict, hash=False)

    def by_scenario(self) -> Mapping[str, ModelRef]:
        """Return what is configured, by the keys of the configuration."""
        single = {
            "default": self.default,
            "background": self.background,
            "think": self.think,
            "longContext": self.long_context,
            "webSearch": self.web_search,
            "image": self.image,
            "compaction": self.compaction,
            "subagent": self.subagent,
        }
        found = {scenario: ref for scenario, ref in single.items() if ref is not None}
        found.update({f"agents.{agent}": ref for agent, ref in self.agents.items()})
        found.update({f"models.{glob}": ref for glob, ref in self.models})
        return found


@value
class Hit:
    """What a name came to. ``explicit``: it names a provider, so that without a ``ref`` it is wrong, not merely a name."""

    ref: ModelRef | None
    because: str
    explicit: bool = True


@value
class RoutePolicy:
    """Everything that ``decide`` needs of the configuration.

    Attributes:
        table: the targets of the configuration.
        providers: by lower-case name.
        fallbacks: by scenario, what is tried next, in order.
        custom_first: a custom router is asked before the caller's explicit choice counts.
        session_routers: routers of projects and sessions are honoured.
        smallest_window: the smallest known window of any model, in tokens.
        describe_images: images are described, so none sends a turn to the image target.
        exact: scenarios in which no target may lose a feature of the request; ``*`` = all but those in ``inexact``.
        inexact: scenarios that are excepted from ``*``.
    """

    table: Routes = Routes()
    providers: Mapping[str, KnownProvider] = field(factory=dict, hash=False)
    fallbacks: Mapping[str, tuple[ModelRef, ...]] = field(factory=dict, hash=False)
    custom_first: bool = False
    session_routers: bool = True
    smallest_window: int | None = None
    describe_images: bool = False
    exact: frozenset[str] = frozenset()
    inexact: frozenset[str] = frozenset()

    def is_exact(self, scenario: str) -> bool:
        """Whether a scenario allows no losses."""
        return scenario in self.exact or ("*" in self.exact and scenario not in self.inexact)

    def routes(self) -> Mapping[str, ModelRef]:
        """Return the configured targets by scenario, in the words of the configuration."""
        return self.table.by_scenario()

    def window(self, ref: ModelRef) -> Window:
        """Return what is known of a model's limits."""
        provider = self.providers.get(ref.provider.lower())
        return provider.window(ref.model) if provider else _UNKNOWN_WINDOW

    def look_up(self, text: str, *, wants_1m: bool = False) -> Hit:
        """Resolve ``provider,model`` (split at the first comma) or ``provider/model``, whatever the case."""
        if text.lower().endswith(SUFFIX_1M):
            text, wants_1m = text[: -len(SUFFIX_1M)].rstrip(), True
        if "," in text:
            return self._pair(*text.split(",", 1), text=text, wants_1m=wants_1m)
        head, slash, tail = text.partition("/")
        if not slash or head.strip().lower() not in self.providers:
            return Hit(None, "the name does not name a provider", explicit=False)
        rivals = [p.name for p in self.providers.values() if text.lower() in p.models]
        if rivals:
            because = (
                f"{clip(text)!r} is also a model of {', '.join(rivals[:_MOST_NAMES])}: write provider,model"
            )
            return Hit(None, because, explicit=False)
        return self._pair(head, tail, text=text, wants_1m=wants_1m)

    def _pair(self, head: str, tail: str, *, text: str, wants_1m: bool) -> Hit:
        provider = self.providers.get(head.strip().lower())
        if provider is None:
            return Hit(None, f"unknown provider {clip(head.strip())!r}{self._near(text)}")
        model = provider.find(tail.strip(), wants_1m=wants_1m)
        if model is None:
            because = f"provider {provider.name!r} has no model {clip(tail.strip())!r}{self._near(text)}"
            return Hit(None, because)
        return Hit(ModelRef(provider.name, model), f"{provider.name},{model} was asked for")

    def _near(self, text: str) -> str:
        """Say which names are near. Costs milliseconds with long lists, hence on the way to an error only."""
        names = {
            f"{provider.name},{model}".lower(): f"{provider.name},{model}"
            for provider in self.providers.values()
            for model in provider.models.values()
        }
        wanted = text[:_LONGEST_NAME].replace("/", ",", int("," not in text)).lower()
        near = difflib.get_close_matches(wanted, names, n=3, cutoff=0.5)
        if not near:
            names = {key: provider.name for key, provider in self.providers.items()}
            near = difflib.get_close_matches(wanted.partition(",")[0].strip(), names, n=3)
        if near:
            return f"; did you mean {' or '.join(names[name] for name in near)}?"
        known = sorted(provider.name for provider in self.providers.values())
        more = ", ..." if len(known) > _MOST_NAMES else ""
        return f"; known providers: {', '.join(known[:_MOST_NAMES]) or 'none'}{more}"
