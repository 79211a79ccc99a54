"""Ordinary work of the real client: answers, tools, images, sub-agents, continued and structured turns."""

from __future__ import annotations

import struct
import zlib

import pytest
from attrs import evolve

from tests.integration.claude_code.conftest import NewClient
from tests.support.claude_client import ClientRun
from tests.support.scripts import (
    Seen,
    Text,
    Thinking,
    ToolCall,
    Usage,
    by_turn,
    call,
    calls,
    mentions,
    text,
    when,
)
from tests.support.stage import Stage

pytestmark = pytest.mark.client


def check(run: ClientRun, stage: Stage) -> None:
    """The client ended well and the strict upstream had nothing to refuse."""
    __tracebackhide__ = True
    assert stage.upstream.rejections == [], stage.evidence()
    assert run.exit_code == 0, run.describe() + stage.evidence()
    assert run.result.get("is_error") is False, run.describe() + stage.evidence()


def png(width: int = 8, height: int = 8) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\xff\x00\x00" * width for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def results_of(seen: Seen, tool: str) -> list[str]:
    return [seen.tool_results[identity] for identity, name in seen.tool_calls.items() if name == tool]


def test_a_plain_answer_reaches_the_client_with_its_usage(ccr: Stage, new_client: NewClient) -> None:
    ccr.play(by_turn(text("Good morning from the model.").using(Usage(1200, 34, cache_read=300))))
    client = new_client(ccr)

    run = client.run("say good morning")

    check(run, ccr)
    assert run.answer == "Good morning from the model."
    usage = run.result["usage"]
    assert (usage["input_tokens"], usage["cache_read_input_tokens"], usage["output_tokens"]) == (
        1200,
        300,
        34,
    )
    (seen,) = ccr.seen
    assert seen.model == "m-main"
    assert seen.streaming
    assert "say good morning" in seen.user_text


def test_what_the_client_says_about_itself_goes_where_it_belongs(ccr: Stage, new_client: NewClient) -> None:
    ccr.play(by_turn(text("ok")))
    client = new_client(ccr)

    check(client.run("hello"), ccr)

    (seen,) = ccr.seen
    whole = repr(seen.json)
    assert client.environment["ANTHROPIC_AUTH_TOKEN"] not in repr(dict(seen.headers)) + whole
    assert str(client.cwd) in whole, "the system message with the environment must be carried"
    if seen.dialect == "openai":
        assert "x-anthropic-billing-header" not in whole
        assert "DeferredToolPlaceholder" not in seen.tool_names
        assert not [name for name in seen.headers if name.startswith(("anthropic-", "x-claude"))]
    else:
        assert seen.json["system"][0]["text"].startswith("x-anthropic-billing-header")
        assert seen.headers["anthropic-version"] == "2023-06-01"
        assert "claude-code-20250219" in seen.headers["anthropic-beta"]
        assert seen.json["thinking"]["type"] == "adaptive"
        assert {"metadata", "context_management", "output_config"} <= set(seen.json)


def test_write_read_edit_and_bash_work_in_a_loop(ccr: Stage, new_client: NewClient) -> None:
    client = new_client(ccr)
    path = client.cwd / "poem.txt"
    ccr.play(
        by_turn(
            calls(
                Text("I write."),
                ToolCall("Write", {"file_path": str(path), "content": "roses are red\nend\n"}),
            ),
            call("Read", file_path=str(path)),
            call("Edit", file_path=str(path), old_string="red", new_string='"blue" \\ {ü}'),
            call("Bash", command="cat poem.txt", description="Show it"),
            text("The poem is done."),
        )
    )

    run = client.run("write a poem")

    check(run, ccr)
    assert run.answer == "The poem is done."
    assert path.read_text("utf-8") == 'roses are "blue" \\ {ü}\nend\n'
    assert [use["name"] for use in run.tool_uses] == ["Write", "Read", "Edit", "Bash"]
    last = ccr.seen[-1]
    assert list(last.tool_calls.values()) == ["Write", "Read", "Edit", "Bash"]
    assert list(last.tool_results) == list(last.tool_calls)
    assert results_of(last, "Bash") == ['roses are "blue" \\ {ü}\nend']
    assert "roses are red" in results_of(last, "Read")[0]


def test_parallel_tool_calls_are_run_and_answered_by_id(ccr: Stage, new_client: NewClient) -> None:
    ccr.play(
        by_turn(
            calls(*(ToolCall("Bash", {"command": f"echo part-{n}", "description": "p"}) for n in range(3))),
            text("All three ran."),
        )
    )

    run = new_client(ccr).run("run three commands")

    check(run, ccr)
    assert run.answer == "All three ran."
    assert len(ccr.seen) == 2
    assert results_of(ccr.seen[-1], "Bash") == ["part-0", "part-1", "part-2"]


def test_a_failing_tool_is_reported_to_the_model(ccr: Stage, new_client: NewClient) -> None:
    ccr.play(by_turn(call("Bash", command="echo oops >&2; exit 3", description="f"), text("It failed.")))

    run = new_client(ccr).run("fail")

    check(run, ccr)
    (result,) = results_of(ccr.seen[-1], "Bash")
    assert "oops" in result


def test_an_image_that_was_read_reaches_the_model(ccr: Stage, new_client: NewClient) -> None:
    client = new_client(ccr)
    picture = client.cwd / "red.png"
    picture.write_bytes(png())
    ccr.play(by_turn(call("Read", file_path=str(picture)), text("A red square.")))

    run = client.run("look at the picture")

    check(run, ccr)
    assert run.answer == "A red square."
    (kind,) = ccr.seen[-1].images
    assert kind.startswith("image/")
    if ccr.kind == "openai":
        where = [m["role"] for m in ccr.seen[-1].messages if "image_url" in repr(m.get("content"))]
        assert where == ["user"]


def test_a_deferred_tool_can_be_found_and_then_called(ccr: Stage, new_client: NewClient) -> None:
    client = new_client(ccr)
    ccr.play(by_turn(call("ToolSearch", query="select:NotebookEdit", max_results=3), text("Found it.")))

    run = client.run("find a tool")

    check(run, ccr)
    first, second = ccr.seen
    assert "NotebookEdit" not in first.tool_names
    assert "NotebookEdit" in second.tool_names
    if ccr.kind == "openai":
        assert "NotebookEdit" in results_of(second, "ToolSearch")[0]
        assert "defer_loading" not in repr(second.json)


def test_a_thought_is_shown_and_comes_back_with_its_signature(ccr: Stage, new_client: NewClient) -> None:
    ccr.play(
        by_turn(
            calls(
                Thinking("First I should look around."),
                ToolCall("Bash", {"command": "ls", "description": "l"}),
            ),
            calls(Thinking("Now I know."), Text("Looked around.")),
        )
    )

    run = new_client(ccr).run("think")

    check(run, ccr)
    assert run.answer == "Looked around."
    assert run.thoughts == ["First I should look around.", "Now I know."]
    if ccr.kind == "anthropic":
        (block, *_rest) = next(m for m in ccr.seen[-1].messages if m["role"] == "assistant")["content"]
        assert (block["type"], block["thinking"]) == ("thinking", "First I should look around.")


def test_a_conversation_is_continued(ccr: Stage, new_client: NewClient) -> None:
    ccr.play(by_turn(text("The word is marmalade."), text("It was marmalade.")))
    client = new_client(ccr)

    first = client.run("remember a word")
    second = client.run("which word?", "--continue")

    check(first, ccr)
    check(second, ccr)
    assert second.answer == "It was marmalade."
    assert second.session == first.session
    assert "The word is marmalade." in repr(ccr.seen[-1].messages)
    assert ccr.seen[-1].assistant_turns == 1


def test_structured_output_is_what_the_schema_asks(ccr: Stage, new_client: NewClient) -> None:
    ccr.play(by_turn(call("StructuredOutput", city="Oslo", people=709000), text("unused")))
    schema = '{"type":"object","properties":{"city":{"type":"string"},"people":{"type":"integer"}},"required":["city"]}'

    run = new_client(ccr).run("a city", "--json-schema", schema)

    check(run, ccr)
    assert run.result["structured_output"] == {"city": "Oslo", "people": 709000}
    assert "StructuredOutput" in ccr.seen[0].tool_names


def test_a_sub_agent_does_its_work_and_reports(ccr: Stage, new_client: NewClient) -> None:
    agent = by_turn(call("Bash", command="echo from-the-agent", description="b"), text("Agent finished."))
    ask = call(
        "Agent",
        description="sub job",
        prompt="SUBJOB: do it",
        subagent_type="general-purpose",
        run_in_background=False,
    )
    ccr.play(when(mentions("SUBJOB"), agent, by_turn(ask, text("Main finished."))))

    run = new_client(ccr).run("delegate")

    check(run, ccr)
    assert run.answer == "Main finished."
    agents = [seen for seen in ccr.seen if "SUBJOB" in seen.user_text]
    assert results_of(agents[-1], "Bash") == ["from-the-agent"]
    assert "Agent finished." in results_of(ccr.seen[-1], "Agent")[0]
    if ccr.kind == "anthropic":
        marked = [seen for seen in ccr.seen if "x-claude-code-agent-id" in seen.headers]
        assert marked == agents


def test_output_cut_at_the_limit_is_continued(ccr: Stage, new_client: NewClient) -> None:
    ccr.play(by_turn(evolve(text("the beginning, "), stop="max_tokens"), text("the end.")))

    run = new_client(ccr).run("tell a long story")

    check(run, ccr)
    assert run.answer.endswith("the end.")
    assert len(ccr.seen) == 2
