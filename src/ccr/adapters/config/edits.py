"""Splices of a JSON5 text: one value replaced, one member appended, one removed. Nothing else moves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ccr.adapters.config.json5 import Array, Node, Object, Scalar

__all__ = ["append", "left_out", "remove", "render", "replace", "same"]

_NAME = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
_BLANK_OR_COMMENT = re.compile(r"[^\S\r\n]+|//[^\r\n\u2028\u2029]*|/\*.*?\*/", re.DOTALL)
_TO_COMMA = re.compile(r"(?>[\s\ufeff]+|//[^\r\n\u2028\u2029]*|/\*.*?\*/)*+,", re.DOTALL)
"""Atomic: a comment that could be left again would offer the commas in it."""
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
_SHORT = 80
"""Characters up to which a list of plain values stays on one line."""


def same(left: object, right: object) -> bool:
    """Equal as JSON: ``True`` is not 1."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and left == right


def left_out(before: object, after: Sequence[object]) -> list[int] | None:
    """Indexes to remove so that ``before`` becomes ``after``; None when it is not that simple."""
    assert isinstance(before, list)
    gone: list[int] = []
    wanted = 0
    for index, item in enumerate(before):
        if wanted < len(after) and same(item, after[wanted]):
            wanted += 1
        else:
            gone.append(index)
    return gone if wanted == len(after) else None


class _Style:
    """How this text is written: line ends, indentation, quotes, bare keys."""

    def __init__(self, text: str, root: Node) -> None:
        self.newline = "\r\n" if "\r\n" in text else "\n"
        indents = re.findall(r"\n([ \t]+)\S", text)
        self.unit = (
            "\t" if indents and indents[0][0] == "\t" else " " * min((len(i) for i in indents), default=2)
        )
        first = root.members[0] if isinstance(root, Object) and root.members else None
        self.bare = first is not None and text[first.start] not in "\"'"
        quotes = list(_quotes(text, root))
        self.quote = "'" if quotes.count("'") > quotes.count('"') else '"'


def _quotes(text: str, node: Node) -> Iterator[str]:
    """The quote of every key and text."""
    if isinstance(node, Scalar):
        yield text[node.start : node.start + 1]
        return
    if isinstance(node, Object):
        for member in node.members:
            yield text[member.start]
    for child in [m.node for m in node.members] if isinstance(node, Object) else node.items:
        yield from _quotes(text, child)


def _quoted(text: str, quote: str) -> str:
    out = []
    for char in text:
        if char in _ESCAPES:
            out.append(_ESCAPES[char])
        elif char == quote:
            out.append("\\" + char)
        elif ord(char) < 0x20 or char in "\x7f\u2028\u2029\ufeff":
            out.append(f"\\u{ord(char):04x}")
        else:
            out.append(char)
    return quote + "".join(out) + quote


def render(value: object, style: _Style, indent: str) -> str:
    """``value`` as JSON5 in the style of the text; ``indent`` is that of the line on which it begins.

    Raises TypeError for what JSON cannot say.
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, str):
        return _quoted(value, style.quote)
    deeper = indent + style.unit
    if isinstance(value, dict):
        parts = [f"{_key(str(key), style)}: {render(item, style, deeper)}" for key, item in value.items()]
        return _bracketed("{", "}", parts, style, indent, one_line=not parts)
    if isinstance(value, list | tuple):
        parts = [render(item, style, deeper) for item in value]
        plain = not any(isinstance(item, dict) for item in value) and sum(map(len, parts)) < _SHORT
        return _bracketed("[", "]", parts, style, indent, one_line=plain)
    raise TypeError(f"{type(value).__name__} is not a value of JSON")


def _bracketed(
    opening: str, closing: str, parts: list[str], style: _Style, indent: str, *, one_line: bool
) -> str:
    if one_line:
        return opening + ", ".join(parts) + closing
    inner = style.newline + indent + style.unit
    return opening + inner + f",{inner}".join(parts) + style.newline + indent + closing


def _number(value: float) -> str:
    if isinstance(value, float):
        return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(repr(value), repr(value))
    return str(value)


def _key(key: str, style: _Style) -> str:
    return key if style.bare and _NAME.fullmatch(key) else _quoted(key, style.quote)


def _indent_of(text: str, offset: int) -> str:
    """The blanks at the beginning of the line that holds ``offset``."""
    begin = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    found = re.match(r"[ \t]*", text[begin:])
    return found.group() if found else ""


def replace(text: str, root: Node, node: Node, value: object) -> str:
    """Put ``value`` in the place of ``node``."""
    style = _Style(text, root)
    if isinstance(value, str) and text[node.start] in "\"'":
        style.quote = text[node.start]
    rendered = render(value, style, _indent_of(text, node.start))
    return text[: node.start] + rendered + text[node.end :]


def _children(node: Object | Array) -> list[tuple[int, int]]:
    """Offsets of each member or item."""
    if isinstance(node, Object):
        return [(member.start, member.node.end) for member in node.members]
    return [(item.start, item.end) for item in node.items]


def append(text: str, root: Node, parent: Object | Array, value: object, *, key: str | None = None) -> str:
    """Add a last member (or item) to ``parent``."""
    style = _Style(text, root)
    children = _children(parent)
    many_lines = "\n" in text[parent.start : parent.end] or "\r" in text[parent.start : parent.end]
    if many_lines and children and _indent_of(text, children[-1][0]) != _indent_of(text, parent.start):
        indent = _indent_of(text, children[-1][0])
    else:
        indent = _indent_of(text, parent.start) + style.unit
    new_line = many_lines or not children
    rendered = (f"{_key(key, style)}: " if key is not None else "") + render(
        value, style, indent if new_line else _indent_of(text, parent.start)
    )
    if not children:
        return _append_first(text, parent, rendered, style, indent)
    end = children[-1][1]
    comma = _TO_COMMA.match(text, end, parent.end - 1)
    after = comma.end() if comma else end
    tail = "," if comma else ""
    text = text if comma else text[:end] + "," + text[end:]
    after += 0 if comma else 1
    if not new_line:
        return text[:after] + " " + rendered + tail + text[after:]
    while found := _BLANK_OR_COMMENT.match(text, after):
        after = found.end()
    after = len(text[:after].rstrip(" \t")) if text[after : after + 1] in {"\n", "\r"} else after
    closing = text[after : after + 1] in {"}", "]"}
    ending = style.newline + _indent_of(text, parent.start) if closing else ""
    return text[:after].rstrip(" \t") + style.newline + indent + rendered + tail + ending + text[after:]


def _append_first(text: str, parent: Object | Array, rendered: str, style: _Style, indent: str) -> str:
    inside = text[parent.start + 1 : parent.end - 1].rstrip()
    outer = indent.removesuffix(style.unit) if indent.endswith(style.unit) else ""
    fresh = style.newline + indent + rendered + style.newline + outer
    return text[: parent.start + 1] + inside + fresh + text[parent.end - 1 :]


def remove(text: str, parent: Object | Array, index: int) -> str:
    """Take one member or item away, with its comma, and its line when nothing else stands there."""
    children = _children(parent)
    start, end = children[index]
    comma = _TO_COMMA.match(text, end, parent.end - 1)
    if comma:
        return _cut(text[: comma.end() - 1] + text[comma.end() :], start, end)
    text = _cut(text, start, end)
    if index:
        previous = _TO_COMMA.match(text, children[index - 1][1])
        if previous:
            text = text[: previous.end() - 1] + text[previous.end() :]
    return text


def _cut(text: str, start: int, end: int) -> str:
    begin = start - len(text[:start]) + len(text[:start].rstrip(" \t"))
    stop = end + len(text[end:]) - len(text[end:].lstrip(" \t"))
    alone_before = text[begin - 1 : begin] in {"\n", "\r"}
    if alone_before and text[stop : stop + 1] in {"\n", "\r"}:
        stop += 2 if text.startswith("\r\n", stop) else 1
        return text[:begin] + text[stop:]
    return text[:start] + text[stop if text[stop : stop + 1] != "/" else end :]
