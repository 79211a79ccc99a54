from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import rich_click as click

from ccr.entrypoints.cli import providers as module
from ccr.entrypoints.cli.main import main

CONFIG = """{
  // mine
  "Providers": [
    {"name": "ds", "api_base_url": "https://api.deepseek.com/chat/completions", "api_key": "sk-secret",
     "models": ["deepseek-v4-pro"]},
    {"name": "odd", "api_base_url": "http://odd.test/v1/messages", "api_key": "k"}, // last
  ],
}
"""


class Cli:
    """The command line in this process, in a home of its own."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.path, self.capsys = home / "config.json", capsys
        self.path.write_text(CONFIG)

    def run(self, *words: str) -> tuple[int, str, str]:
        self.capsys.readouterr()
        code = main(words)
        said = self.capsys.readouterr()
        return code, said.out, said.err

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json")[1])


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    monkeypatch.setenv("CCR_HOME", str(tmp_path))
    monkeypatch.setenv("GROQ_API_KEY", "gsk-secret")
    return Cli(tmp_path, capsys)


def test_the_list(cli: Cli) -> None:
    code, out, _ = cli.run("providers", "list")
    lines = {line.split()[0]: line for line in out.splitlines()}

    assert code == 0
    assert "$GROQ_API_KEY set" in lines["groq"]
    assert "$OPENROUTER_API_KEY not set" in lines["openrouter"]
    assert lines["deepseek"].endswith("configured as ds")
    assert lines["odd"].endswith("configured")
    assert "secret" not in out


def test_the_list_for_programs(cli: Cli) -> None:
    known = {one["name"]: one for one in cli.json("providers", "list")}

    assert known["groq"]["key_set"] is True
    assert known["groq"]["configured"] == []
    assert known["deepseek"]["configured"][0]["name"] == "ds"
    assert known["odd"]["origin"] == "configuration"


def test_one_provider(cli: Cli) -> None:
    code, out, _ = cli.run("providers", "show", "deepseek")

    assert code == 0
    for words in (
        "https://api-docs.deepseek.com",
        "November 2026",
        "as ds: deepseek-v4-pro",
        "https://api.deepseek.com/anthropic/v1/messages (login x-api-key)",
        'reasoning_field "reasoning_content"',
        "deepseek-chat: tool_choice_required true",
    ):
        assert words in out
    assert "secret" not in out
    assert "through bedrock" in cli.run("providers", "show", "bedrock")[1]
    assert "nothing is known" in cli.run("providers", "show", "odd")[1]
    assert cli.json("providers", "show", "ds")["name"] == "deepseek"


def test_a_provider_that_nobody_knows(cli: Cli) -> None:
    code, _, err = cli.run("providers", "show", "deepsek")

    assert code == 1
    assert "did you mean deepseek?" in err
    assert "`ccr providers list`" in cli.run("providers", "show", "qqq")[2]


def test_adding_keeps_comments_and_writes_a_reference(cli: Cli) -> None:
    code, out, _ = cli.run("providers", "add", "groq", "--models", "a/b, c")
    text = cli.path.read_text()

    assert code == 0
    assert "ccr model --set default groq,a/b" in out
    assert "// mine" in text
    assert "// last" in text
    assert '"$GROQ_API_KEY"' in text
    assert "gsk-secret" not in text
    added = {one["name"]: one for one in cli.json("providers", "list")}["groq"]
    assert added["configured"] == [{"name": "groq", "models": ["a/b", "c"], "has_key": True}]


def test_adding_with_a_key_or_a_variable(cli: Cli) -> None:
    told = cli.json("providers", "add", "openrouter", "--key", "sk-or-1")
    _, out, _ = cli.run("providers", "add", "mistral", "--key-env", "MY_MISTRAL", "--models", "m")

    assert told["url"] == "https://openrouter.ai/api/v1/chat/completions"
    assert "set MY_MISTRAL where the gateway runs" in out
    assert '"sk-or-1"' in cli.path.read_text()
    assert '"$MY_MISTRAL"' in cli.path.read_text()
    assert "--set default" in cli.run("providers", "add", "ollama")[1]


def test_adding_a_stranger(cli: Cli) -> None:
    refused, _, err = cli.run("providers", "add", "mine")
    added, _, _ = cli.run("providers", "add", "mine", "--url", "https://mine.test/v1/messages", "--key", "k")

    assert (refused, added) == (1, 0)
    assert "say its url" in err
    assert cli.run("providers", "add", "mine", "--url", "https://mine.test/v1/messages")[0] == 1
    assert cli.run("providers", "add", "x", "--key", "k", "--key-env", "K")[0] == 2


def test_a_broken_configuration_is_78(cli: Cli) -> None:
    cli.path.write_text("{")

    for words in (["list"], ["show", "groq"], ["add", "groq"]):
        assert cli.run("providers", *words)[0] == 78


def test_what_would_break_the_configuration_is_not_written(cli: Cli) -> None:
    before = cli.path.read_text()

    assert cli.run("providers", "add", "x", "--url", "ftp://x.test/v1/messages")[0] == 78
    assert cli.path.read_text() == before


def test_a_broken_package_is_78(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from ccr.adapters.providers import entry_points
    from ccr.domain.errors import ConfigError, Problem

    def broken() -> None:
        raise ConfigError([Problem("acme 1.2: a.toml", 3, 1, "provider", "is broken")])

    monkeypatch.setattr(entry_points, "installed_providers", broken)

    for words in (["providers", "list"], ["models", "list"]):
        code, _, err = cli.run(*words)
        assert code == 78
        assert "acme 1.2: a.toml:3:1" in err


def test_subcommands_of_other_modules_are_found_when_they_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    context = click.Context(module.providers)
    assert "list" in module.providers.list_commands(context)

    monkeypatch.setattr(module, "find_spec", lambda _: None)
    assert set(module.providers.list_commands(context)) == {"list", "show", "add"}
    assert module.providers.get_command(context, "test") is None

    elsewhere = ModuleType("ccr.entrypoints.cli.providers_test")
    elsewhere.test = click.Command("test")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, elsewhere.__name__, elsewhere)
    monkeypatch.setattr(module, "find_spec", lambda name: name == elsewhere.__name__)
    assert "test" in module.providers.list_commands(context)
    assert module.providers.get_command(context, "test") is elsewhere.test
    assert module.providers.get_command(context, "learned") is None


def test_models_of_the_configuration(cli: Cli) -> None:
    code, out, _ = cli.run("models", "list")

    assert code == 0
    assert out.splitlines()[1].startswith("ds,deepseek-v4-pro")
    assert cli.json("models", "list")[0]["context_window"] > 100_000


def test_models_of_a_provider(cli: Cli) -> None:
    code, out, _ = cli.run("models", "list", "--provider", "anthropic")

    assert code == 0
    assert "anthropic,claude-sonnet-4-6" in out
    assert cli.run("models", "list", "--provider", "nobody")[0] == 1


def test_no_models(cli: Cli) -> None:
    cli.path.write_text("{}")

    assert "names no models" in cli.run("models", "list")[1]


def test_one_model(cli: Cli) -> None:
    code, out, _ = cli.run("models", "show", "deepseek-v4-pro")

    assert code == 0
    for words in ("configured as ds,deepseek-v4-pro", "LiteLLM", "since 2026-08-16: input 0.66", "cannot"):
        assert words in out
    assert "above 32000 tokens: input 1.8" in cli.run("models", "show", "dashscope,qwen3-coder-plus")[1]
    assert "goes" in cli.run("models", "show", "openai,gpt-5")[1]
    assert "unknown" in cli.run("models", "show", "kimi,k2p5")[1]
    assert cli.json("models", "show", "gpt-5")["known"][0]["sources"]["prices"]
    assert cli.run("models", "show", "nope")[0] == 1
