"""Probes of plain talk: words in, words out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ccr.application.operations.probing.materials import LONG, assistant, said, user
from ccr.application.operations.probing.verdicts import Finding, Probe, degraded, failed, passed
from ccr.domain.conversation import OutputFormat, Role, Text, Turn
from ccr.domain.reply import StopReason
from ccr.domain.value import evolve
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from ccr.application.operations.probing.asking import Answered, Asker
    from ccr.domain.models import ModelProfile

__all__ = ["TALKING", "says", "shown"]

_PONG = "Reply with the single word PONG."
_STRANGE = "🦜 naïve 東京 👩‍👩‍👧 ½"
_FEWEST_PIECES = 3
_SHORTEST_LIMIT = 16
_ANSWER = Json(
    b'{"type":"object","properties":{"answer":{"type":"integer"}},"required":["answer"],"additionalProperties":false}'
)


def shown(text: str) -> str:
    """Return a text as evidence: one line, in quotes, bounded."""
    line = " ".join(text.split())
    return repr(line if len(line) <= 60 else f"{line[:57]}...")


def says(answered: Answered, word: str) -> Finding:
    """Look for a word in the answer."""
    if word.lower() in answered.text.lower():
        return passed(f"answered {shown(answered.text)}")
    return failed(f"answered {shown(answered.text)}, not {word!r}")


async def _plain(ask: Asker) -> Finding:
    return says(await ask(said(_PONG)), "pong")


async def _system(ask: Asker) -> Finding:
    asked = evolve(said("Hello"), system=(Text("Answer every message with the single word BANANA."),))
    return says(await ask(asked), "banana")


async def _stream(ask: Asker) -> Finding:
    return says(await ask(said(_PONG), stream=True), "pong")


async def _cadence(ask: Asker) -> Finding:
    asked = said("Count from 1 to 40 in digits, separated by spaces. Nothing else.")
    answered = await ask(asked, stream=True)
    if "40" not in answered.text:
        return failed(f"answered {shown(answered.text)}")
    if answered.pieces < _FEWEST_PIECES:
        return failed(f"the text of the stream came in {answered.pieces} piece(s), not as it was written")
    return passed(f"the text came in {answered.pieces} pieces")


async def _memory(ask: Asker) -> Finding:
    asked = said("My code word is MARMOT.", assistant("Noted."), user("What is my code word? One word."))
    return says(await ask(asked), "marmot")


async def _system_between(ask: Asker) -> Finding:
    rule = Turn(Role.SYSTEM, (Text("From now on answer every message with the single word KIWI."),))
    asked = said("Good morning.", assistant("Good morning!"), user("I am back."), rule, user("Hello"))
    return says(await ask(asked), "kiwi")


async def _unicode(ask: Asker) -> Finding:
    answered = await ask(said(f"Repeat exactly, and nothing else: {_STRANGE}"), stream=True)
    if "\ufffd" in answered.text:
        return failed("a character was cut in two: there is a U+FFFD in the text")
    if _STRANGE not in answered.text:
        return failed(f"answered {shown(answered.text)}")
    return passed("letters, signs and joined emoji came whole")


async def _max_tokens(ask: Asker) -> Finding:
    answered = await ask(said("Write a long story about a lighthouse.", max_tokens=_SHORTEST_LIMIT))
    if answered.reason is StopReason.MAX_TOKENS:
        return passed(f"stopped at the limit of {_SHORTEST_LIMIT} tokens and said so")
    return failed(f"with a limit of {_SHORTEST_LIMIT} tokens it stopped by {answered.reason.value!r}")


async def _stop(ask: Asker) -> Finding:
    asked = said("Count from 1 to 9 in digits, separated by spaces. Nothing else.")
    answered = await ask(evolve(asked, stop=("6",)))
    if re.search(r"[678]", answered.text):
        return failed(f"went on behind the stop sequence: {shown(answered.text)}")
    if "5" not in answered.text:
        return failed(f"answered {shown(answered.text)}")
    return passed(f"stopped before the stop sequence, by {answered.reason.value!r}")


async def _structured(ask: Asker) -> Finding:
    asked = evolve(said("What is 2 + 2?"), output_format=OutputFormat(_ANSWER, "sum", strict=True))
    answered = await ask(asked)
    try:
        found = ask.parsed(answered.text)
    except ValueError:
        found = None
    if isinstance(found, dict) and found.get("answer") == 2 + 2:
        return passed(f"answered {shown(answered.text)} by the schema")
    if ask.losses:
        return degraded(f"the schema cannot be sent; answered {shown(answered.text)}")
    return failed(f"answered {shown(answered.text)}, which is not by the schema")


def _unstructured(profile: ModelProfile) -> str:
    return "" if profile.output_format else "its profile knows no structured output"


async def _long(ask: Asker) -> Finding:
    words = " ".join(f"item{number}" for number in range(300))
    asked = said(f"Here is a list: {words}. What is the last item? One word.", max_tokens=LONG)
    return says(await ask(asked, stream=True), "item299")


TALKING = (
    Probe("plain", "a question and an answer", _plain),
    Probe("system", "the system prompt counts", _system),
    Probe("stream", "a streamed answer", _stream),
    Probe("cadence", "a stream comes bit by bit", _cadence),
    Probe("memory", "earlier turns count", _memory),
    Probe("long_input", "a prompt of a thousand tokens", _long),
    Probe("system_between", "a system message between turns", _system_between),
    Probe("unicode", "characters of several bytes, streamed", _unicode),
    Probe("max_tokens", "the output limit is kept and named", _max_tokens),
    Probe("stop_sequence", "a stop sequence", _stop),
    Probe("structured", "an answer by a JSON schema", _structured, _unstructured),
)
