"""What is known of a request before anything is decided: storable, no prompt text."""

from __future__ import annotations

from enum import Enum

from ccr.domain.conversation.conversation import Effort, ReasoningMode
from ccr.domain.value import value

__all__ = ["NO_SESSION", "Operation", "RequestClass", "RequestFacts", "SessionKey"]


class Operation(Enum):
    """What the caller asks for."""

    GENERATE = "generate"
    COUNT = "count"
    MODELS = "models"


class RequestClass(Enum):
    """What Claude Code says a request is for (``x-claude-code-request-class``)."""

    MAIN = "main"
    SUBAGENT = "subagent"
    WORKFLOW = "workflow"
    COMPACTION = "compaction"
    AUXILIARY = "auxiliary"


@value
class SessionKey:
    """Whose turn it is; empty strings = not said. ``agent`` is the agent's id, ``parent`` that of its starter."""

    session: str = ""
    agent: str = ""
    parent: str = ""


NO_SESSION = SessionKey()


@value
class RequestFacts:
    """The facts that routing, counting and records read.

    Attributes:
        operation: what is asked for.
        dialect: the client's dialect.
        model: the model as the caller wrote it, without a ``[1m]`` suffix.
        size: bytes of the body.
        text_size: bytes of it that can become input tokens (all but base64 media): an upper bound of the tokens.
        stream: a streamed reply is wanted.
        thinking: what was asked of thinking; ``budget`` in tokens.
        effort: the effort asked for, if any.
        plan_mode: the client is planning.
        max_tokens: output limit asked for.
        tool_kinds: wire types of provider-run tools in the request (``web_search_20250305``).
        tools: number of tools offered.
        images: an image stands in the current turn (what came since the last assistant turn).
        session: session and agent.
        agent_type: ``Explore``, ``Plan``, ``general-purpose``, ...
        request_class: the client's own hint, if it gave one.
        is_subagent: the client's marks say that a subagent asks (agent id, ``cc_is_subagent``).
        compaction: ``auto``, ``manual``, ``reactive`` when the client says that this compacts the context.
        subagent_tag: text of a ``<CCR-SUBAGENT-MODEL>`` tag, trimmed.
        wants_1m: the model name carried ``[1m]``.
        client: product and version from the user agent, bounded.
        prompt_id: ``x-claude-code-prompt-id``.
    """

    operation: Operation
    dialect: str
    model: str
    size: int = 0
    text_size: int = 0
    stream: bool = False
    thinking: ReasoningMode = ReasoningMode.UNSET
    budget: int | None = None
    effort: Effort | None = None
    plan_mode: bool = False
    max_tokens: int | None = None
    tool_kinds: tuple[str, ...] = ()
    tools: int = 0
    images: bool = False
    session: SessionKey = NO_SESSION
    agent_type: str = ""
    request_class: RequestClass | None = None
    is_subagent: bool = False
    compaction: str = ""
    subagent_tag: str = ""
    wants_1m: bool = False
    client: str = ""
    prompt_id: str = ""
