from __future__ import annotations

import json
from pathlib import Path

from ccr.adapters.system.claude import Overridden, overridden

OURS = {"ANTHROPIC_BASE_URL": "http://127.0.0.1:3456", "ANTHROPIC_API_KEY": None}


def write(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def test_other_values_in_an_env_block_are_found_in_each_file(tmp_path: Path) -> None:
    home, project = tmp_path / ".claude", tmp_path / "work"
    user = write(home / "settings.json", {"env": {"ANTHROPIC_API_KEY": "sk-1", "OTHER": "x"}})
    local = write(
        project / ".claude/settings.local.json", {"env": {"ANTHROPIC_BASE_URL": "https://else.example"}}
    )

    found = overridden(OURS, home, project)

    assert found == [Overridden(user, "ANTHROPIC_API_KEY"), Overridden(local, "ANTHROPIC_BASE_URL")]


def test_the_same_value_overrides_nothing(tmp_path: Path) -> None:
    write(tmp_path / "settings.json", {"env": {**OURS, "ANTHROPIC_API_KEY": ""}})

    assert overridden(OURS, tmp_path, tmp_path) == []


def test_a_file_that_is_no_settings_overrides_nothing(tmp_path: Path) -> None:
    contents: list[object] = [[], {"env": []}, {}, "x"]
    for content in contents:
        write(tmp_path / "settings.json", content)

        assert overridden(OURS, tmp_path, tmp_path) == []
    (tmp_path / "settings.json").write_bytes(b"\xff{")
    assert overridden(OURS, tmp_path, tmp_path) == []


def test_home_as_the_project_is_read_once(tmp_path: Path) -> None:
    write(tmp_path / ".claude/settings.json", {"env": {"ANTHROPIC_BASE_URL": "x"}})

    assert len(overridden(OURS, tmp_path / ".claude", tmp_path)) == 1
