"""JSON5 (spec.json5.org) cut into tokens that know where they stand. Never fails: faults are collected."""

from __future__ import annotations

import math
import re

from attrs import define, field, frozen

__all__ = ["Fault", "Token", "tokenize"]

MAX_NUMBER = 400
"""Characters of a number: longer ones are no configuration, and `int()` is quadratic."""

_BLANK = re.compile(r"[\s\ufeff]+")
_COMMENT = re.compile(r"//[^\n\r\u2028\u2029]*|/\*.*?\*/", re.DOTALL)
_WORD = re.compile(r"(?:[^\W\d]|\$|\\u[0-9a-fA-F]{4})(?:\w|\$|\u200c|\u200d|\\u[0-9a-fA-F]{4})*")
_NUMBER = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|Infinity|NaN)")
_JUNK = re.compile(r"[^\s,:\[\]{}\"'/]+|.", re.DOTALL)
_WORD_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_SIMPLE = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0"}
_LITERALS: dict[str, object] = {"true": True, "false": False, "null": None}
_SURROGATE_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_SURROGATE = re.compile("[\ud800-\udfff]")


@frozen
class Fault:
    """Something wrong in the text at ``offset`` (characters)."""

    offset: int
    message: str
    hint: str = ""


@frozen
class Token:
    """``kind`` is a punctuation character, ``word`` (a bare name), ``string``, ``number``, ``literal`` or ``end``."""

    kind: str
    start: int
    end: int
    value: object = None


@define
class _Lexer:
    text: str
    tokens: list[Token] = field(factory=list)
    faults: list[Fault] = field(factory=list)
    at: int = 0

    def run(self) -> None:
        while self.at < len(self.text):
            if not self._skip():
                self._token()
        self.tokens.append(Token("end", len(self.text), len(self.text)))

    def _skip(self) -> bool:
        """Blanks and comments."""
        found = _BLANK.match(self.text, self.at) or _COMMENT.match(self.text, self.at)
        if found:
            self.at = found.end()
        elif self.text.startswith("/*", self.at):
            self.faults.append(Fault(self.at, "this comment is never closed", "end it with */"))
            self.at = len(self.text)
        return found is not None or self.at >= len(self.text)

    def _token(self) -> None:
        char = self.text[self.at]
        if char in "{}[]:,":
            self.tokens.append(Token(char, self.at, self.at + 1))
            self.at += 1
        elif char in "\"'":
            self._string(char)
        else:
            self._bare()

    def _bare(self) -> None:
        start = self.at
        word = _WORD.match(self.text, start)
        number = None if word and word.group() not in {"Infinity", "NaN"} else _NUMBER.match(self.text, start)
        found = number or word
        if found is None or (number and _WORD.match(self.text, number.end())):
            junk = _JUNK.match(self.text, start)
            self.at = junk.end() if junk else start + 1
            shown = self.text[start : min(self.at, start + 20)]
            self.faults.append(Fault(start, f"{shown!r} is not JSON5", "a text needs quotes"))
            self.tokens.append(Token("literal", start, self.at))
            return
        self.at = found.end()
        if number:
            self.tokens.append(Token("number", start, self.at, self._number(number.group(), start)))
            return
        name = _WORD_ESCAPE.sub(lambda m: chr(int(m.group(1), 16)), found.group())
        kind = "literal" if found.group() in _LITERALS else "word"
        value = _LITERALS[name] if kind == "literal" else self._sound(name, start)
        self.tokens.append(Token(kind, start, self.at, value))

    def _number(self, text: str, start: int) -> object:
        if len(text) > MAX_NUMBER:
            self.faults.append(Fault(start, f"this number has more than {MAX_NUMBER} characters"))
            return 0
        sign = -1 if text[0] == "-" else 1
        digits = text.lstrip("+-")
        if digits in {"Infinity", "NaN"}:
            return sign * math.inf if digits == "Infinity" else math.nan
        if digits[:2] in {"0x", "0X"}:
            return sign * int(digits, 16)
        if digits.isdigit():
            if len(digits) > 1 and digits[0] == "0":
                self.faults.append(Fault(start, "a number must not begin with 0"))
            return sign * int(digits)
        return sign * float(digits)

    def _string(self, quote: str) -> None:
        start = self.at
        parts: list[str] = []
        self.at += 1
        while True:
            char = self.text[self.at : self.at + 1]
            if char in {"", "\n", "\r"}:
                self.faults.append(
                    Fault(start, "this text is never closed", f"it lacks a {quote} at its end")
                )
                break
            self.at += 1
            if char == quote:
                break
            parts.append(self._escape() if char == "\\" else char)
        value = self._sound("".join(parts), start)
        self.tokens.append(Token("string", start, self.at, value))

    def _escape(self) -> str:
        char = self.text[self.at : self.at + 1]
        self.at += len(char)
        if char == "\r" and self.text.startswith("\n", self.at):
            self.at += 1
        if char in {"\n", "\r", "\u2028", "\u2029", ""}:
            return ""
        width = {"x": 2, "u": 4}.get(char)
        if width is None:
            if char in "123456789":
                self.faults.append(Fault(self.at - 2, f"\\{char} is not an escape of JSON5"))
            return _SIMPLE.get(char, char)
        digits = self.text[self.at : self.at + width]
        if not re.fullmatch(f"[0-9a-fA-F]{{{width}}}", digits):
            self.faults.append(Fault(self.at - 2, f"\\{char} needs {width} hexadecimal digits"))
            return ""
        self.at += width
        return chr(int(digits, 16))

    def _sound(self, text: str, start: int) -> str:
        """Join surrogate pairs; a lone one cannot be written as UTF-8."""
        if not _SURROGATE.search(text):
            return text
        joined = _SURROGATE_PAIR.sub(
            lambda m: m.group().encode("utf-16", "surrogatepass").decode("utf-16"), text
        )
        if _SURROGATE.search(joined):
            self.faults.append(Fault(start, "half of a surrogate pair is not a character"))
            return _SURROGATE.sub("\ufffd", joined)
        return joined


def tokenize(text: str) -> tuple[list[Token], list[Fault]]:
    """Cut ``text`` into tokens (the last is ``end``) and say what is wrong with single ones."""
    lexer = _Lexer(text)
    lexer.run()
    return lexer.tokens, lexer.faults
