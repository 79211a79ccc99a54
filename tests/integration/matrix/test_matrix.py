"""Four official SDKs before four provider dialects: what one of them gets, the others get too.

Upstreams are strict: they refuse what the real ones refuse, so a scene that ends well was spoken correctly. The outcome
is the table in docs/reference/matrix.md (``pytest --update`` writes it anew).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.matrix.conftest import PASSED, PROVIDERS, Ground
from tests.integration.matrix.drivers import DRIVERS, Driver, Got, Options, Refused
from tests.integration.matrix.table import render
from tests.support.scripts import Failure, Reply, Text, Thinking, ToolCall, Usage, by_turn, text

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "matrix.md"
CASES: dict[tuple[str, str, str, bool], bool] = {}
"""What came out of each scene, by client, provider, scene and stream."""


@pytest.fixture(params=list(DRIVERS))
def client(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=list(PROVIDERS))
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[False, True], ids=["whole", "stream"])
def stream(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(autouse=True)
def remembered(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    values = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    if {"client", "provider", "stream"} <= values.keys():
        scene = str(request.node.originalname).removeprefix("test_")
        key = (values["client"], values["provider"], scene, values["stream"])
        CASES[key] = CASES.get(key, True) and request.node.stash.get(PASSED, False)


def ended(got: Got, stop: str = "stop") -> None:
    assert got.stop == stop


def test_text(ground: Ground, client: str, provider: str, stream: bool) -> None:
    upstream = ground.play(provider, lambda _s, _n: text("Grüße from upstream 🙂"))
    got = ground.open(client, provider, Options(stream)).say("hello")

    assert (got.text, got.calls, got.tokens) == ("Grüße from upstream 🙂", (), (100, 20))
    ended(got)
    assert upstream.rejections == []
    assert [(seen.user_text, seen.streaming) for seen in upstream.seen] == [("hello", stream)]


def test_cut_short(ground: Ground, client: str, provider: str, stream: bool) -> None:
    ground.play(provider, lambda _s, _n: Reply((Text("half a"),), stop="max_tokens"))
    got = ground.open(client, provider, Options(stream)).say("hello")

    assert got.text == "half a"
    ended(got, "length")


def loop(ground: Ground, session: Driver, provider: str, *names: str, thought: str = "") -> Got:
    """Play a tool loop: calls, results, an answer."""
    asked = Reply(
        (
            *((Thinking(thought),) if thought else ()),
            *(ToolCall(name, {"city": f"Zürich {at}"}) for at, name in enumerate(names)),
        )
    )
    upstream = ground.play(provider, by_turn(asked, text("It is fine")))
    got = session.say("What about Zürich?")
    assert [(name, dict(given)) for _, name, given in got.calls] == [
        (name, {"city": f"Zürich {at}"}) for at, name in enumerate(names)
    ]
    ended(got, "tools")
    assert len({call for call, _, _ in got.calls}) == len(names)
    if thought:
        assert got.thinking == thought
    done = session.give({call: f"result of {name}" for call, name, _ in got.calls})
    assert done.text == "It is fine"
    ended(done)
    assert upstream.rejections == []
    last = upstream.seen[-1]
    given = sorted(last.tool_results.values())
    assert len(given) == len(names)
    # A result is an object in Gemini's dialect, so it may reach others as JSON.
    assert all(f"result of {name}" in result for name, result in zip(sorted(names), given, strict=True))
    return done


def test_tools(ground: Ground, client: str, provider: str, stream: bool) -> None:
    loop(ground, ground.open(client, provider, Options(stream, tools=True)), provider, "get_weather")


def test_parallel_tools(ground: Ground, client: str, provider: str, stream: bool) -> None:
    session = ground.open(client, provider, Options(stream, tools=True))
    loop(ground, session, provider, "get_weather", "get_time", "get_weather")


def test_thinking(ground: Ground, client: str, provider: str, stream: bool) -> None:
    session = ground.open(client, provider, Options(stream, tools=True, think=True))
    loop(ground, session, provider, "get_weather", thought="Let me look at the sky first.")


def test_image(ground: Ground, client: str, provider: str, stream: bool) -> None:
    upstream = ground.play(provider, lambda _s, _n: text("a dot"))
    got = ground.open(client, provider, Options(stream)).say("What is this?", image=True)

    assert got.text == "a dot"
    assert upstream.rejections == []
    assert upstream.seen[-1].images == ["image/png"]


def test_cached_tokens(ground: Ground, client: str, provider: str, stream: bool) -> None:
    usage = Usage(input=100, output=20, cache_read=900)
    ground.play(provider, lambda _s, _n: Reply((Text("ok"),), usage=usage))

    assert ground.open(client, provider, Options(stream)).say("hello").tokens == (1000, 20)


@pytest.mark.parametrize(
    "status, message, expected",
    [
        (429, "slow down", {429}),
        (500, "it broke", {500, 503}),  # as it came if it is relayed, else that the provider is not available
        (400, "no such thing", {400}),
    ],
    ids=["limit", "fault", "refused"],
)
def test_error(
    ground: Ground, client: str, provider: str, stream: bool, status: int, message: str, expected: set[int]
) -> None:
    ground.play(provider, lambda _s, _n: Failure(status, message))
    with pytest.raises(Refused) as caught:
        ground.open(client, provider, Options(stream)).say("hello")

    assert caught.value.status in expected
    assert message in caught.value.message


def test_failure_in_the_stream(ground: Ground, client: str, provider: str, stream: bool) -> None:
    if not stream:
        return  # there is no stream to cut
    ground.play(provider, lambda _s, _n: Reply((Text("word " * 40, pieces=20),)).cut(8))
    with pytest.raises(Exception):  # noqa: B017, PT011  # each SDK has its own; that it does not end well is the point
        ground.open(client, provider, Options(stream)).say("hello")


def test_the_page_is_what_came_out(request: pytest.FixtureRequest) -> None:
    """Last in the file; says nothing if the scenes were not all played in this session."""
    expected = len(DRIVERS) * len(PROVIDERS)
    scenes = {key[2] for key in CASES}
    if len({key[:2] for key in CASES}) < expected or "image" not in scenes:
        pytest.skip("only some of the scenes were played")
    page = render(CASES)
    if request.config.getoption("--update"):
        PAGE.write_text(page, "utf-8")
    assert PAGE.read_text("utf-8") == page
