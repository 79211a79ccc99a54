from __future__ import annotations

from pathlib import Path

from ccr.adapters.config.paths import Paths


def test_the_ancestors_place_by_default() -> None:
    paths = Paths.of({"HOME": "/home/me"})
    assert paths.home == Path("/home/me/.claude-code-router")
    assert paths.config == Path("/home/me/.claude-code-router/config.json")
    assert paths.claude_projects == Path("/home/me/.claude/projects")
    assert {paths.logs, paths.state} == {paths.home / "logs", paths.home / "state"}
    assert {paths.pid_file.parent, paths.lock_file.parent, paths.socket.parent} == {paths.state}


def test_variables_move_it() -> None:
    paths = Paths.of(
        {"HOME": "/home/me", "CCR_HOME": "~/ccr", "CCR_CONFIG": "/etc/ccr.json", "CLAUDE_CONFIG_DIR": "/c"}
    )
    assert (paths.home, paths.config) == (Path("/home/me/ccr"), Path("/etc/ccr.json"))
    assert paths.claude_projects == Path("/c/projects")


def test_there_is_a_home_even_without_the_variable() -> None:
    assert Paths.of({}).config.is_absolute()
