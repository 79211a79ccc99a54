from __future__ import annotations

import pytest
from attrs import evolve

from ccr.adapters.dialects.anthropic.degrade import merged, plain_turn, without_foreign
from ccr.domain.conversation import (
    CacheMark,
    Citation,
    ContentBlock,
    Document,
    FileRef,
    Image,
    Inline,
    Opaque,
    Role,
    ServerToolCall,
    ServerToolResult,
    Text,
    Thinking,
    ToolCall,
    ToolReference,
    ToolResult,
    Turn,
)
from ccr.domain.fidelity import Loss
from ccr.domain.models import ModelProfile
from ccr.domain.provenance import Origin, Seal
from ccr.domain.verbatim import Json, Verbatim

HOME = Seal(Origin("anthropic"), "signature", "s")
OWN = Seal(Origin("anthropic", "bedrock", "claude-x"), "signature", "s")
FOREIGN = Seal(Origin("gemini"), "thought", "s")
PLAIN = ModelProfile()
NOTE = "[the document  was here; this model cannot read documents]"
FOUND = Opaque(
    "anthropic",
    "search_result",
    Json(b'{"title":"t","source":"u","content":[{"type":"text","text":"x"},7]}'),
)


def assistant(*blocks: ContentBlock) -> Turn:
    return Turn(Role.ASSISTANT, blocks, Verbatim("anthropic", b"{}"))


@pytest.mark.parametrize(
    "block",
    [
        Text("x"),
        Thinking("h", HOME),
        ToolCall("toolu_1", "n"),
        ToolResult("toolu_1"),
        Opaque("anthropic", "novel", Json(b"{}")),
        ServerToolResult("i", "x", Json(b"[]"), "anthropic"),
        Image(Inline("image/png", "")),
    ],
)
def test_anthropic_gets_its_own_turns_untouched(block: ContentBlock) -> None:
    losses: list[Loss] = []
    turn = assistant(block)

    assert without_foreign(turn, losses) is turn
    assert losses == []


@pytest.mark.parametrize(
    "block, kept, losses",
    [
        (Thinking("h"), (), ["thinking=dropped"]),
        (Thinking("h", FOREIGN), (), ["thinking=dropped"]),
        (Opaque("gemini", "video", Json(b"{}")), (), ["video=dropped"]),
        (ServerToolResult("i", "x_tool_result", Json(b"[]"), "gemini"), (), ["x_tool_result=dropped"]),
        (ToolCall("functions.Bash:0", "n"), (ToolCall("functions_Bash_0_b9a97d4b", "n"),), []),
        (ToolResult("functions.Bash:0"), (ToolResult("functions_Bash_0_b9a97d4b"),), []),
    ],
)
def test_anthropic_never_gets_what_another_sealed(
    block: ContentBlock, kept: tuple[ContentBlock, ...], losses: list[str]
) -> None:
    said: list[Loss] = []
    turn = without_foreign(assistant(Text("x"), block), said)

    assert turn.source is None
    assert [str(loss) for loss in said] == losses
    if kept:
        digest = turn.blocks[1]
        assert type(digest) is type(kept[0])
        made = digest.id if isinstance(digest, ToolCall) else digest.call_id  # type: ignore[union-attr]
        assert made.startswith("functions_Bash_0_")
    else:
        assert turn.blocks == (Text("x"),)


@pytest.mark.parametrize(
    "block, plain, losses",
    [
        (Text("x", CacheMark("1h"), (Citation("url"),)), Text("x", CacheMark()), []),
        (Text(""), None, []),
        (Thinking("h", HOME), Thinking("h", HOME), []),
        (Thinking("h", OWN), Thinking("h", HOME), []),
        (Thinking("", evolve(OWN, form="redacted")), Thinking("", evolve(HOME, form="redacted")), []),
        (Thinking("h", FOREIGN), None, ["thinking=dropped"]),
        (Thinking("h"), None, ["thinking=dropped"]),
        (ToolCall("i", "n", seal=FOREIGN), ToolCall("i", "n"), []),
        (ToolReference("n"), Text("Tool available: n"), ["tool_reference=as text"]),
        (
            ToolResult("i", (Text("x", CacheMark("1h")), ToolReference("n"))),
            ToolResult("i", (Text("x", CacheMark()), Text("Tool available: n"))),
            ["tool_reference=as text"],
        ),
        (Image(FileRef("f"), CacheMark("1h")), Image(FileRef("f"), CacheMark()), []),
        (Document(Inline("text/plain", "x", "text"), "t"), Text("t\n\nx"), []),
        (Document(Inline("text/plain", "x", "text")), Text("x"), []),
        (Document(FileRef("f")), Text(NOTE), ["document=dropped"]),
        (ServerToolCall("i", "n"), None, ["server_tool=dropped"]),
        (ServerToolResult("i", "n", Json(b"[]")), None, ["server_tool=dropped"]),
        (FOUND, Text("t (u)\nx"), ["search_result=as text"]),
        (Opaque("anthropic", "search_result", Json(b"7")), Text(" ()"), ["search_result=as text"]),
        (
            Opaque("anthropic", "tool_addition", Json(b"{}")),
            Text("[tool_addition left out: this model cannot be given it]"),
            ["tool_addition=as note"],
        ),
    ],
)
def test_others_get_plain_words(block: ContentBlock, plain: ContentBlock | None, losses: list[str]) -> None:
    said: list[Loss] = []
    turn = plain_turn(Turn(Role.USER, (block,)), PLAIN, said)

    assert turn.blocks == (() if plain is None else (plain,))
    assert [str(loss) for loss in said] == losses


def test_the_profile_says_what_a_model_sees() -> None:
    losses: list[Loss] = []
    sees = ModelProfile(images=False, documents=True, reasoning_required=True)
    turn = Turn(Role.USER, (Image(FileRef("f")), Document(FileRef("f"), citations=True), Thinking("h")))
    image, document, thinking = plain_turn(turn, sees, losses).blocks

    assert isinstance(image, Text)
    assert document == Document(FileRef("f"))
    assert thinking == Thinking("h")
    assert [str(loss) for loss in losses] == ["image=dropped"]


def test_a_system_turn_becomes_a_reminder_of_the_user() -> None:
    turn = plain_turn(Turn(Role.SYSTEM, (Text("x"), Image(FileRef("f")))), PLAIN, [])

    assert turn == Turn(Role.USER, (Text("<system-reminder>\nx\n</system-reminder>"), Image(FileRef("f"))))


def test_neighbours_of_one_role_are_joined_with_tool_results_first() -> None:
    one, two = Turn(Role.USER, (Text("a"),)), Turn(Role.USER, (Text("b"), ToolResult("i")))
    other = Turn(Role.ASSISTANT, (Text("c"),))

    assert merged([one, Turn(Role.ASSISTANT, ()), two, other]) == [
        Turn(Role.USER, (ToolResult("i"), Text("a"), Text("b"))),
        other,
    ]
