"""The reference page of the configuration, from the schema classes."""

from __future__ import annotations

from collections.abc import Iterator

from ccr.adapters.config import ancestor
from ccr.adapters.config.schema import Key, Root, keys_of

__all__ = ["markdown"]

_HEAD = """# Configuration

Generated from `src/ccr/adapters/config/schema/`; do not edit.

The file is `~/.claude-code-router/config.json` (`CCR_HOME` names another directory, `CCR_CONFIG` another file). It is
JSON5: comments, trailing commas and bare keys are fine. In every text `$NAME`, `${NAME}`, `${NAME:-default}` and
`${file:/path}` are replaced, and `$$` is a dollar; numbers and booleans may come from variables too. A variable that is
empty counts as not set. Times are in milliseconds; 0 means no limit where the least value is 0.
"""


def markdown() -> str:
    """The whole page."""
    parts = [_HEAD, *_section("Top level", Root, "")]
    flat = ", ".join(f"`{name}`" for name in ancestor.FLAT_KEYS)
    parts.append(
        f"## The flat form\n\nWithout `Providers`, {flat} and `log` stand for one provider called "
        f"`{ancestor.FLAT_PROVIDER}` and the default route to its model.\n"
    )
    return "\n".join(parts)


def _section(title: str, cls: type, path: str) -> Iterator[str]:
    rows = ["| Key | What | Default | Meaning |", "|---|---|---|---|"]
    rows += [_row(key) for key in keys_of(cls)]
    yield f"## {title}\n\n" + "\n".join(rows) + "\n"
    for key in keys_of(cls):
        if key.of is not None:
            inner = f"{path}{key.name}"
            yield from _section(f"`{inner}`", key.of, f"{inner}.")


def _row(key: Key) -> str:
    other = f" (also {', '.join(f'`{alias}`' for alias in key.aliases)})" if key.aliases else ""
    later = " *Known, not yet in effect.*" if key.later else ""
    choices = f" One of {', '.join(f'`{choice}`' for choice in key.choices)}." if key.choices else ""
    bounds = [f"at least {key.least}"] * (key.least is not None) + [f"at most {key.most}"] * (
        key.most is not None
    )
    what = ", ".join([key.kind.value, *bounds])
    text = f"{key.doc}{choices}{later}".replace("|", "\\|")
    return f"| `{key.name}`{other} | {what} | {_default(key)} | {text} |"


def _default(key: Key) -> str:
    if key.required:
        return "required"
    if isinstance(key.default, bool):
        return f"`{str(key.default).lower()}`"
    return f"`{key.default}`" if isinstance(key.default, int | str) and key.default != "" else ""


if __name__ == "__main__":
    import sys

    sys.stdout.write(markdown())
