"""`ccr code` and `ccr env`: what claude is given, and that it is given nothing else."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests.integration.cli.conftest import Home


@pytest.fixture
def given(home: Home) -> Any:
    dump = home.fake_claude()

    def run(*words: str, **more: Any) -> dict[str, Any]:
        done = home.run("code", *words, **more)
        assert dump.exists(), done.stderr
        found: dict[str, Any] = json.loads(dump.read_text())
        return {**found, "code": done.returncode, "stderr": done.stderr, "stdout": done.stdout}

    return run


def test_arguments_go_through_as_they_are(home: Home, given: Any) -> None:
    words = ["-p", "$HOME `id`", "--", "--no-foo", "--x", "a", "--x", "b", "", "0", "007", "--help", "ünï"]

    seen = given(*words, input="from standard input")

    assert seen["argv"] == words
    assert seen["stdin"] == "from standard input"
    assert seen["cwd"] == str(home.folder)


def test_the_exit_code_is_claudes(given: Any) -> None:
    assert given("x", env={"FAKE_EXIT": "42"})["code"] == 42


def test_the_environment_leads_to_the_gateway_only(home: Home, given: Any) -> None:
    mine = {
        "ANTHROPIC_API_KEY": "sk-mine",
        "CLAUDE_CODE_USE_BEDROCK": "1",
        "NO_PROXY": "intranet.example",
        "MINE": "kept",
    }

    seen = given(env=mine)["env"]

    assert seen["ANTHROPIC_BASE_URL"] == home.url
    assert seen["ANTHROPIC_AUTH_TOKEN"] == "ccr-local"
    assert "ANTHROPIC_API_KEY" not in seen
    assert "CLAUDE_CODE_USE_BEDROCK" not in seen
    assert seen["NO_PROXY"] == "intranet.example,127.0.0.1,localhost"
    assert seen["MINE"] == "kept"
    assert seen["CLAUDE_CODE_GATEWAY_HINT_HEADERS"] == "1"
    assert seen["CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY"] == "1"
    assert seen["CLAUDE_CODE_MAX_CONTEXT_TOKENS"] == "200000"
    assert seen["CLAUDE_CODE_AUTO_COMPACT_WINDOW"] == "200000"
    assert seen["CLAUDE_CODE_ATTRIBUTION_HEADER"] == "0"
    assert "ANTHROPIC_SMALL_FAST_MODEL" not in seen


def test_the_configuration_shapes_the_environment(home: Home, given: Any) -> None:
    home.configure(
        {
            "APIKEY": "secret-key",
            "HOST": "0.0.0.0",
            "NON_INTERACTIVE_MODE": True,
            "API_TIMEOUT_MS": 1234,
            "Router": {"default": "demo,demo", "background": "demo,demo"},
        }
    )

    seen = given("-p", "x", input="a pipe")

    assert seen["env"]["ANTHROPIC_BASE_URL"] == home.url
    assert seen["env"]["ANTHROPIC_AUTH_TOKEN"] == "secret-key"
    assert seen["env"]["API_TIMEOUT_MS"] == "1234"
    assert seen["env"]["CI"] == "true"
    assert seen["env"]["TERM"] == "dumb"
    assert "haiku" in seen["env"]["ANTHROPIC_SMALL_FAST_MODEL"]
    assert seen["env"]["ANTHROPIC_DEFAULT_HAIKU_MODEL"] == seen["env"]["ANTHROPIC_SMALL_FAST_MODEL"]
    assert seen["stdin"] == "a pipe"


def test_settings_files_that_win_are_named_and_left_alone(home: Home, given: Any) -> None:
    file = home.folder / ".claude" / "settings.json"
    file.parent.mkdir()
    content = json.dumps(
        {"env": {"ANTHROPIC_BASE_URL": "https://elsewhere.example", "DISABLE_TELEMETRY": "true"}}
    )
    file.write_text(content)

    seen = given()

    assert str(file) in seen["stderr"]
    assert "ANTHROPIC_BASE_URL" in seen["stderr"]
    assert "DISABLE_TELEMETRY" not in seen["stderr"]
    assert "elsewhere" not in seen["stderr"]
    assert file.read_text() == content
    assert not (home.folder / ".claude.json").exists()


def test_nothing_is_printed_before_claude_speaks(given: Any) -> None:
    assert given()["stdout"] == ""


def test_a_missing_claude_is_a_sentence(home: Home) -> None:
    done = home.run("code", env={"CLAUDE_PATH": str(home.folder / "nowhere")})

    assert done.returncode == 127
    assert "npm install" in done.stderr


def test_a_second_run_uses_the_gateway_that_is_there(home: Home, given: Any) -> None:
    given()
    pid = home.pid_file.read_text()

    seen = given()

    assert home.pid_file.read_text() == pid
    assert "starting" not in seen["stderr"]


def test_a_shell_gets_the_same_by_eval(home: Home) -> None:
    home.configure({"APIKEY": 'it\'s $$HOME `x` "q"', "Router": {"default": "demo,demo"}})
    lines = home.run("env").stdout

    done = subprocess.run(
        ["sh", "-euc", f'{lines}\nprintf "%s|%s" "$ANTHROPIC_AUTH_TOKEN" "${{ANTHROPIC_API_KEY-unset}}"'],
        env={**home.environment, "ANTHROPIC_API_KEY": "x"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == 'it\'s $HOME `x` "q"|unset'
    assert home.run("activate").stdout == lines
    assert not home.pid_file.exists()


def test_a_workflow_gets_it_in_its_file(home: Home) -> None:
    file = home.folder / "github-env"
    file.write_text("BEFORE=1\n")

    done = home.run("env", "--github", env={"GITHUB_ENV": str(file)})
    lines = file.read_text().splitlines()

    assert done.returncode == 0
    assert lines[0] == "BEFORE=1"
    assert f"ANTHROPIC_BASE_URL={home.url}" in lines
    assert "ANTHROPIC_API_KEY=" in lines
    assert home.run("env", "--github").returncode == 2
