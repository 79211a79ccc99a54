"""Probes of tools: calls, choices, results."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ccr.application.operations.probing.materials import PING, TIME, WEATHER, after_tool, said
from ccr.application.operations.probing.talking import says, shown
from ccr.application.operations.probing.verdicts import Finding, Probe, degraded, failed, passed
from ccr.domain.conversation import FunctionTool, Text, ToolChoice, ToolMode
from ccr.domain.reply import StopReason
from ccr.domain.value import evolve
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from ccr.application.operations.probing.asking import Answered, Asker
    from ccr.domain.conversation import ToolCall

__all__ = ["TOOLING", "called", "input_of"]

_ROME = "What is the weather in Rome? Use the tool."
_LONG_NAME = "mcp__a_server_with_a_rather_long_name__reports_the_weather_of_the_city_that_is_asked_for"


def input_of(ask: Asker, call: ToolCall) -> dict[str, object] | None:
    """Return a call's input, None if it is no JSON object."""
    data = call.input.data if isinstance(call.input, Json) else call.input
    try:
        found = ask.parsed(data)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def called(ask: Asker, answered: Answered, name: str, **wanted: str) -> Finding:
    """Check that the first call is of this tool, with these words in its input, and that the reply stopped for it."""
    if not answered.calls:
        return failed(f"no tool was called; answered {shown(answered.text)}")
    call = answered.calls[0]
    if call.name != name:
        return failed(f"called {shown(call.name)}, not {shown(name)}")
    given = input_of(ask, call)
    if given is None:
        return failed(f"the input of the call is no JSON object: {shown(str(call.input))}")
    missing = [key for key, word in wanted.items() if word.lower() not in str(given.get(key, "")).lower()]
    if missing:
        return failed(f"the input of the call has no good {missing[0]!r}: {shown(str(given))}")
    if answered.reason is not StopReason.TOOL_USE:
        return failed(f"called a tool, but stopped by {answered.reason.value!r}")
    return passed(f"called {shown(name)} with {shown(str(given))}")


async def _tool(ask: Asker) -> Finding:
    answered = await ask(evolve(said(_ROME), tools=(WEATHER,)))
    return called(ask, answered, WEATHER.name, city="rome")


async def _tool_stream(ask: Asker) -> Finding:
    answered = await ask(evolve(said(_ROME), tools=(WEATHER,)), stream=True)
    return called(ask, answered, WEATHER.name, city="rome")


async def _parallel(ask: Asker) -> Finding:
    asked = said("What is the weather in Rome and in Oslo? Call the tool once for each city, both at once.")
    answered = await ask(evolve(asked, tools=(WEATHER,)), stream=True)
    inputs = [input_of(ask, call) or {} for call in answered.calls]
    cities = {str(given.get("city", "")).lower()[:4] for given in inputs}
    if len({call.id for call in answered.calls}) < len(answered.calls):
        return failed("two calls have the same id")
    if {"rome", "oslo"} <= cities:
        return passed("called the tool for both cities at once")
    if len(answered.calls) == 1 and cities & {"rome", "oslo"}:
        return degraded("called the tool for one city at a time")
    return failed(f"the calls are for {shown(', '.join(sorted(cities)))}")


async def _required(ask: Asker) -> Finding:
    asked = evolve(said("Hello, Rome!"), tools=(WEATHER,), tool_choice=ToolChoice(ToolMode.REQUIRED))
    return called(ask, await ask(asked), WEATHER.name)


async def _named(ask: Asker) -> Finding:
    choice = ToolChoice(ToolMode.NAMED, TIME.name)
    asked = evolve(said("Tell me about Rome."), tools=(WEATHER, TIME), tool_choice=choice)
    return called(ask, await ask(asked), TIME.name)


async def _no_args(ask: Asker) -> Finding:
    asked = evolve(said("Check that the system is alive. Use the tool ping."), tools=(PING,))
    return called(ask, await ask(asked, stream=True), PING.name)


async def _long_name(ask: Asker) -> Finding:
    tool = FunctionTool(_LONG_NAME, WEATHER.description, WEATHER.schema)
    answered = await ask(evolve(said(_ROME), tools=(tool,)), stream=True)
    return called(ask, answered, _LONG_NAME, city="rome")


async def _result(ask: Asker) -> Finding:
    turns = after_tool((Text("31 degrees, sunny"),), "How many degrees is it? Digits only.")
    return says(await ask(evolve(said(*turns), tools=(WEATHER,))), "31")


async def _error_result(ask: Asker) -> Finding:
    turns = after_tool(
        (Text("The weather service is down."),), "Did the tool succeed? Answer YES or NO.", is_error=True
    )
    answered = await ask(evolve(said(*turns), tools=(WEATHER,)))
    if re.search(r"\bno\b", answered.text, re.IGNORECASE):
        return passed(f"answered {shown(answered.text)}")
    return failed(f"took a failed tool for a good one: {shown(answered.text)}")


async def _empty_result(ask: Asker) -> Finding:
    turns = after_tool((), "The tool gave nothing, which is fine. Reply with the single word PONG.")
    return says(await ask(evolve(said(*turns), tools=(WEATHER,))), "pong")


TOOLING = (
    Probe("tool", "a tool is called", _tool),
    Probe("tool_stream", "a tool is called in a stream", _tool_stream),
    Probe("parallel_tools", "two calls at once", _parallel),
    Probe("tool_required", "tool_choice: some tool", _required),
    Probe("tool_named", "tool_choice: this tool", _named),
    Probe("tool_no_args", "a tool without arguments", _no_args),
    Probe("tool_long_name", "a tool's name of 88 characters", _long_name),
    Probe("tool_result", "a tool's result is read", _result),
    Probe("tool_error", "a tool's failure is understood", _error_result),
    Probe("tool_empty", "a tool's result may be empty", _empty_result),
)
