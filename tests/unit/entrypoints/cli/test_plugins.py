"""`ccr plugins` and `ccr transformers`, without a running gateway and beside one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ccr.entrypoints.cli import plugins as plugins_module
from ccr.entrypoints.cli.client import Client, Reply
from ccr.entrypoints.cli.main import main

SHOUT = """
class Shout:
    name = "shout"

    def __init__(self, word="hey"):
        self.word = word

    def payload(self, payload, to):
        return payload.with_("user", self.word)
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CCR_HOME", str(tmp_path))
    monkeypatch.setattr(Client, "health", lambda self: None)
    return tmp_path


def configure(home: Path, text: str = SHOUT, **more: Any) -> Path:
    plugin = home / "shout.py"
    plugin.write_text(text)
    plugin.chmod(0o600)
    home.chmod(0o700)
    config = {"Router": {"default": "demo,demo"}, "transformers": [{"path": "shout.py", **more}]}
    (home / "config.json").write_bytes(msgspec.json.encode(config))
    return plugin


def told(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> Any:
    assert main([*words, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_plugins_of_the_configuration_are_listed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = configure(home)
    found = told(capsys, "plugins")
    mine = next(one for one in found["transformers"] if one["name"] == "shout")

    assert (mine["origin"], mine["state"], found["running"]) == (str(path), "on", False)
    assert {"name": "openai", "origin": "ccr"} in found["providers"]
    assert main(["plugins"]) == 0
    assert f"shout                {path}  (on)" in capsys.readouterr().out


def test_one_that_does_not_load_is_told_with_its_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure(home, "x = 1\nraise ValueError('no')\n")

    assert main(["plugins"]) == 78
    seen = capsys.readouterr()
    assert "maxtoken" in seen.out
    assert "shout.py:2: ValueError: no" in seen.err
    assert "config.json:1:" in seen.err


def test_a_running_gateway_is_asked(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shout = {
        "name": "shout",
        "origin": "acme 1.0",
        "state": "off",
        "replaces": True,
        "failures": 2,
        "overruns": 3,
    }
    body = {
        "transformers": [{**shout, "last": "it was slow"}],
        "providers": [{"name": "acme", "origin": "acme 1.0"}],
        "warnings": ["plugin 'shout' is switched off"],
    }
    monkeypatch.setattr(Client, "health", lambda self: {})
    monkeypatch.setattr(Client, "call", lambda self, method, path: Reply(200, body))

    assert told(capsys, "plugins") == {**body, "running": True, "problems": []}
    assert main(["plugins"]) == 0
    assert capsys.readouterr().out == (
        "transformers\n"
        "  shout  acme 1.0  (off; in place of the built-in one; 2 failures; 3 overruns; it was slow)\n"
        "providers\n"
        "  acme   acme 1.0\n"
        "warning: plugin 'shout' is switched off\n"
    )


def test_a_gateway_that_does_not_say_is_no_obstacle(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Client, "health", lambda self: {})
    monkeypatch.setattr(Client, "call", lambda self, method, path: Reply(403, {"error": "no"}))

    assert main(["plugins"]) == 0
    seen = capsys.readouterr()
    assert "does not say how its plugins do: no" in seen.err
    assert "maxtoken" in seen.out
    assert plugins_module.__name__


def test_transformers_are_named_with_what_they_do(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = configure(home)

    assert main(["transformers", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("deepseek") and "needless: " in line for line in lines)
    assert any(line.startswith("shout") and line.endswith(f"[{path}]") for line in lines)
    assert {"maxtoken", "shout"} <= {one["name"] for one in told(capsys, "transformers", "list")}


@pytest.mark.parametrize(
    "name,said",
    [
        (
            "maxtoken",
            [
                "maxtoken (ccr)",
                "  max_tokens: whole number, required. The limit, in tokens.",
                'by default "cap"',
            ],
        ),
        ("MaxToken", ["maxtoken (ccr)"]),
        ("Anthropic", ["It chooses the way to the provider: dialect anthropic."]),
        ("deepseek", ["Needless: ", "It takes no options."]),
        ("openrouter", ["Options: any; each is a field of the provider's request."]),
        ("sampling", ["temperature: number, optional."]),
        ("shout", ["It says nothing about itself.", '  word: any value, by default "hallo"']),
    ],
)
def test_one_is_shown(home: Path, capsys: pytest.CaptureFixture[str], name: str, said: list[str]) -> None:
    configure(home, options={"word": "hallo"})

    assert main(["transformers", "show", name]) == 0
    shown = capsys.readouterr().out
    for text in said:
        assert text in shown
    assert told(capsys, "transformers", "show", name)["name"].lower() == name.lower()


def test_an_unknown_one_tells_the_nearest(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["transformers", "show", "maxtokn"]) == 1
    assert "did you mean maxtoken?" in capsys.readouterr().err
    assert main(["transformers", "show", "qqq"]) == 1
    assert "`ccr transformers list`" in capsys.readouterr().err


def test_what_does_not_load_is_warned_about(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure(home, "x = 1\n")

    assert main(["transformers", "show", "maxtoken"]) == 0
    assert "defines no transformer" in capsys.readouterr().err
