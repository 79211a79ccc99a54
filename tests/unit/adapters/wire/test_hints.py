from __future__ import annotations

import pytest

from ccr.adapters.wire.hints import BOUND, header, of_enum, read_hints
from ccr.domain.conversation import Effort
from ccr.domain.facts import RequestClass


def test_a_client_s_hints_are_read() -> None:
    hints = read_hints(
        {
            "x-claude-code-session-id": " s ",
            "x-claude-code-agent-id": "a",
            "x-claude-code-parent-agent-id": "p",
            "x-claude-code-agent-type": "Explore",
            "x-claude-code-request-class": "Workflow",
            "x-claude-code-compaction": "auto",
            "x-claude-code-prompt-id": "q",
            "user-agent": "claude-cli/2.1.330 (external, cli)",
        },
        "opus[1m]",
    )

    assert (hints.model, hints.wants_1m) == ("opus", True)
    assert (hints.session.session, hints.session.agent, hints.session.parent) == ("s", "a", "p")
    assert (hints.agent_type, hints.compaction, hints.prompt_id) == ("Explore", "auto", "q")
    assert hints.request_class is RequestClass.WORKFLOW
    assert hints.is_subagent
    assert hints.client.startswith("claude-cli/2.1.330")


@pytest.mark.parametrize("name", ["session_id", "session-id", "x-session-id"])
def test_other_clients_name_their_session_otherwise(name: str) -> None:
    assert read_hints({name: "s"}, "m").session.session == "s"


def test_nothing_said_is_empty() -> None:
    hints = read_hints({}, "m")

    assert (hints.model, hints.wants_1m, hints.is_subagent, hints.request_class) == ("m", False, False, None)


def test_a_subagent_says_so_by_its_class_alone() -> None:
    assert read_hints({"x-claude-code-request-class": "subagent"}, "m").is_subagent


def test_what_is_kept_is_bounded_and_unknown_words_are_none() -> None:
    assert header({"h": "x" * 500}, "h") == "x" * BOUND
    assert of_enum(Effort, "very") is None
    assert of_enum(Effort, "low") is Effort.LOW
