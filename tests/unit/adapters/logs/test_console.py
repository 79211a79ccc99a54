from __future__ import annotations

from ccr.adapters.logs.console import render


def test_a_line_has_clock_level_event_and_what_is_not_empty() -> None:
    event = {
        "timestamp": "2026-11-24T12:00:01.5Z",
        "level": "info",
        "event": "request",
        "status": 200,
        "error": "",
        "reason": "the default",
        "losses": [],
    }

    assert render(event) == '12:00:01 info    request  status=200 reason="the default"'


def test_a_trace_follows_on_its_own_lines() -> None:
    event = {
        "timestamp": "2026-11-24T12:00:01Z",
        "level": "error",
        "event": "fault",
        "trace": "  a.py:1 in f",
    }

    assert render(event) == "12:00:01 error   fault\n  a.py:1 in f"


def test_a_caller_cannot_forge_lines_or_escape_codes() -> None:
    line = render({"level": "info", "event": "request", "asked": "x\n12:00:02 info  forged\x1b[2J"})

    assert "\n" not in line
    assert "\x1b" not in line


def test_nothing_at_all_is_an_empty_line() -> None:
    assert render({}).strip() == ""
