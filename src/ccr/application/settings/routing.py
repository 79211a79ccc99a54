"""Routes as configured: texts such as ``provider,model``, resolved when the catalog is compiled."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

__all__ = ["GroupSettings", "RouterSettings"]


@frozen
class GroupSettings:
    """The targets of a route with several, with their weights; ``strategy`` as in the configuration."""

    targets: tuple[str, ...]
    weights: tuple[float, ...]
    strategy: str = "order"


@frozen
class RouterSettings:
    """The ``Router`` block, its ``fallback`` and the custom router. Empty strings = not set.

    ``long_context_threshold`` is in tokens. ``agents`` and ``models`` map an agent type, or a glob over the requested
    model name (or opus, sonnet, haiku, fable), to ``provider,model``. ``think_effort`` is the least effort that counts
    as thinking. ``session_routers``: honour the ancestor's project- and session-level router files.
    """

    default: str = ""
    background: str = ""
    think: str = ""
    long_context: str = ""
    long_context_threshold: int = 60_000
    web_search: str = ""
    image: str = ""
    compaction: str = ""
    subagent: str = ""
    agents: Mapping[str, str] = field(factory=dict, hash=False)
    models: Mapping[str, str] = field(factory=dict, hash=False)
    think_effort: str = "high"
    fidelity: Mapping[str, str] = field(factory=dict, hash=False)
    """``best`` or ``exact`` by scenario; ``*`` = every other one."""
    custom_first: bool = False
    custom_router: str = ""
    """Path of the custom router (a Python file)."""
    custom_timeout: float = 2.0
    """Seconds that a custom router may take."""
    fallback: Mapping[str, tuple[str, ...]] = field(factory=dict, hash=False)
    """Scenario -> targets tried in order."""
    groups: Mapping[str, GroupSettings] = field(factory=dict, hash=False)
    """By route (``default``, ``agents.Explore``, ``models.opus``): all its targets, where it has more than the one above."""
    session_routers: bool = True
    describe_images: bool = False
    """Images of the current turn are described by the ``image`` target too, rather than the turn sent there."""
