from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ccr.entrypoints.cli.statusline_style import render

VARIABLES = {"workDirName": "work", "gitBranch": "", "model": "m", "inputTokens": "1.2k", "outputTokens": "3"}


def shown(block: dict[str, Any], said: list[str] | None = None) -> str:
    return render(block, VARIABLES, (said if said is not None else []).append)


def test_the_built_in_look_without_icons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USE_SIMPLE_ICONS", "true")

    line = shown({})

    assert "work" in line
    assert "↑ 1.2k" in line
    assert "\ue0a0" not in line  # an empty module is skipped with its icon


def test_named_and_hex_colours_both_paint() -> None:
    modules = [
        {"text": "{{model}}", "color": "bright_blue"},
        {"text": "x", "color": "#abc"},
        {"text": "y", "color": "?"},
    ]

    assert shown({"default": {"modules": modules}}) == (
        "\x1b[38;2;92;92;255mm\x1b[0m \x1b[38;2;170;187;204mx\x1b[0m y"
    )


def test_at_most_five_modules_and_empty_ones_are_skipped() -> None:
    modules = [{"text": "{{gitBranch}}", "icon": "!"}, *({"text": str(n)} for n in range(9))]

    assert shown({"default": {"modules": modules}}) == "0 1 2 3"


def test_powerline_joins_grounds_with_arrows() -> None:
    modules = [{"text": "a", "background": "#000000"}, {"text": "b", "background": "#ffffff"}]

    line = shown({"currentStyle": "powerline", "powerline": {"modules": modules}})

    assert line.count("\ue0b0") == 2
    assert "\x1b[48;2;255;255;255m\x1b[38;2;0;0;0m\ue0b0" in line


def test_a_style_without_modules_falls_back_to_the_default_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("USE_SIMPLE_ICONS", raising=False)

    assert shown({"currentStyle": "powerline", "default": {"modules": [{"text": "d"}]}}) == "d"
    assert "\ue0b0" in shown({"currentStyle": "powerline"})


def test_a_python_script_is_a_module_and_others_say_how_to_port(tmp_path: Path) -> None:
    script = tmp_path / "one.py"
    script.write_text("def render(variables, options):\n    return variables['model'] + options['x']\n")
    bad = tmp_path / "bad.py"
    bad.write_text("1/0")
    modules = [
        {"type": "script", "scriptPath": str(script), "options": {"x": "!"}},
        {"type": "script", "scriptPath": str(bad)},
        {"type": "script", "scriptPath": "old.js"},
    ]
    said: list[str] = []

    assert shown({"default": {"modules": modules}}, said) == "m!"
    assert "ZeroDivisionError" in said[0]
    assert "Port it" in said[1]
