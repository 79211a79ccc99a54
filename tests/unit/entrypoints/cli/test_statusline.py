from __future__ import annotations

import json
from pathlib import Path

from ccr.entrypoints.cli.statusline import variables_of


def test_model_and_tokens_come_from_the_last_answer(tmp_path: Path) -> None:
    transcript = tmp_path / "t.jsonl"
    lines = [
        {"type": "assistant", "message": {"model": "old", "usage": {"input_tokens": 1, "output_tokens": 1}}},
        {
            "type": "assistant",
            "message": {"model": "p,m", "usage": {"input_tokens": 12345, "output_tokens": 1000}},
        },
        {"type": "user", "message": {"content": "x"}},
    ]
    transcript.write_text("\n".join(map(json.dumps, lines)) + "\njunk\n")

    found = variables_of(
        {"transcript_path": str(transcript), "workspace": {"current_dir": str(tmp_path)}}, {}
    )

    assert (found["model"], found["inputTokens"], found["outputTokens"]) == ("p,m", "12.3k", "1000")
    assert found["workDirName"] == tmp_path.name
    assert found["gitBranch"] == ""


def test_without_an_answer_the_model_is_the_routes_or_the_clients(tmp_path: Path) -> None:
    hook = {"workspace": {"current_dir": str(tmp_path)}, "model": {"display_name": "Sonnet"}}
    project = tmp_path / ".claude-code-router" / "config.json"

    assert variables_of(hook, {})["model"] == "Sonnet"
    assert variables_of(hook, {"Router": {"default": "p, m"}})["model"] == "m"
    project.parent.mkdir()
    project.write_text('{Router: {default: "q,n"}} // JSON5')
    assert variables_of(hook, {"Router": {"default": "p,m"}})["model"] == "n"


def test_newer_hooks_say_cost_and_duration() -> None:
    found = variables_of(
        {
            "cost": {"total_cost_usd": 1.234, "total_duration_ms": 65_000, "total_lines_added": 5},
            "context_window": {"context_window_size": 200_000, "used_percentage": 41.6},
        },
        {},
    )

    assert (found["cost"], found["duration"], found["linesAdded"], found["linesRemoved"]) == (
        "$1.23",
        "1m05s",
        "5",
        "0",
    )
    assert (found["contextWindowSize"], found["contextPercent"]) == ("200.0k", "42")
