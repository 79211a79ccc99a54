"""The official SDKs under every fault: the whole reply or an error of their own, in time, and never half a tool call.

Each SDK asks the provider whose dialect is not its own, streamed and not, so that everything is translated; Anthropic's
also asks the one that speaks its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import anthropic
import msgspec
import openai
import pytest
from attrs import define, frozen
from google import genai
from google.genai import errors as genai_errors
from google.genai import types as gt

from tests.support.faulty.catalogue import CUT, EITHER, FAULTS, OK, Fault
from tests.support.faulty.run import MOST_SECONDS, serving
from tests.support.faulty.server import in_a_process

pytestmark = pytest.mark.slow

_AT_ONCE = 24
_TOOL = "tool:"
_SCHEMA: dict[str, Any] = {"type": "object", "properties": {"command": {"type": "string"}}}
_OWN = (anthropic.APIError, openai.APIError, genai_errors.APIError)
"""What the SDKs raise of themselves. Google's raises a ValueError for an error inside a stream, see below."""


@define
class Got:
    """What a program has in hand after a call that raised nothing."""

    text: str = ""
    tools: Sequence[str] = ()
    finished: bool = False


Ask = Callable[[str, bool], Awaitable[Got]]


@frozen
class Asked:
    sdk: str
    fault: Fault
    dialect: str
    stream: bool

    def __str__(self) -> str:
        return f"{self.fault.name}-{self.dialect}-{self.sdk}-{'stream' if self.stream else 'whole'}"


@define
class Outcome:
    got: Got | None
    error: BaseException | None
    seconds: float


_ACROSS = {
    "anthropic": ("anthropic", "openai_chat", "openai_responses", "gemini"),
    "chat": ("anthropic", "gemini"),
    "responses": ("openai_chat", "anthropic"),
    "google": ("openai_chat", "anthropic"),
}
CASES = [
    Asked(sdk, fault, dialect, stream)
    for sdk, dialects in _ACROSS.items()
    for fault in FAULTS.values()
    for dialect in dialects
    if dialect in fault.dialects
    for stream in (True, False)
]


# ------------------------------------------------------------------------------------------------ the SDKs


@contextlib.asynccontextmanager
async def _asking(base_url: str) -> AsyncIterator[dict[str, Ask]]:
    # One session for all, so that no circuit opens.
    session = {"x-claude-code-session-id": "faults"}
    options = gt.HttpOptions(base_url=base_url, headers=session, timeout=60_000)
    async with (
        anthropic.AsyncAnthropic(
            base_url=base_url, api_key="k", max_retries=0, timeout=60, default_headers=session
        ) as claude,
        openai.AsyncOpenAI(
            base_url=f"{base_url}/v1", api_key="k", max_retries=0, timeout=60, default_headers=session
        ) as gpt,
    ):
        google = genai.Client(api_key="k", http_options=options).aio
        yield {
            "anthropic": lambda model, stream: _claude(claude, model, stream=stream),
            "chat": lambda model, stream: _chat(gpt, model, stream=stream),
            "responses": lambda model, stream: _responses(gpt, model, stream=stream),
            "google": lambda model, stream: _google(google, model, stream=stream),
        }
        await google.aclose()


async def _claude(client: anthropic.AsyncAnthropic, model: str, *, stream: bool) -> Got:
    said: dict[str, Any] = {
        "model": model,
        "max_tokens": 64,
        "messages": [{"role": "user", "content": "hi"}],
        "tools": [{"name": "Bash", "input_schema": _SCHEMA}],
    }
    if stream:
        async with client.messages.stream(**said) as events:
            message = await events.get_final_message()
    else:
        message = await client.messages.create(**said)
    return Got(
        "".join(block.text for block in message.content if block.type == "text"),
        [_dumped(block.input) for block in message.content if block.type == "tool_use"]
        if message.stop_reason == "tool_use"
        else [],
        message.stop_reason is not None,
    )


async def _chat(client: openai.AsyncOpenAI, model: str, *, stream: bool) -> Got:
    tool: dict[str, Any] = {"type": "function", "function": {"name": "Bash", "parameters": _SCHEMA}}
    said: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": "hi"}], "tools": [tool]}
    if not stream:
        choice = (await client.chat.completions.create(**said)).choices[0]
        calls = [
            call.function.arguments for call in choice.message.tool_calls or () if call.type == "function"
        ]
        reason = choice.finish_reason
        return Got(choice.message.content or "", calls if reason == "tool_calls" else [], bool(reason))
    text, arguments, reason = "", dict[int, str](), None
    async for chunk in await client.chat.completions.create(**said, stream=True):
        for choice in chunk.choices:
            text += choice.delta.content or ""
            reason = choice.finish_reason or reason
            for call in choice.delta.tool_calls or ():
                more = (call.function.arguments if call.function else "") or ""
                arguments[call.index] = arguments.get(call.index, "") + more
    # A program runs tools when it is told so; without a reason it has been cut off.
    return Got(text, list(arguments.values()) if reason == "tool_calls" else [], reason is not None)


async def _responses(client: openai.AsyncOpenAI, model: str, *, stream: bool) -> Got:
    said: dict[str, Any] = {
        "model": model,
        "input": "hi",
        "tools": [{"type": "function", "name": "Bash", "parameters": _SCHEMA, "strict": False}],
    }
    if stream:
        response = None
        async for event in await client.responses.create(**said, stream=True):
            if event.type in ("response.completed", "response.incomplete", "response.failed"):
                response = event.response
            elif event.type == "error":
                return Got()
        if response is None:
            return Got()
    else:
        response = await client.responses.create(**said)
    calls = [item.arguments for item in response.output if item.type == "function_call"]
    whole = response.status in ("completed", "incomplete")
    return Got(response.output_text, calls if response.status == "completed" else [], whole)


async def _google(client: Any, model: str, *, stream: bool) -> Got:
    tool = gt.FunctionDeclaration(name="Bash", parameters_json_schema=_SCHEMA)
    config = gt.GenerateContentConfig(tools=[gt.Tool(function_declarations=[tool])])
    said: dict[str, Any] = {"model": model, "contents": "hi", "config": config}
    if stream:
        replies = [reply async for reply in await client.models.generate_content_stream(**said)]
    else:
        replies = [await client.models.generate_content(**said)]
    candidates = [candidate for reply in replies for candidate in reply.candidates or ()]
    parts = [part for one in candidates for part in (one.content and one.content.parts) or ()]
    finished = any(candidate.finish_reason for candidate in candidates)
    calls = [_dumped(part.function_call.args) for part in parts if part.function_call]
    text = "".join(part.text for part in parts if part.text and not part.thought)
    return Got(text, calls if finished else [], finished)


def _dumped(value: object) -> str:
    return msgspec.json.encode(value).decode()


# -------------------------------------------------------------------------------------------------- the run


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    return asyncio.run(_all(tmp_path_factory.mktemp("sdks")))


async def _all(folder: Path) -> dict[str, Outcome]:
    # A provider of its own time: what the SDKs take of the processor is not to look like its delay.
    with in_a_process() as provider:
        async with (
            serving(provider, folder, {"firstByteMs": 4000}) as gateway,
            _asking(gateway.base_url) as sdks,
        ):
            found = await _each(sdks)
    return {str(case): outcome for case, outcome in zip(CASES, found, strict=True)}


async def _each(sdks: dict[str, Ask]) -> list[Outcome]:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(case: Asked) -> Outcome:
        async with gate:
            began = time.monotonic()
            got, error = None, None
            model = f"at-{case.dialect},{case.fault.name}"
            try:
                async with asyncio.timeout(60):
                    got = await sdks[case.sdk](model, case.stream)
            except Exception as raised:  # noqa: BLE001 - what it is, is what is judged
                error = raised
            return Outcome(got, error, time.monotonic() - began)

    return await asyncio.gather(*map(one, CASES))


def _problems(case: Asked, outcome: Outcome) -> list[str]:
    said = [] if outcome.seconds < 2 * MOST_SECONDS else [f"it took {outcome.seconds:.1f} s"]
    expected = case.fault.stream if case.stream else case.fault.whole
    got = outcome.got
    whole = got is not None and got.finished
    if outcome.error is not None and not isinstance(outcome.error, _OWN):
        said.append(f"not an error of the SDK: {outcome.error!r}")
    if expected == OK and not whole:
        said.append(f"should have gone well: {outcome.error!r} {got}")
    if expected not in (OK, EITHER) and whole:
        said.append(f"should have failed: {got}")
    if got is not None and whole and expected in (OK, EITHER):
        said += _content(case.fault.text, got, strict=expected == OK)
    said += [
        f"a finished tool call without an object: {tool}"
        for tool in (got.tools if got is not None else ())
        if not _is_object(tool)
    ]
    return said


def _is_object(text: str) -> bool:
    try:
        return isinstance(msgspec.json.decode(text), dict)
    except msgspec.DecodeError:
        return False


def _content(text: str, got: Got, *, strict: bool) -> list[str]:
    if not strict:
        return []
    if text.startswith(_TOOL):
        wanted = msgspec.json.decode(text.removeprefix(_TOOL))
        return (
            []
            if wanted in [msgspec.json.decode(tool) for tool in got.tools if _is_object(tool)]
            else [f"the tool's input was {got.tools}"]
        )
    return [] if got.text == text else [f"the text was {got.text[:80]!r}"]


@pytest.mark.parametrize("sdk", _ACROSS)
def test_a_program_gets_the_whole_reply_or_an_error_of_its_sdk(
    outcomes: dict[str, Outcome], sdk: str
) -> None:
    wrong = {
        str(case): problems
        for case in CASES
        if case.sdk == sdk and (problems := _problems(case, outcomes[str(case)]))
    }

    assert wrong == {}


def test_every_way_of_failing_was_met() -> None:
    assert {case.fault.stream for case in CASES} >= {OK, EITHER, CUT}
    assert len(CASES) > 2000
