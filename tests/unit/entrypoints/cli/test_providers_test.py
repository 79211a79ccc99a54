"""`ccr providers test` and `ccr providers learned`, without a running gateway and beside one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ccr.entrypoints.cli.client import Client, Reply
from ccr.entrypoints.cli.main import main

NOW = datetime.now(UTC).replace(microsecond=0)
URL = "https://p.test/v1/chat/completions"


def entry(model: str, **more: Any) -> dict[str, Any]:
    times = {"first_seen": NOW, "last_used": NOW, "expires": NOW + timedelta(days=7)}
    return {"endpoint": URL, "model": model, "evidence": "Unknown parameter.", **times, **more}


LEARNED = [
    entry("m", change="drop", name="seed"),
    entry("m", change="cap", name="max_tokens", limit=8192),
    entry("old", change="drop", name="stop", expires=NOW - timedelta(days=1)),
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CCR_HOME", str(tmp_path))
    monkeypatch.setattr(Client, "health", lambda self: None)
    (tmp_path / "config.json").write_bytes(
        msgspec.json.encode({"LOG": False, "Router": {"default": "demo,demo"}})
    )
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "learned.json").write_bytes(msgspec.json.encode({"version": 1, "learned": LEARNED}))
    return tmp_path


def beside_one(monkeypatch: pytest.MonkeyPatch, reply: Reply) -> list[tuple[str, str, Any]]:
    asked: list[tuple[str, str, Any]] = []

    def call(self: Client, method: str, path: str, *, body: bytes | None = None, **more: Any) -> Reply:
        asked.append((method, path, json.loads(body) if body else None))
        return reply

    monkeypatch.setattr(Client, "health", lambda self: {"revision": "x"})
    monkeypatch.setattr(Client, "call", call)
    return asked


def test_a_model_is_asked_from_here(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["providers", "test", "demo", "--only", "stream,document", "--json"]) in (0, 1)
    report = json.loads(capsys.readouterr().out)

    assert (report["format"], report["model"]) == ("ccr-probes/1", "demo")
    assert [one["name"] for one in report["results"]] == ["stream", "document"]


def test_the_matrix_names_every_probe_and_a_failure_is_exit_code_1(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["providers", "test", "demo", "--only", "memory,stream"])
    printed = capsys.readouterr()

    assert code == 1
    assert "memory  fail" in printed.out
    assert "stream  pass" in printed.out
    assert "1 pass, 1 fail" in printed.out
    assert "1 of 2 probes failed" in printed.err


@pytest.mark.parametrize(
    "words, said",
    [
        (["nobody"], "no provider 'nobody'"),
        (["demo", "--only", "x"], "no probe 'x'"),
        (["demo", "--budget", "x"], "no budget"),
    ],
)
def test_what_cannot_be_tested_is_said(
    home: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["providers", "test", *words]) == 1
    assert said in capsys.readouterr().err


def test_a_terminal_gets_colours(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)

    assert main(["providers", "test", "demo", "--only", "stream"]) == 0
    assert "\x1b[32mpass" in capsys.readouterr().out


def test_a_running_gateway_asks_itself(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one = {"name": "plain", "verdict": "pass", "tokens": 5, "evidence": "answered 'PONG'"}
    report = {
        "provider": "p",
        "model": "m",
        "dialect": "openai_chat",
        "endpoint": URL,
        "results": [one],
        "counts": {"pass": 1, "fail": 0},
        "spent": {"tokens": 5, "usd": 0.25},
        "stopped": "the budget is spent",
        "at": "2026-11-24",
    }
    asked = beside_one(monkeypatch, Reply(200, report))
    assert main(["providers", "test", "p", "--model", "m", "--budget", "$1", "--only", "plain, x"]) == 0
    printed = capsys.readouterr().out

    wish = {"provider": "p", "model": "m", "budget": "$1", "only": ["plain", "x"]}
    assert asked == [("POST", "/api/probes", wish)]
    assert "answered 'PONG'" in printed
    assert "1 pass; 5 tokens, $0.2500; stopped: the budget is spent" in printed


def test_what_a_running_gateway_refuses_is_said(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    beside_one(monkeypatch, Reply(400, {"error": {"message": "no provider"}}))

    assert main(["providers", "test", "p"]) == 1
    assert "no provider" in capsys.readouterr().err


def test_what_was_learned_is_listed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["providers", "learned"]) == 0
    lines = capsys.readouterr().out.splitlines()
    until = LEARNED[0]["expires"].date().isoformat()

    assert lines == [
        f"m  {URL}",
        f"  cap max_tokens at 8192  (until {until})",
        "    Unknown parameter.",
        f"  drop seed  (until {until})",
        "    Unknown parameter.",
        f"old  {URL}",
        "  drop stop  (tried again now)",
        "    Unknown parameter.",
    ]
    assert main(["providers", "learned", "--model", "m", "--name", "seed", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["name"], found["expired"]) == ("seed", False)


def test_it_is_exported_as_profiles(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["providers", "learned", "--toml"]) == 0
    printed = capsys.readouterr().out

    assert '[profiles."m"]' in printed
    assert "max_output = 8192" in printed
    assert '"old"' not in printed


def test_it_is_forgotten(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["providers", "learned", "--forget", "--model", "m", "--name", "seed"]) == 0
    assert main(["providers", "learned", "--forget", "--json"]) == 0
    assert main(["providers", "learned"]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "1 forgotten",
        "{",
        '  "forgotten": 2',
        "}",
        "nothing has been learned",
    ]


def test_a_running_gateway_tells_and_forgets(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = beside_one(monkeypatch, Reply(200, {"learned": [], "toml": "", "forgotten": 1}))
    assert main(["providers", "learned", "--model", "m m"]) == 0
    assert main(["providers", "learned", "--model", "m", "--forget"]) == 0

    assert asked == [
        ("GET", "/api/learned?endpoint=&model=m+m&name=", None),
        ("POST", "/api/learned/forget", {"endpoint": "", "model": "m", "name": ""}),
    ]


def test_one_thing_at_a_time(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["providers", "learned", "--forget", "--toml"]) == 2
    assert "say one of" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["test", "learned"])
def test_a_configuration_that_cannot_be_used(home: Path, command: str) -> None:
    (home / "config.json").write_text("{")
    words = ["demo"] if command == "test" else []

    assert main(["providers", command, *words]) == 78
