"""``StatusLine``: what ``ccr statusline`` prints."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from ccr.adapters.config.schema.keys import REQUIRED, Kind, key

__all__ = ["StatusLineBlock", "StatusModule", "StatusStyle"]


@frozen
class StatusModule:
    """One part of the line."""

    type: str = key(
        "type", Kind.TEXT, "What it shows.", default=REQUIRED,
        choices=("workDir", "gitBranch", "model", "usage", "script", "speed"),
    )  # fmt: skip
    icon: str = key("icon", Kind.TEXT, "Printed before the text.", default="")
    text: str = key(
        "text", Kind.TEXT, "Template with `{{model}}`, `{{inputTokens}}` and the like.", default=""
    )
    color: str = key("color", Kind.TEXT, "Colour name or `#rrggbb`.", default="")
    background: str = key("background", Kind.TEXT, "Colour of the ground (powerline).", default="")
    script: str = key(
        "scriptPath", Kind.PATH, "A Python file with def render(variables, options).", default=""
    )
    options: Mapping[str, object] = key("options", Kind.FREE_OBJECT, "Options of a script.", default=dict)


@frozen
class StatusStyle:
    """The modules of one style; at most five are shown."""

    modules: tuple[StatusModule, ...] = key(
        "modules", Kind.LIST, "Parts of the line, in order.", default=(), of=StatusModule
    )


@frozen
class StatusLineBlock:
    """The status line."""

    enabled: bool = key(
        "enabled",
        Kind.BOOLEAN,
        "Kept for the ancestor's sake; Claude Code shows the line when its settings name `ccr statusline`.",
        default=False,
    )
    style: str = key(
        "currentStyle", Kind.TEXT, "Which style is used.", default="default", choices=("default", "powerline")
    )
    default: StatusStyle | None = key("default", Kind.OBJECT, "The plain style.", of=StatusStyle)
    powerline: StatusStyle | None = key("powerline", Kind.OBJECT, "The powerline style.", of=StatusStyle)
    font: str = key("fontFamily", Kind.TEXT, "Used by the ancestor's web page only.", default="")
