"""JSON5 into a tree of nodes with offsets: the one parser of configuration texts.

It goes on after a fault, so that one reading tells as many faults as possible.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import define, frozen

from ccr.adapters.config.json5_tokens import Fault, Token, tokenize

__all__ = ["MAX_DEPTH", "MAX_TEXT", "Array", "Fault", "Member", "Node", "Object", "Scalar", "parse"]

MAX_TEXT = 4 * 1024 * 1024
"""Characters of a configuration; a real one has a few thousand."""
MAX_DEPTH = 64
"""Nested brackets; deeper is a mistake, or an attack on the recursion below."""
MAX_FAULTS = 20
"""After so many faults the rest is noise."""

_CLOSING = {"{": "}", "[": "]"}


@frozen
class Scalar:
    """A text, number, boolean or null; ``start`` and ``end`` are offsets in characters."""

    start: int
    end: int
    value: object

    def plain(self) -> object:
        return self.value


@frozen
class Member:
    """A key and its value."""

    key: str
    start: int
    end: int
    node: Node


@frozen
class Object:
    """Members in their order; of a key that is there twice the last counts."""

    start: int
    end: int
    members: tuple[Member, ...]

    def plain(self) -> object:
        return {member.key: member.node.plain() for member in self.members}

    def member(self, key: str) -> Member | None:
        return next((member for member in reversed(self.members) if member.key == key), None)

    def repeated(self) -> Iterator[tuple[Member, Member]]:
        """Each repeated key with the member before it."""
        seen: dict[str, Member] = {}
        for member in self.members:
            if member.key in seen:
                yield seen[member.key], member
            seen[member.key] = member


@frozen
class Array:
    """Items in their order."""

    start: int
    end: int
    items: tuple[Node, ...]

    def plain(self) -> object:
        return [item.plain() for item in self.items]


Node = Scalar | Object | Array


@define
class _Parser:
    tokens: list[Token]
    faults: list[Fault]
    at: int = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        token = self.token
        if token.kind != "end":
            self.at += 1
        return token

    def fault(self, offset: int, message: str, hint: str = "") -> None:
        self.faults.append(Fault(offset, message, hint))

    def value(self, depth: int) -> Node:
        token = self.token
        if token.kind in _CLOSING:
            if depth >= MAX_DEPTH:
                self.fault(token.start, f"nested deeper than {MAX_DEPTH} brackets")
                self.at = len(self.tokens) - 1
                return Scalar(token.start, token.end, None)
            return self.object(depth) if token.kind == "{" else self.array(depth)
        if token.kind in {"string", "number", "literal"}:
            self.take()
            return Scalar(token.start, token.end, token.value)
        if token.kind == "word":
            self.take()
            self.fault(token.start, f"{str(token.value)[:40]} is not a value", "a text needs quotes")
        else:
            self.fault(token.start, f"a value is missing before {_name(token)}")
        return Scalar(token.start, token.start, None)

    def object(self, depth: int) -> Object:
        opening = self.take()
        members: list[Member] = []
        while self.token.kind not in {"}", "]", "end"}:
            before = self.at
            member = self.member(depth)
            if member:
                members.append(member)
            self.comma("}")
            if self.at == before:
                self.take()
        return Object(opening.start, self.close(opening), tuple(members))

    def member(self, depth: int) -> Member | None:
        token = self.token
        if token.kind in {"string", "word", "number"} or (
            token.kind == "literal" and token.value is not None
        ):
            self.take()
        else:
            self.fault(token.start, f"a key is missing before {_name(token)}")
            self.recover()
            return None
        if token.kind == "number":
            self.fault(token.start, "a number cannot be a key", "put it in quotes")
        key = str(token.value).lower() if token.kind == "literal" else str(token.value)
        if self.token.kind != ":":
            self.fault(self.token.start, f"the key {key[:40]!r} is not followed by a colon")
            if self.token.kind in {",", "}", "]", "end"}:
                return None
        else:
            self.take()
        return Member(key, token.start, token.end, self.value(depth + 1))

    def array(self, depth: int) -> Array:
        opening = self.take()
        items: list[Node] = []
        while self.token.kind not in {"}", "]", "end"}:
            before = self.at
            items.append(self.value(depth + 1))
            self.comma("]")
            if self.at == before:
                self.take()
        return Array(opening.start, self.close(opening), tuple(items))

    def comma(self, closing: str) -> None:
        """A comma or the end must follow. A forgotten comma is told, and taken for given."""
        token = self.token
        if token.kind == ",":
            self.take()
        elif token.kind in {"string", "word", "number", "literal", "{", "["}:
            self.fault(token.start, f"a comma is missing before {_name(token)}")
        elif token.kind not in {closing, "}", "]", "end"}:
            self.fault(token.start, f"{_name(token)} is out of place")
            self.recover()

    def recover(self) -> None:
        """Skip to the next comma or closing bracket of this level."""
        depth = 0
        while self.token.kind != "end":
            kind = self.token.kind
            if depth == 0 and kind in {",", "}", "]"}:
                if kind == ",":
                    self.take()
                return
            depth += (kind in _CLOSING) - (kind in {"}", "]"})
            self.take()

    def close(self, opening: Token) -> int:
        token = self.token
        wanted = _CLOSING[opening.kind]
        if token.kind == wanted:
            self.take()
        elif token.kind == "end":
            self.fault(opening.start, f"this {opening.kind} is never closed", f"it lacks a {wanted}")
        else:
            self.fault(token.start, f"{token.kind} closes a {opening.kind}", f"expected {wanted}")
            self.take()
        return token.end


def _name(token: Token) -> str:
    if token.kind == "end":
        return "the end of the file"
    if token.kind in {"string", "word"}:
        return repr(str(token.value)[:40])
    return "this value" if token.kind in {"number", "literal"} else f"{token.kind!r}"


def parse(text: str) -> tuple[Node, list[Fault]]:
    """Parse ``text``; with faults the tree is a best effort and not to be used."""
    if len(text) > MAX_TEXT:
        return Scalar(0, 0, None), [
            Fault(0, f"the file has more than {MAX_TEXT // 1024 // 1024} million characters")
        ]
    tokens, faults = tokenize(text)
    parser = _Parser(tokens, faults)
    if tokens[0].kind == "end" and not faults:
        return Scalar(0, 0, None), [Fault(0, "the file is empty", "the smallest configuration is {}")]
    node = parser.value(0)
    if parser.token.kind != "end" and not faults:
        parser.fault(parser.token.start, "there is something after the end of the configuration")
    return node, sorted(faults, key=lambda fault: fault.offset)[:MAX_FAULTS]
