"""The text of a configuration, with positions, and edits that leave everything else as it stands."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property

from attrs import define

from ccr.adapters.config import edits
from ccr.adapters.config.json5 import Array, Fault, Node, Object, Scalar, parse

__all__ = ["Document"]


@define(slots=False)
class Document:
    """One text and its tree. ``faults`` not empty = not JSON5, and the tree is not to be used."""

    text: str
    root: Node
    faults: Sequence[Fault]

    @classmethod
    def of(cls, text: str) -> Document:
        """Parse; never raises."""
        root, faults = parse(text)
        return cls(text, root, faults)

    def plain(self) -> object:
        """The whole as plain values."""
        return self.root.plain()

    @cached_property
    def _lines(self) -> list[int]:
        """Offsets at which lines begin."""
        return [0, *(found.end() for found in re.finditer(r"\r\n|\n|\r", self.text))]

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1; a column is a character."""
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    def position(self, path: Sequence[str | int], *, key: bool = False) -> tuple[int, int]:
        """Line and column of the value (or ``key``) at ``path``, or of the nearest thing around it that exists."""
        node, offset = self.root, self.root.start
        for index, step in enumerate(path):
            last = index == len(path) - 1
            found = _step(node, step)
            if found is None:
                break
            key_start, node = found
            offset = key_start if key and last else node.start
        return self.place(offset)

    def repeated(self) -> list[tuple[int, tuple[str | int, ...]]]:
        """Each key that is there twice: offset of the earlier one, and the path."""
        return list(_repeated(self.root, ()))

    def node(self, path: Sequence[str | int]) -> Node | None:
        """The node at ``path``, or None."""
        node = self.root
        for step in path:
            found = _step(node, step)
            if found is None:
                return None
            node = found[1]
        return node

    def set(self, path: Sequence[str | int], value: object) -> Document:
        """Another document in which ``path`` holds ``value``; missing objects on the way are made.

        An index that equals the length of a list appends. What is equal already is not touched. Raises KeyError
        when the path leads through something that is neither object nor list, or past the end of a list.
        """
        existing = self.node(path)
        if existing is not None:
            return self._merge(path, existing, value)
        for length in range(len(path) - 1, -1, -1):
            parent = self.node(path[:length])
            if parent is not None:
                return self._insert(parent, path[length:], value)
        raise KeyError(*path)

    def remove(self, path: Sequence[str | int]) -> Document:
        """Another document without ``path``; comments around it stay. Nothing there: the same document."""
        parent = self.node(path[:-1]) if path else None
        if parent is None or isinstance(parent, Scalar) or self.node(path) is None:
            return self
        index = path[-1]
        if isinstance(parent, Object):
            index = max(i for i, member in enumerate(parent.members) if member.key == index)
        return Document.of(edits.remove(self.text, parent, int(index)))

    def _insert(self, parent: Node, rest: Sequence[str | int], value: object) -> Document:
        for step in reversed(rest[1:]):
            value = {step: value} if isinstance(step, str) else [value]
        step = rest[0]
        if isinstance(parent, Object) and isinstance(step, str):
            return Document.of(edits.append(self.text, self.root, parent, value, key=step))
        if isinstance(parent, Array) and step == len(parent.items):
            return Document.of(edits.append(self.text, self.root, parent, value))
        raise KeyError(*rest)

    def _merge(self, path: Sequence[str | int], node: Node, value: object) -> Document:
        """Change only what differs, so that comments inside an object or list survive too."""
        if edits.same(node.plain(), value):
            return self
        if isinstance(node, Object) and isinstance(value, dict):
            document = self
            for key in dict.fromkeys(member.key for member in node.members):
                if key not in value:
                    document = document.remove((*path, key))
            for key, item in value.items():
                document = document.set((*path, key), item)
            return document
        if isinstance(node, Array) and isinstance(value, list):
            return self._merge_list(path, node, value)
        return Document.of(edits.replace(self.text, self.root, node, value))

    def _merge_list(self, path: Sequence[str | int], node: Array, value: list[object]) -> Document:
        document = self
        plain = edits.left_out(node.plain(), value)
        gone = plain if plain is not None else range(len(value), len(node.items))
        for index in sorted(gone, reverse=True):
            document = document.remove((*path, index))
        for index, item in enumerate(value):
            document = document.set((*path, index), item)
        return document


def _repeated(node: Node, path: tuple[str | int, ...]) -> Iterator[tuple[int, tuple[str | int, ...]]]:
    if isinstance(node, Object):
        yield from ((first.start, (*path, again.key)) for first, again in node.repeated())
        for member in node.members:
            yield from _repeated(member.node, (*path, member.key))
    elif isinstance(node, Array):
        for index, item in enumerate(node.items):
            yield from _repeated(item, (*path, index))


def _step(node: Node, step: str | int) -> tuple[int, Node] | None:
    """Offset of the key (or item) and the node one step down."""
    if isinstance(node, Object) and isinstance(step, str):
        member = node.member(step)
        return (member.start, member.node) if member else None
    if isinstance(node, Array) and isinstance(step, int) and 0 <= step < len(node.items):
        item = node.items[step]
        return item.start, item
    return None
