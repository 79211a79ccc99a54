"""Permissions of the configuration file."""

from __future__ import annotations

from pathlib import Path

import pytest

from ccr.adapters.config.file_store import FileConfigStore
from ccr.domain.errors import ConfigError

LITERAL = """{Providers: [{name: "p", api_base_url: "https://h.example/v1/chat/completions", api_key: "sk-in-the-file",
 models: ["m"]}], Router: {default: "p,m"}}"""
REFERENCE = LITERAL.replace("sk-in-the-file", "$P_KEY")
TEAM = LITERAL.replace("{", '{HOST: "0.0.0.0", APIKEY: "$TEAM_KEY", ', 1)
ENVIRON = {"P_KEY": "sk-elsewhere", "TEAM_KEY": "the-key-of-the-team"}


def told(folder: Path, text: str, mode: int) -> list[str]:
    path = folder / "config.json"
    path.write_text(text)
    path.chmod(mode)
    return [str(problem) for problem in FileConfigStore(path, ENVIRON).load_now().warnings]


@pytest.mark.parametrize("text", [LITERAL, REFERENCE, TEAM])
def test_a_file_of_ones_own_is_fine(tmp_path: Path, text: str) -> None:
    assert told(tmp_path, text, 0o600) == []
    assert told(tmp_path, text, 0o400) == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o444])
def test_who_may_read_it_may_read_its_keys(tmp_path: Path, mode: int) -> None:
    (problem,) = told(tmp_path, LITERAL, mode)

    assert "holds keys, and can be read by other users" in problem
    assert "chmod 600" in problem
    assert len(told(tmp_path, TEAM, mode)) == 1
    assert told(tmp_path, REFERENCE, mode) == []


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
@pytest.mark.parametrize("text", [LITERAL, REFERENCE])
def test_who_may_write_it_is_warned_of_and_stops_a_team(tmp_path: Path, mode: int, text: str) -> None:
    (problem,) = told(tmp_path, text, mode)
    assert "can be written by other users" in problem

    with pytest.raises(ConfigError, match="can be written by other users"):
        told(tmp_path, TEAM, mode)


def test_a_list_of_keys_is_keys_too(tmp_path: Path) -> None:
    assert (
        len(told(tmp_path, LITERAL.replace('"sk-in-the-file"', '["sk-one-in-the-file", "$P_KEY"]'), 0o644))
        == 1
    )
