"""A conversation with tools and thinking that changes its provider in the middle: both strict ends accept it.

No state is kept between the turns, so any replica may serve the second one.
"""

from __future__ import annotations

import pytest

from tests.integration.matrix.conftest import MODELS, PROVIDERS, Ground
from tests.integration.matrix.drivers import DRIVERS, Options
from tests.support.scripts import Reply, Text, Thinking, ToolCall, text

PAIRS = [(first, second) for first in PROVIDERS for second in PROVIDERS]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("client", list(DRIVERS))
@pytest.mark.parametrize("first, second", PAIRS, ids=[f"{first}-{second}" for first, second in PAIRS])
def test_a_switch_in_a_tool_loop(ground: Ground, client: str, first: str, second: str, stream: bool) -> None:
    """First provider thinks and calls; the second gets the results, answers and calls; the first goes on."""
    ask = Reply((Thinking("I should look."), ToolCall("get_weather", {"city": "Rome"})))
    more = Reply((Thinking("One more."), Text("Nearly."), ToolCall("get_time", {"city": "Rome"})))
    upstreams = [ground.play(first, lambda _s, _n: ask)]
    session = ground.open(client, first, Options(stream, tools=True, think=True))
    got = session.say("What about Rome?")
    assert got.thinking == "I should look."

    upstreams.append(ground.play(second, lambda _s, _n: more))
    session.model = f"{second},{MODELS[second]}"
    got = session.give({call: "sunny" for call, _, _ in got.calls})
    assert got.text == "Nearly."
    assert [name for _, name, _ in got.calls] == ["get_time"]
    assert upstreams[1].rejections == []

    back = ground.play(first, lambda _s, _n: text("Sunny at noon"))
    session.model = f"{first},{MODELS[first]}"
    done = session.give({call: "noon" for call, _, _ in got.calls})

    assert done.text == "Sunny at noon"
    assert back.rejections == []
    given = sorted(back.seen[-1].tool_results.values())
    assert ["noon" in given[0], "sunny" in given[1]] == [True, True]
