"""``Router``: which provider and model answers which kind of request."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from ccr.adapters.config.schema.keys import Kind, key
from ccr.application.settings.routes import Several

__all__ = ["EFFORTS", "FIDELITIES", "SCENARIOS", "RouterBlock"]

FIDELITIES = ("best", "exact")
EFFORTS = ("minimal", "low", "medium", "high", "xhigh", "max")
SCENARIOS = (
    "default", "background", "think", "longContext", "webSearch", "image", "compaction", "subagent", "agent", "models",
    "explicit", "custom",
)  # fmt: skip
"""Names that ``fallback`` may use."""


@frozen
class RouterBlock:
    """The routes. A target is ``provider,model``, or a list of them, the next one tried when one fails; each may be
    ``{"target": "provider,model", "weight": 3}``, and the list may stand in ``{"targets": [...], "strategy": "..."}``
    (``order``, ``weighted``, ``leastInFlight``, ``latency``). Empty = this scenario has no route of its own.
    """

    default: str | Several = key(
        "default", Kind.TARGET, "Answers everything that no other rule claims.", default=""
    )
    background: str | Several = key(
        "background", Kind.TARGET, "Small auxiliary requests (haiku models).", default=""
    )
    think: str | Several = key("think", Kind.TARGET, "Plan mode and requests with thinking.", default="")
    long_context: str | Several = key("longContext", Kind.TARGET, "Requests over the threshold.", default="")
    long_context_threshold: int = key(
        "longContextThreshold", Kind.INTEGER, "Input tokens from which `longContext` is used.",
        default=60_000, least=1,
    )  # fmt: skip
    web_search: str | Several = key(
        "webSearch", Kind.TARGET, "Requests that carry a web search tool.", default=""
    )
    image: str | Several = key(
        "image", Kind.TARGET, "Requests with an image in the current turn.", default=""
    )
    compaction: str | Several = key(
        "compaction", Kind.TARGET, "The client's summary of a long session.", default=""
    )
    subagent: str | Several = key("subagent", Kind.TARGET, "Requests of subagents and workflows.", default="")
    agents: Mapping[str, str | Several] = key(
        "agents", Kind.TARGET_MAP, 'Targets by agent type, e.g. `{"Explore": "ollama,qwen"}`.', default=dict
    )
    models: Mapping[str, str | Several] = key(
        "models",
        Kind.TARGET_MAP,
        "Targets by requested model: `opus`, `sonnet`, `haiku`, `fable`, or a glob over the model name.",
        default=dict,
    )
    think_effort: str = key(
        "thinkEffort", Kind.TEXT, "The least effort that counts as thinking.", default="high", choices=EFFORTS
    )
    fidelity: Mapping[str, str] = key(
        "fidelity",
        Kind.FIDELITY,
        "`exact`: a target that would have to drop or emulate a feature of the request is passed over; without another one "
        'the answer is a 400 that names the feature. For all routes, or by scenario: `{"think": "exact"}`.',
        default=dict,
        choices=FIDELITIES,
    )
    custom_first: bool = key(
        "customFirst",
        Kind.BOOLEAN,
        "Ask the custom router before an explicit `provider,model`, as the ancestor did.",
        default=False,
    )
    custom_timeout: int = key(
        "customTimeoutMs", Kind.MILLIS, "How long a custom router may take.", default=2000, least=1
    )
    project_routers: bool = key(
        "projectRouters",
        Kind.BOOLEAN,
        "Honour router files of projects and sessions (`<home>/<project>/config.json`, "
        "`<home>/<project>/<session>.json`).",
        default=True,
    )
