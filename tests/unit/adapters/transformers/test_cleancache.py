from __future__ import annotations

from ccr.adapters.transformers.cleancache import CleanCache
from ccr.domain.conversation import (
    CacheMark,
    Conversation,
    FunctionTool,
    HostedTool,
    Role,
    Text,
    Thinking,
    ToolResult,
    Turn,
)
from ccr.domain.verbatim import Json, Verbatim
from tests.support.destinations import destination

MARK = CacheMark()


def test_cache_marks_are_taken_off_everywhere() -> None:
    untouched = Turn(Role.USER, (Text("a"), Thinking("t")), Verbatim("anthropic", b"{}"))
    marked = Turn(Role.USER, (Text("b", MARK),), Verbatim("anthropic", b"{}"))
    hosted = HostedTool("k", "n", "anthropic", Json(b"{}"))
    conversation = Conversation(
        "m", (untouched, marked), (Text("s", MARK),), (FunctionTool("f", cache=MARK), hosted)
    )
    expected = Conversation(
        "m", (untouched, Turn(Role.USER, (Text("b"),))), (Text("s"),), (FunctionTool("f"), hosted)
    )
    cleaned = CleanCache().request(conversation, destination())
    assert expected == cleaned
    assert cleaned.turns[0] is untouched
    assert cleaned.turns[1].source is None


def test_results_of_tools_and_the_request_lose_theirs_too() -> None:
    def asked(mark: CacheMark | None, *extra: tuple[str, Json]) -> Conversation:
        results = (ToolResult("a", (Text("x", mark), Text("y"))), ToolResult("b", (Text("z"),), cache=mark))
        return Conversation("m", (Turn(Role.USER, results),), extra=(("other", Json(b"1")), *extra))

    given = asked(MARK, ("cache_control", Json(b"{}")))

    assert asked(None) == CleanCache().request(given, destination())
