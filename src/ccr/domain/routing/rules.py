"""The rules, one function each, and their order. A rule looks and says; it never decides about another rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from ccr.domain.conversation.conversation import Effort, ReasoningMode
from ccr.domain.errors import UnknownModelError
from ccr.domain.facts import RequestClass, RequestFacts
from ccr.domain.models import ModelRef
from ccr.domain.routing.conditions import Conditions
from ccr.domain.routing.decision import Verdict
from ccr.domain.routing.glob import is_claude
from ccr.domain.routing.policy import RoutePolicy, Routes, clip
from ccr.domain.value import value

__all__ = ["CUSTOM_FIRST", "EXPLICIT_FIRST", "RESERVED_OUTPUT", "Rule", "View", "fits"]

RESERVED_OUTPUT = 16_000
"""Tokens at most that are kept free for the answer: today's client always asks for 128000 and seldom uses them."""


@value
class View:
    """All that a rule may look at. ``routes`` are those in force for this request."""

    policy: RoutePolicy
    routes: Routes
    facts: RequestFacts
    conditions: Conditions


_Ask: TypeAlias = Callable[[View], Verdict]


@value
class Rule:
    """A rule's name, the scenario it stands for, how it is asked, and its verdict when it is not."""

    name: str
    scenario: str
    ask: _Ask
    passed: Verdict


def _explicit(view: View) -> Verdict:
    """The caller names provider and model. Raises UnknownModelError when there is no such thing."""
    hit = view.policy.look_up(view.facts.model, wants_1m=view.facts.wants_1m)
    if hit.ref is not None:
        return Verdict("explicit", True, hit.because, hit.ref)
    if hit.explicit:
        raise UnknownModelError(hit.because, param="model")
    return Verdict("explicit", False, hit.because)


def _custom(view: View) -> Verdict:
    conditions = view.conditions
    if conditions.custom_error:
        return Verdict("custom", False, f"the custom router failed: {conditions.custom_error}")
    if not conditions.custom_asked:
        return _NO_CUSTOM
    if conditions.custom_answer is None:
        return Verdict("custom", False, "the custom router has no opinion")
    hit = view.policy.look_up(conditions.custom_answer)
    if hit.ref is None:
        answer = clip(conditions.custom_answer)
        return Verdict("custom", False, f"the custom router's answer {answer!r} is no target: {hit.because}")
    return Verdict("custom", True, "the custom router chose it", hit.ref)


def _subagent_tag(view: View) -> Verdict:
    tag = view.facts.subagent_tag.strip()
    if not tag:
        return _NO_TAG
    hit = view.policy.look_up(tag)
    if hit.ref is None:
        return Verdict("subagentTag", False, f"the tag {clip(tag)!r} is no target: {hit.because}")
    return Verdict("subagentTag", True, "the prompt carries a subagent tag", hit.ref)


def _long_context(view: View) -> Verdict:
    target, limit, seen = view.routes.long_context, view.routes.threshold, view.conditions
    if target is None:
        return _not_configured("longContext")
    if seen.low > limit:
        return Verdict("longContext", True, f"{_amount(seen)} input tokens are over {limit}", target)
    if seen.high > limit and seen.tokens_error:
        because = f"the input could not be counted ({seen.tokens_error}): {seen.low} to {seen.high} tokens"
        return Verdict("longContext", False, because)
    return Verdict("longContext", False, f"{_amount(seen)} input tokens are not over {limit}")


def _amount(seen: Conditions) -> str:
    """Say the number as well as it is known; the estimate is a bound, not a count."""
    if seen.counted:
        return str(seen.low)
    return f"{seen.low} to {seen.high}"


def _auxiliary(view: View) -> Verdict:
    if view.routes.background is None:
        return _not_configured("auxiliary")
    if view.facts.request_class is RequestClass.AUXILIARY:
        return Verdict("auxiliary", True, "the client calls it auxiliary", view.routes.background)
    return Verdict("auxiliary", False, "the client does not call it auxiliary")


def _compaction(view: View) -> Verdict:
    if view.routes.compaction is None:
        return _not_configured("compaction")
    if view.facts.request_class is RequestClass.COMPACTION or view.facts.compaction:
        return Verdict("compaction", True, "the client compacts its context", view.routes.compaction)
    return Verdict("compaction", False, "the client does not compact its context")


def _agent(view: View) -> Verdict:
    if not view.routes.agents:
        return _not_configured("agent")
    kind = view.facts.agent_type
    if not kind:
        return Verdict("agent", False, "the client names no agent type")
    target = view.routes.agents.get(kind.lower())
    if target is None:
        return Verdict("agent", False, f"no route for agent {clip(kind)!r}")
    return Verdict("agent", True, f"agent {clip(kind)!r}", target, route=f"agents.{kind.lower()}")


_SUBAGENT_CLASSES = (RequestClass.SUBAGENT, RequestClass.WORKFLOW)


def _subagent(view: View) -> Verdict:
    if view.routes.subagent is None:
        return _not_configured("subagent")
    if view.facts.is_subagent or view.facts.request_class in _SUBAGENT_CLASSES:
        return Verdict("subagent", True, "a subagent or a workflow asks", view.routes.subagent)
    return Verdict("subagent", False, "no subagent asks")


def _background(view: View) -> Verdict:
    if view.routes.background is None:
        return _not_configured("background")
    head, found, _ = view.facts.model.lower().rpartition("haiku")
    if found and "claude" in head:
        because = f"{clip(view.facts.model)!r} is a small model"
        return Verdict("background", True, because, view.routes.background)
    return Verdict("background", False, "the model is no claude*haiku*")


_OTHER_CLIENTS = frozenset({"openai_chat", "openai_responses", "gemini"})
"""Dialects that Claude Code does not speak. Their agents (Codex, measured) bring web search in every request, beside their
own tools, and ask for an effort only when somebody wants it."""


def _web_search(view: View) -> Verdict:
    if view.routes.web_search is None:
        return _not_configured("webSearch")
    searches = sum(kind.startswith("web_search") for kind in view.facts.tool_kinds)
    if not searches:
        return Verdict("webSearch", False, "no web search tool")
    if view.facts.dialect in _OTHER_CLIENTS and view.facts.tools > searches:
        return Verdict(
            "webSearch", False, "web search is only one of the tools that the client always offers"
        )
    return Verdict("webSearch", True, "the request brings a web search tool", view.routes.web_search)


def _think(view: View) -> Verdict:
    target = view.routes.think
    if target is None:
        return _not_configured("think")
    facts = view.facts
    if facts.thinking is ReasoningMode.OFF:
        return Verdict("think", False, "thinking is disabled")
    if facts.plan_mode:
        return Verdict("think", True, "plan mode", target)
    if facts.thinking is ReasoningMode.ON and facts.budget:
        return Verdict("think", True, f"thinking with a budget of {facts.budget}", target)
    if facts.effort is None or facts.effort.rank < view.routes.think_effort.rank:
        return Verdict("think", False, "no plan mode, no thinking budget, no such effort")
    if facts.effort is Effort.HIGH and facts.dialect not in _OTHER_CLIENTS and not is_claude(facts.model):
        return Verdict(
            "think", False, "effort high comes with every model name that the client does not know"
        )
    return Verdict("think", True, f"effort {facts.effort.value}", target)


def _image(view: View) -> Verdict:
    if view.routes.image is None:
        return _not_configured("image")
    if view.policy.describe_images:
        return Verdict("image", False, "images are described (forceUseImageAgent)")
    if view.facts.images:
        return Verdict("image", True, "an image in the current turn", view.routes.image)
    return Verdict("image", False, "no image in the current turn")


def _models(view: View) -> Verdict:
    if not view.routes.models:
        return _not_configured("models")
    name, wants_1m = view.facts.model.lower(), view.facts.wants_1m
    for glob, target in view.routes.models:
        if glob.matches(name, wants_1m=wants_1m):
            return Verdict("models", True, f"{clip(name)!r} is {str(glob)!r}", target, route=f"models.{glob}")
    return Verdict("models", False, "no pattern fits the name")


def _default(view: View) -> Verdict:
    # A session's router without a default leaves the global one in force: there must be an answer.
    target = view.routes.default or view.policy.table.default
    if target is None:
        return _not_configured("default")
    return Verdict("default", True, "no other rule", target)


def fits(view: View, chosen: ModelRef) -> Verdict:
    """Whether input and answer fit the chosen model's window; matched = moved to the long-context target."""
    window, seen, target = view.policy.window(chosen), view.conditions, view.routes.long_context
    if window.context is None:
        return Verdict("window", False, "the window of the target is not known")
    reserved = min(n for n in (view.facts.max_tokens, window.max_output, RESERVED_OUTPUT) if n is not None)
    if seen.low + reserved <= window.context:
        doubt = f"; the count failed: {seen.tokens_error}" if seen.tokens_error else ""
        return Verdict("window", False, f"it fits the window of {window.context}{doubt}")
    over = f"{_amount(seen)} + {reserved} tokens are over the window of {window.context}"
    if target is None or target == chosen:
        return Verdict("window", False, f"{over}, and there is no other longContext target")
    larger = view.policy.window(target).context
    if larger is not None and larger <= window.context:
        return Verdict("window", False, f"{over}, and that of {target} is no larger")
    return Verdict("window", True, f"{over} of {chosen}", target)


_MISSING = {
    name: Verdict(name, False, "not configured")
    for name in (
        *("longContext", "auxiliary", "compaction", "agent", "subagent", "background"),
        *("webSearch", "think", "image", "models", "default"),
    )
}
_NO_CUSTOM = Verdict("custom", False, "no custom router was asked")
_NO_TAG = Verdict("subagentTag", False, "no subagent tag")


def _not_configured(name: str) -> Verdict:
    return _MISSING[name]


def _rule(name: str, scenario: str, ask: _Ask) -> Rule:
    return Rule(name, scenario, ask, Verdict(name, False, "an earlier rule decided"))


_EXPLICIT, _CUSTOM = _rule("explicit", "explicit", _explicit), _rule("custom", "custom", _custom)

_OTHERS = (
    _rule("subagentTag", "subagent", _subagent_tag),
    _rule("longContext", "longContext", _long_context),
    _rule("auxiliary", "background", _auxiliary),
    _rule("compaction", "compaction", _compaction),
    _rule("agent", "agent", _agent),
    _rule("subagent", "subagent", _subagent),
    _rule("background", "background", _background),
    _rule("webSearch", "webSearch", _web_search),
    _rule("think", "think", _think),
    _rule("image", "image", _image),
    _rule("models", "models", _models),
    _rule("default", "default", _default),
)

EXPLICIT_FIRST = (_EXPLICIT, _CUSTOM, *_OTHERS)
"""The order of the rules."""

CUSTOM_FIRST = (_CUSTOM, _EXPLICIT, *_OTHERS)
"""The ancestor's precedence of a custom router (``Router.customFirst``)."""
