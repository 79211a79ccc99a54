"""Replies of providers, as bytes: a folder more is a test more.

`request.json` is what a Claude Code client asked, `reply.sse` or `reply.json` what the provider answered;
`expected.json` is what we sent and what we understood, written anew by `pytest --update`. `about.md` says where the bytes
come from, and with which dialect they are spoken. A folder is named for a provider, or for a dialect.
"""

from __future__ import annotations

import importlib
from contextlib import suppress
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import attrs
import msgspec
import pytest
from attrs import evolve

from ccr.adapters import dialects
from ccr.adapters.dialects.anthropic import AnthropicClient
from ccr.adapters.dialects.openai_chat import OpenAIChatProvider
from ccr.adapters.models.catalog import PackagedModels
from ccr.adapters.providers.loader import PackagedProviders
from ccr.adapters.wire.sse import SseFramer
from ccr.application.call import Call, Disconnect
from ccr.application.ports.dialect import ProviderDialect
from ccr.application.ports.models import profile_with
from ccr.application.ports.provider import ProviderSpec
from ccr.domain.access import LOCAL
from ccr.domain.conversation import Conversation
from ccr.domain.facts import Operation
from ccr.domain.models import ModelProfile
from ccr.domain.stream import StreamEvent, unfold
from ccr.domain.usage import Usage
from tests.support.chat import outline
from tests.support.fake_openai import FakeOpenAI
from tests.support.loopback import Recorded
from tests.support.scripts import by_turn
from tests.support.scripts import text as words
from tests.support.strategies import decoded

ROOT = Path(__file__).parents[3] / "fixtures" / "providers"
CASES = sorted(path.parent for path in ROOT.glob("*/*/about.md"))
BOOK = PackagedProviders()
MODELS = PackagedModels()
SOURCES = ("documentation (", "sdk (", "constructed")


def provider_dialects() -> dict[str, ProviderDialect]:
    """Every dialect in which providers are spoken to, by a scan of the package; one that is not whole is not there."""
    found: dict[str, ProviderDialect] = {}
    for info in iter_modules(dialects.__path__, f"{dialects.__name__}."):
        with suppress(ModuleNotFoundError):
            for name, kind in vars(importlib.import_module(info.name)).items():
                if isinstance(kind, type) and name.endswith("Provider"):
                    made = kind()
                    found[made.name] = made
    return found


DIALECTS = provider_dialects()


def about(case: Path) -> dict[str, str]:
    lines = (case / "about.md").read_text("utf-8").splitlines()
    return dict(line.split(": ", 1) for line in lines if ": " in line)


def spec_of(folder: str) -> ProviderSpec:
    """The provider of that name, else the first that has an endpoint of that dialect."""
    speaks = (BOOK.by_name(name) for name in BOOK.names())
    spec = BOOK.by_name(folder) or next(
        (spec for spec in speaks if spec and any(end.dialect == folder for end in spec.endpoints)), None
    )
    assert spec is not None, f"{folder} is neither a provider nor a dialect of one"
    return spec


async def never() -> bytes:
    raise AssertionError("the body is there")


def conversation(body: bytes) -> Conversation:
    call = Call(
        operation=Operation.GENERATE,
        dialect="anthropic",
        path="/v1/messages",
        headers={},
        principal=LOCAL,
        request_id="r",
        load=never,
        disconnect=Disconnect(),
        received=0.0,
        body=body,
    )
    return AnthropicClient().read(call).conversation()


def understood(
    case: Path, dialect: ProviderDialect, asked: Conversation, profile: ModelProfile, status: int
) -> dict[str, Any]:
    whole, stream = case / "reply.json", case / "reply.sse"
    if status >= 400:
        error = dialect.decode_error(status, {}, whole.read_bytes(), provider=case.parent.name)
        return {"error": error.kind, "message": error.message}
    if stream.is_file():
        data = stream.read_bytes()
        events: list[StreamEvent] = decoded(
            lambda: dialect.stream_decoder(SseFramer()), [data[at : at + 7] for at in range(0, len(data), 7)]
        )
    else:
        events = unfold(dialect.read_reply(whole.read_bytes()))
    staging = getattr(dialect, "reply_stage", None)
    stage = staging(asked, profile) if staging else None
    usage = Usage()
    for event in events:
        usage = usage.merged(getattr(event, "usage", Usage()))
    used = {
        name: got for name in attrs.fields_dict(Usage) if isinstance(got := getattr(usage, name, None), int)
    }
    return {"events": outline(stage.feed(events) if stage else events), "usage": used}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_a_reply_of_a_provider(case: Path, pytestconfig: pytest.Config) -> None:
    told = about(case)
    assert told["source"].startswith(SOURCES)
    assert told["date"] >= "2026"
    dialect = DIALECTS[told["dialect"]]
    spec = spec_of(case.parent.name)
    endpoint = next(end for end in spec.endpoints if end.dialect == dialect.name)
    asked = conversation((case / "request.json").read_bytes())
    facts = MODELS.lookup(spec.name, asked.model)
    profile = profile_with(spec.profile(asked.model), facts, spec.told(asked.model))
    encoded = dialect.write_request(evolve(asked), profile, is_anthropic=endpoint.is_anthropic)
    got = {
        "sent": msgspec.json.decode(encoded.payload.encode()),
        "losses": [str(loss) for loss in encoded.losses],
        **understood(case, dialect, asked, profile, int(told["status"])),
    }
    expected = case / "expected.json"
    if pytestconfig.getoption("--update"):
        expected.write_bytes(msgspec.json.format(msgspec.json.encode(got), indent=2) + b"\n")
    assert msgspec.json.decode(expected.read_bytes()) == got


@pytest.mark.parametrize("name", BOOK.names())
def test_every_provider_has_cases_of_every_kind(name: str) -> None:
    assert {"text", "tool_call", "truncated", "error"} <= {
        case.name for case in CASES if case.parent.name == name
    }


CLIENT = sorted((ROOT.parent / "claude-code").glob("*.json"))


@pytest.mark.parametrize("path", CLIENT, ids=lambda path: path.stem)
@pytest.mark.parametrize(
    "profile", [ModelProfile(max_output=16384), ModelProfile(system_in_turns=False, images=False)]
)
def test_requests_of_the_real_client_pass_a_strict_provider(path: Path, profile: ModelProfile) -> None:
    strict = FakeOpenAI(by_turn(words("x")), key="", max_tokens=200_000)
    for recorded in msgspec.json.decode(path.read_bytes())["requests"]:
        if not isinstance(recorded["body"], dict) or "messages" not in recorded["body"]:
            continue
        asked = conversation(msgspec.json.encode(recorded["body"]))
        payload = OpenAIChatProvider().write_request(asked, profile, is_anthropic=False).payload.encode()
        strict.check(Recorded("POST", "/v1/chat/completions", {}, payload, 0.0, msgspec.json.decode(payload)))
        assert b"x-anthropic-billing-header" not in payload
        assert b"DeferredToolPlaceholder" not in payload
