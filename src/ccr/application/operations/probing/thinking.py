"""Probes of thinking: on, off, how much, and given back in a tool loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.application.operations.probing.materials import LONG, WEATHER, said, user
from ccr.application.operations.probing.talking import says, shown
from ccr.application.operations.probing.tooling import called
from ccr.application.operations.probing.verdicts import Finding, Probe, Verdict, degraded, failed, passed
from ccr.domain.conversation import Effort, Reasoning, ReasoningMode, Role, Text, ToolResult, Turn
from ccr.domain.errors import UpstreamRejectedError
from ccr.domain.models import ModelProfile, ReasoningStyle
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from ccr.application.operations.probing.asking import Answered, Asker

__all__ = ["THINKING"]

_BUDGET = 2048
_ON = Reasoning(ReasoningMode.ON, budget=_BUDGET, visible=True)
_LEVELS = (Effort.LOW, Effort.HIGH, Effort.MAX)


def _silent(profile: ModelProfile) -> str:
    return (
        "its profile does not say how it is told to think" if profile.reasoning is ReasoningStyle.NONE else ""
    )


def _thought(answered: Answered) -> bool:
    return bool(answered.thoughts) or bool(answered.usage.reasoning)


async def _on(ask: Asker) -> Finding:
    asked = evolve(said("What is 17 times 23? Digits only.", max_tokens=LONG), reasoning=_ON)
    answered = await ask(asked, stream=True)
    found = says(answered, "391")
    if found.verdict is not Verdict.OK:
        return found
    if not _thought(answered):
        return degraded("answered, but neither thinking nor a count of its tokens came back")
    return passed(f"thought ({answered.usage.reasoning or 'unknown'} tokens), then answered")


async def _off(ask: Asker) -> Finding:
    asked = evolve(said("Reply with the single word PONG."), reasoning=Reasoning(ReasoningMode.OFF))
    answered = await ask(asked)
    found = says(answered, "pong")
    if found.verdict is not Verdict.OK or not _thought(answered):
        return found
    told = "thought although it was told not to"
    return failed(told) if ask.profile.reasoning_off else degraded(f"{told}, as its profile says")


async def _levels(ask: Asker) -> Finding:
    for level in _LEVELS:
        reasoning = Reasoning(ReasoningMode.ADAPTIVE, effort=level)
        asked = evolve(said("Reply with the single word PONG.", max_tokens=LONG), reasoning=reasoning)
        try:
            found = says(await ask(asked), "pong")
        except UpstreamRejectedError as error:
            return failed(f"refused the effort {level.value!r}: {shown(error.message)}")
        if found.verdict is not Verdict.OK:
            return failed(f"at the effort {level.value!r} it {found.evidence}")
    return passed(f"took {', '.join(level.value for level in _LEVELS)}")


async def _replay(ask: Asker) -> Finding:
    """What it thought before a call goes back with the call, sealed as it came."""
    question = user("What is the weather in Rome? Use the tool.")
    asked = evolve(said(question, max_tokens=LONG), tools=(WEATHER,), reasoning=_ON)
    first = await ask(asked, stream=True)
    found = called(ask, first, WEATHER.name, city="rome")
    if found.verdict is not Verdict.OK:
        return found
    results = [ToolResult(call.id, (Text("31 degrees, sunny"),)) for call in first.calls]
    turns = (
        question,
        Turn(Role.ASSISTANT, first.reply.blocks),
        user(*results, "How many degrees is it? Digits only."),
    )
    try:
        found = says(await ask(evolve(asked, turns=turns), stream=True), "31")
    except UpstreamRejectedError as error:
        return failed(f"refused its own thinking: {shown(error.message)}")
    if found.verdict is Verdict.OK and not first.thoughts:
        return passed("a tool loop while thinking; there was no thinking to give back")
    return found


THINKING = (
    Probe("thinking_on", "it thinks when it is told to", _on, _silent),
    Probe("thinking_off", "it does not when it is told not to", _off, _silent),
    Probe("effort_levels", "low, high and max are taken", _levels, _silent),
    Probe("thinking_replay", "its thinking comes back in a tool loop", _replay, _silent),
)
