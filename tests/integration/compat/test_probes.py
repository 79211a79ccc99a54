"""Probes find what is wrong with a provider, and nothing where nothing is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from ccr.adapters.wire.json import CODEC
from ccr.application.operations.probes import PROBES, RunProbes
from ccr.application.operations.probing.asking import Means
from ccr.application.ports.models import ModelFacts, ModelPrice, Rates
from ccr.domain.conversation import Effort
from ccr.domain.errors import InvalidRequestError, UnknownModelError
from ccr.domain.models import ReasoningStyle
from tests.integration.compat.conftest import RefusingAnthropic, RefusingOpenAI, gateway
from tests.support.assembly import Bench
from tests.support.competent import competent
from tests.support.fake_provider import FakeProvider
from tests.support.scripts import Answer, Failure, Json, Reply, Seen, Text, Thinking, ToolCall, Usage

pytestmark = pytest.mark.anyio


def probes_of(bench: Bench) -> RunProbes:
    container = bench.made.container
    means = Means(
        attempts=container.attempts(),
        settle=container.settle(),
        counting=container.counting(),
        clock=container.clock(),
        new_id=container.new_id(),
        codec=CODEC,
    )
    return RunProbes(container.catalog(), means)


def verdicts(report: Mapping[str, Any]) -> dict[str, str]:
    return {result["name"]: result["verdict"] for result in report["results"]}


WINDOW = 1200
PROFILES: dict[str, dict[str, Any]] = {
    "openai": {
        "reasoning": ReasoningStyle.EFFORT,
        "efforts": (Effort.MINIMAL, Effort.LOW, Effort.MEDIUM, Effort.HIGH),
        "reasoning_field": "reasoning_content",
    },
    "anthropic": {"reasoning": ReasoningStyle.ANTHROPIC},
}


def able(bench: Bench, dialect: str) -> None:
    """Let the model be one of which everything is known."""
    targets: Any = bench.made.container.catalog().current.targets
    for ref, target in list(targets.items()):
        profile = evolve(
            target.destination.profile, documents=True, context_window=WINDOW, **PROFILES[dialect]
        )
        targets[ref] = evolve(target, destination=evolve(target.destination, profile=profile))


async def run(up: FakeProvider, tmp_path: Path, *only: str, **more: Any) -> Any:
    async with up, gateway({"up": up}, tmp_path / "l.json") as bench:
        able(bench, up.dialect)
        return json.loads(json.dumps(await probes_of(bench)("up", only=only, **more)))


class Sees(RefusingOpenAI):
    """Chat completions that understand everything the probes send."""

    reasoning_echo = True


def overflow(seen: Seen, n: int) -> Answer:
    """Refuse what is longer than the window, in words that are known."""
    if len(json.dumps(seen.json)) > WINDOW * 5:
        return Failure(400, f"This model's maximum context length is {WINDOW} tokens.")
    return competent(seen, n)


@pytest.mark.parametrize("kind", [Sees, RefusingAnthropic])
async def test_a_good_provider_passes(tmp_path: Path, kind: type[FakeProvider]) -> None:
    report = await run(kind(overflow), tmp_path)
    found = verdicts(report)
    # What a plain speaker of the dialect is not sent is a loss, and no fault.
    lost: set[str] = {"structured", "thinking_replay"} if kind is RefusingAnthropic else set()

    assert len(found) == len(PROBES) >= 25
    assert {name for name, verdict in found.items() if verdict != "pass"} <= lost, report["results"]
    assert report["counts"]["fail"] == report["counts"]["skipped"] == 0
    assert (report["format"], report["provider"], report["model"]) == ("ccr-probes/1", "up", "m")
    assert 0 < report["spent"]["tokens"] < 20_000
    assert all(one["evidence"] for one in report["results"])


# ------------------------------------------------------------------------------------- planted defects

OpenAI, Anthropic = Sees, RefusingAnthropic


def last(seen: Seen) -> str:
    return seen.user_text.rpartition("\n")[2]


def saying(words: str, answer: Answer) -> Any:
    """Answer this question wrongly."""
    return lambda seen, n: answer if words in seen.user_text else overflow(seen, n)


def changed(change: Any) -> Any:
    """Change every good reply."""

    def script(seen: Seen, n: int) -> Answer:
        answer = overflow(seen, n)
        return change(seen, answer) if isinstance(answer, Reply) else answer

    return script


def in_one_piece(_: Seen, reply: Reply) -> Reply:
    return evolve(reply, parts=tuple(evolve(p, pieces=1) if isinstance(p, Text) else p for p in reply.parts))


def one_city_twice(_: Seen, reply: Reply) -> Reply:
    calls = [part for part in reply.parts if isinstance(part, ToolCall)]
    return evolve(reply, parts=(calls[0], calls[0])) if len(calls) > 1 else reply


def first_tool(seen: Seen, reply: Reply) -> Reply:
    calls = [part for part in reply.parts if isinstance(part, ToolCall)]
    return Reply((evolve(calls[0], name=seen.tool_names[0]),), usage=reply.usage) if calls else reply


def unforced(seen: Seen, reply: Reply) -> Reply:
    forced = seen.json.get("tool_choice") in ("required", {"type": "any"})
    return Reply((Text("Hello!"),)) if forced else reply


def cut_name(_: Seen, reply: Reply) -> Reply:
    parts = [evolve(p, name=p.name[:30]) if isinstance(p, ToolCall) else p for p in reply.parts]
    return evolve(reply, parts=tuple(parts))


def four_times(_: Seen, reply: Reply) -> Reply:
    usage = reply.usage or Usage()
    return reply.using(evolve(usage, input=usage.input * 4))


def uncounted_streams(seen: Seen, reply: Reply) -> Reply:
    return reply.using(None if seen.streaming else reply.usage)


def more_cached_than_all(_: Seen, reply: Reply) -> Reply:
    usage = reply.usage or Usage()
    return reply.using(evolve(usage, input=-usage.input, cache_read=2 * usage.input))


def always_thinking(_: Seen, reply: Reply) -> Reply:
    if any(isinstance(part, Thinking) for part in reply.parts):
        return reply
    return evolve(reply, parts=(Thinking("Hm."), *reply.parts))


def never_thinking(_: Seen, reply: Reply) -> Reply:
    return evolve(reply, parts=tuple(part for part in reply.parts if not isinstance(part, Thinking)))


def not_whole(seen: Seen, reply: Reply) -> Reply:
    simple = set(seen.json) == {"model", "messages", "max_tokens"} and len(seen.json["messages"]) == 1
    return Reply((Text("?"),), usage=reply.usage) if simple and "PONG" in last(seen)[:40] else reply


def unending(_: Seen, reply: Reply) -> Reply:
    return evolve(reply, stop="end_turn") if reply.stop == "max_tokens" else reply


def refusing(kind: type[Any], refuse: Any, script: Any = overflow) -> Any:
    def make() -> FakeProvider:
        made = kind(script)
        made.refuse = refuse
        return made  # type: ignore[no-any-return]  # one of the two fakes

    return make


def no_empty_results(body: Json, _: Mapping[str, str]) -> str | None:
    bad = re.search(r'"content": ?(""|\[\])|no output', json.dumps(body["messages"]))
    return "the result of a tool has no text" if bad or "gave nothing" in json.dumps(body) else None


def no_system_between(body: Json, _: Mapping[str, str]) -> str | None:
    roles = [message["role"] for message in body["messages"]]
    return "system only at the beginning" if "system" in roles[1:] else None


def no_own_thinking(body: Json, _: Mapping[str, str]) -> str | None:
    return "we do not like this history" if "Let me see." in json.dumps(body["messages"]) else None


def only_some_efforts(body: Json, _: Mapping[str, str]) -> str | None:
    return "wrong effort" if body.get("reasoning_effort") == "low" else None


def without_system(script: Any) -> Any:
    """A provider that drops the system prompt."""

    def heard(seen: Seen, n: int) -> Answer:
        messages = seen.messages
        if messages and messages[0]["role"] == "system":
            messages = messages[1:]
        answer: Answer = script(evolve(seen, json={**seen.json, "messages": messages}), n)
        return answer

    return heard


def blind_to_results(script: Any) -> Any:
    def heard(seen: Seen, n: int) -> Answer:
        found = "colour" in last(seen) and seen.tool_results
        return Reply((Text("I see no picture"),)) if found else script(seen, n)

    return heard


DEFECTS: dict[str, tuple[str, Any]] = {
    "nothing but streams": ("plain", lambda: OpenAI(changed(not_whole))),
    "no system prompt": ("system", lambda: OpenAI(without_system(overflow))),
    "a stream in one piece": ("cadence", lambda: OpenAI(changed(in_one_piece))),
    "no memory": ("memory", lambda: Anthropic(saying("What is my code word", Reply((Text("Which?"),))))),
    "half of a long prompt": (
        "long_input",
        lambda: OpenAI(saying("Here is a list", Reply((Text("item150"),)))),
    ),
    "no system between": ("system_between", refusing(OpenAI, no_system_between)),
    "characters cut": (
        "unicode",
        lambda: OpenAI(saying("Repeat exactly", Reply((Text("\ufffd na\ufffdve"),)))),
    ),
    "no reason of the end": ("max_tokens", lambda: Anthropic(changed(unending))),
    "no stop sequences": (
        "stop_sequence",
        lambda: OpenAI(saying("Count from 1 to 9", Reply((Text("1 2 3 4 5 6 7"),)))),
    ),
    "no schema": ("structured", lambda: OpenAI(saying("2 + 2", Reply((Text("Four."),))))),
    "the same call twice": ("parallel_tools", lambda: OpenAI(changed(one_city_twice))),
    "tool_choice required is ignored": ("tool_required", lambda: OpenAI(changed(unforced))),
    "tool_choice by name is ignored": ("tool_named", lambda: Anthropic(changed(first_tool))),
    "names of tools are cut": ("tool_long_name", lambda: Anthropic(changed(cut_name))),
    "failures are not passed on": (
        "tool_error",
        lambda: Anthropic(saying("Did the tool succeed", Reply((Text("YES"),)))),
    ),
    "empty results are refused": ("tool_empty", refusing(Anthropic, no_empty_results)),
    "pictures of tools are dropped": ("tool_result_image", lambda: Anthropic(blind_to_results(overflow))),
    "documents are dropped": (
        "document",
        lambda: OpenAI(saying("in this document", Reply((Text("Which?"),)))),
    ),
    "it always thinks": ("thinking_off", lambda: Anthropic(changed(always_thinking))),
    "an effort is refused": ("effort_levels", refusing(OpenAI, only_some_efforts)),
    "its own thinking is refused": ("thinking_replay", refusing(OpenAI, no_own_thinking)),
    "streams are not counted": ("usage", lambda: OpenAI(changed(uncounted_streams))),
    "characters instead of tokens": ("count", lambda: OpenAI(changed(four_times))),
    "odd words for an overflow": (
        "overflow",
        lambda: OpenAI(
            lambda s, n: Failure(400, "no") if len(json.dumps(s.json)) > WINDOW * 5 else competent(s, n)
        ),
    ),
}


@pytest.mark.parametrize("defect", list(DEFECTS))
async def test_a_planted_defect_is_found_by_its_probe_and_by_no_other(tmp_path: Path, defect: str) -> None:
    probe, make = DEFECTS[defect]
    report = await run(make(), tmp_path)
    failed = {one["name"]: one["evidence"] for one in report["results"] if one["verdict"] == "fail"}

    assert list(failed) == [probe], failed


# --------------------------------------------------------------------------------------------- the run


async def test_a_budget_in_tokens_stops_the_run(tmp_path: Path) -> None:
    report = await run(OpenAI(overflow), tmp_path, budget="3000")
    found = verdicts(report)

    assert report["stopped"] == "the budget is spent"
    assert report["spent"]["tokens"] <= 3000
    assert found["plain"] == "pass"
    assert found["count"] == "skipped"
    assert [one["evidence"] for one in report["results"]][-1] == "the budget is spent"


async def test_a_prompt_that_is_too_dear_is_not_sent(tmp_path: Path) -> None:
    up = OpenAI(overflow)
    report = await run(up, tmp_path, "overflow", budget="2k")

    assert verdicts(report) == {"overflow": "skipped"}
    assert up.requests == []


class Prices:
    """A ModelBook of one model."""

    def lookup(self, provider: str, model: str) -> ModelFacts | None:
        rates = Rates(input=1000.0, output=2000.0)
        return ModelFacts(provider, model, prices=(ModelPrice("2026-01-01", rates),))

    def of_provider(self, provider: str) -> tuple[ModelFacts, ...]:
        return ()

    def providers(self) -> tuple[str, ...]:
        return ()


async def test_a_budget_in_dollars(tmp_path: Path) -> None:
    async with OpenAI(overflow) as up, gateway({"up": up}, tmp_path / "l.json") as bench:
        probes = RunProbes(bench.made.container.catalog(), probes_of(bench).means, Prices())
        report: Any = await probes("up", budget="$3")

    assert report["budget"] == {"most": 3.0, "unit": "usd"}
    assert report["stopped"] == "the budget is spent"
    assert 0 < report["spent"]["usd"] <= 3.0


async def test_a_key_that_is_refused_ends_the_run(tmp_path: Path) -> None:
    up = OpenAI(overflow)
    async with up, gateway({"up": up}, tmp_path / "l.json") as bench:
        up.key = "another"
        report: Any = await probes_of(bench)("UP", "m")

    assert report["stopped"] == "our key was refused"
    assert report["counts"]["fail"] == 1
    assert len(up.requests) == 1


async def test_what_was_learned_on_the_way_is_shown_as_a_loss(tmp_path: Path) -> None:
    def refuse(body: Json, _: Mapping[str, str]) -> str | None:
        return "Unknown parameter: 'stop'." if "stop" in body else None

    script = saying("Count from 1 to 9", Reply((Text("1 2 3 4 5"),)))
    report = await run(refusing(OpenAI, refuse, script)(), tmp_path, "stop_sequence")

    (found,) = report["results"]
    assert (found["verdict"], found["losses"]) == ("degraded", ["stop=learned"])


async def test_every_question_is_written_down(tmp_path: Path) -> None:
    async with OpenAI(overflow) as up, gateway({"up": up}, tmp_path / "l.json") as bench:
        await probes_of(bench)("up", only=["plain", "stream"])

        assert [one.status for one in bench.records.kept] == [200, 200]
        assert all((one.usage.output or 0) > 0 for one in bench.records.kept)


async def test_an_answer_that_breaks_off_is_a_failure_of_the_probe(tmp_path: Path) -> None:
    report = await run(OpenAI(changed(lambda _s, r: r.cut(3))), tmp_path, "stream")

    assert verdicts(report) == {"stream": "fail"}
    assert "upstream" in report["results"][0]["evidence"]


@pytest.mark.parametrize(
    "words, problem",
    [
        ({"only": ["nonsense"]}, "no probe 'nonsense'"),
        ({"budget": "much"}, "no budget"),
        ({"budget": "0"}, "no budget"),
        ({"budget": "$1"}, "no price"),
    ],
)
async def test_what_cannot_be_run(tmp_path: Path, words: dict[str, Any], problem: str) -> None:
    async with OpenAI(overflow) as up, gateway({"up": up}, tmp_path / "l.json") as bench:
        with pytest.raises(InvalidRequestError, match=problem):
            await probes_of(bench)("up", **words)
        with pytest.raises(UnknownModelError, match="there are: up"):
            await probes_of(bench)("nobody")
        with pytest.raises(UnknownModelError):
            await probes_of(bench)("up", "other")


async def test_a_provider_that_is_built_in_can_be_tested(tmp_path: Path) -> None:
    async with OpenAI(overflow) as up, gateway({"up": up}, tmp_path / "l.json") as bench:
        report: Any = await probes_of(bench)("demo", only=["stream"])

    assert (report["provider"], report["endpoint"][:4]) == ("demo", "demo")
