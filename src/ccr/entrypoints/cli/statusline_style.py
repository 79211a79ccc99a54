"""The two looks of the status line, and its modules."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["render"]

_MOST_MODULES = 5
_RESET = "\x1b[0m"
_ARROW = "\ue0b0"
_NAME = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_HEX = re.compile(r"#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_COLOURS = {
    "black": (0, 0, 0),
    "red": (205, 0, 0),
    "green": (0, 205, 0),
    "yellow": (205, 205, 0),
    "blue": (0, 0, 238),
    "magenta": (205, 0, 205),
    "cyan": (0, 205, 205),
    "white": (229, 229, 229),
    "gray": (127, 127, 127),
    "bright_black": (127, 127, 127),
    "bright_red": (255, 0, 0),
    "bright_green": (0, 255, 0),
    "bright_yellow": (255, 255, 0),
    "bright_blue": (92, 92, 255),
    "bright_magenta": (255, 0, 255),
    "bright_cyan": (0, 255, 255),
    "bright_white": (255, 255, 255),
}
"""The sixteen colours of a terminal, as xterm shows them."""
_DEFAULT_BACKGROUND = "bright_blue"
_MODULES: tuple[Mapping[str, str], ...] = (
    {"type": "workDir", "icon": "\U000f024b", "text": "{{workDirName}}", "color": "bright_blue"},
    {"type": "gitBranch", "icon": "\ue0a0", "text": "{{gitBranch}}", "color": "bright_magenta"},
    {"type": "model", "icon": "\U000f06a9", "text": "{{model}}", "color": "bright_cyan"},
    {"type": "usage", "icon": "↑", "text": "{{inputTokens}}", "color": "bright_green"},
    {"type": "usage", "icon": "↓", "text": "{{outputTokens}}", "color": "bright_yellow"},
)
_BACKGROUNDS = (
    "bg_bright_blue",
    "bg_bright_magenta",
    "bg_bright_cyan",
    "bg_bright_green",
    "bg_bright_yellow",
)
_PLAIN_ICONS = frozenset({"↑", "↓"})

_Module = Mapping[str, Any]
_Warn = Callable[[str], None]


def render(block: Mapping[str, Any], variables: Mapping[str, str], warn: _Warn) -> str:
    """Return the line that a ``StatusLine`` block asks for; without one, the built-in look."""
    style, modules = _chosen(block)
    shown = []
    for module in modules[:_MOST_MODULES]:
        text = _text(module, variables, warn)
        if text:
            icon = str(module.get("icon") or "")
            shown.append((module, f"{icon} {text}" if icon else text))
    return _powerline(shown) if style == "powerline" else _default(shown)


def _chosen(block: Mapping[str, Any]) -> tuple[str, Sequence[_Module]]:
    style = str(block.get("currentStyle") or "default")
    for name in dict.fromkeys((style, "default")):
        theme = block.get(name)
        modules = theme.get("modules") if isinstance(theme, Mapping) else None
        if isinstance(modules, list) and modules:
            return name, [module for module in modules if isinstance(module, Mapping)]
    simple = os.environ.get("USE_SIMPLE_ICONS") == "true" or os.environ.get("TERM") in {"dumb", "unknown"}
    built_in = [_without_icon(module) if simple else module for module in _MODULES]
    if style == "powerline":
        pairs = zip(built_in, _BACKGROUNDS, strict=True)
        return style, [{**module, "color": "white", "background": background} for module, background in pairs]
    return "default", built_in


def _without_icon(module: _Module) -> _Module:
    return module if module["icon"] in _PLAIN_ICONS else {**module, "icon": ""}


def _text(module: _Module, variables: Mapping[str, str], warn: _Warn) -> str:
    if module.get("type") == "script":
        return _script(module, variables, warn)
    return _NAME.sub(lambda found: variables.get(found[1], ""), str(module.get("text") or "")).strip()


def _script(module: _Module, variables: Mapping[str, str], warn: _Warn) -> str:
    """Run ``render(variables, options)`` of a Python file. A script of the ancestor was JavaScript."""
    path = Path(str(module.get("scriptPath") or "")).expanduser()
    if path.suffix != ".py":
        warn(
            f"ccr: {path} is not Python. Port it: a .py file with `def render(variables, options): return text`."
        )
        return ""
    space: dict[str, Any] = {"__file__": str(path), "__name__": "ccr_statusline_script"}
    try:
        exec(compile(path.read_bytes(), str(path), "exec"), space)  # noqa: S102 - the person's own script
        made = space["render"](dict(variables), module.get("options") or {})
    except Exception as error:  # noqa: BLE001 - contained: one bad module leaves the others alone
        warn(f"ccr: {path}: {type(error).__name__}: {error}")
        return ""
    return str(made or "").strip()


def _rgb(name: object) -> tuple[int, int, int] | None:
    text = str(name or "").removeprefix("bg_")
    found = _HEX.fullmatch(text)
    if found is None:
        return _COLOURS.get(text)
    digits = found[1] if len(found[1]) == 6 else "".join(2 * digit for digit in found[1])
    return (int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16))


def _paint(kind: int, colour: tuple[int, int, int] | None) -> str:
    return "" if colour is None else f"\x1b[{kind};2;{colour[0]};{colour[1]};{colour[2]}m"


def _foreground(colour: tuple[int, int, int] | None) -> str:
    return _paint(38, colour)


def _background(colour: tuple[int, int, int] | None) -> str:
    return _paint(48, colour)


def _default(shown: Sequence[tuple[_Module, str]]) -> str:
    parts = []
    for module, text in shown:
        paint = _background(_rgb(module.get("background"))) + _foreground(_rgb(module.get("color")))
        parts.append(f"{paint}{text}{_RESET}" if paint else text)
    return " ".join(parts)


def _powerline(shown: Sequence[tuple[_Module, str]]) -> str:
    backgrounds = [_rgb(module.get("background")) or _COLOURS[_DEFAULT_BACKGROUND] for module, _ in shown]
    line = ""
    for index, (module, text) in enumerate(shown):
        ours = backgrounds[index]
        line += f"{_background(ours)}{_foreground(_rgb(module.get('color') or 'white'))} {text} {_RESET}"
        following = backgrounds[index + 1] if index + 1 < len(shown) else None
        line += f"{_background(following)}{_foreground(ours)}{_ARROW}{_RESET}"
    return line
