"""What a provider's complaint names, and what would help: the wordings of real providers.

A wording is known by its trigger; the first trigger that fits decides, also that there is nothing to be done. Whatever is
not clearly named is left alone, and so is everything about what was said (:mod:`ccr.domain.compat.names`).

Sources: the error texts of the APIs of OpenAI, Azure, Anthropic, Bedrock, Gemini, DeepSeek, Qwen, Groq, Mistral, xAI and
vLLM, as their documentation and the issues of their clients quote them (user-pains.md 1C, 2; providers.md 4.2, 4.7).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from ccr.domain.compat.amendment import EFFORT, LIMIT, THINKING_TYPE, TOOL_CHOICE, Amendment, Change
from ccr.domain.compat.effort import LEVELS
from ccr.domain.compat.names import FLAGS, HISTORY, KEYWORDS, MARKS, SCHEMAS, is_protected, plain, steps_of
from ccr.domain.errors import GatewayError, UpstreamRejectedError

__all__ = ["complains_of_seal", "read_complaint"]

_STATUSES = (400, 422)
_LONGEST = 2000
_LONGEST_NAME = 80
_DEEPEST = 4
_LEAST_LIMIT, _MOST_LIMIT = 16, 10_000_000

_Q = r"['\"`]"
_NAME = r"[A-Za-z_$][\w$.\[\]-]{0,80}"
_FIELD = r"(?:[a-z]{1,24}(?:_[a-z]{1,24}){1,5}|temperature|seed|stop|logprobs|logit_bias|thinking|verbosity|user|store|metadata)"
_NOT = r"(?:not (?:currently )?(?:supported|permitted|allowed|accepted|available)|unsupported|deprecated|only allowed)"
_BETA = r"([a-z0-9-]{1,60}-\d{4}-\d{2}-\d{2})"
_TOKENS = r"(?:max[ _](?:completion_|output_|new_)?tokens|maxOutputTokens)"
_N = r"([\d][\d,_]*)"

_Found: TypeAlias = re.Match[str]
_Reader: TypeAlias = Callable[[_Found, str], Amendment | None]


def read_complaint(error: GatewayError) -> Amendment | None:
    """Return what a rejection asks for, None if it names nothing that may be amended."""
    if not isinstance(error, UpstreamRejectedError) or error.status not in _STATUSES:
        return None
    for text in _texts(error):
        for trigger, read in _WORDINGS:
            found = trigger.search(text)
            if found is not None:
                return read(found, text)
    return None


def complains_of_seal(error: GatewayError) -> bool:
    """Whether a provider refuses sealed state that came back to it: a signature, encrypted reasoning."""
    if not isinstance(error, UpstreamRejectedError) or error.status not in _STATUSES:
        return False
    return any(_SEAL.search(text) is not None for text in _texts(error))


def _texts(error: GatewayError) -> Iterable[str]:
    """The sentence with the parameter that goes with it, then the whole body: some say it in a list."""
    body = (
        error.upstream.body[:_LONGEST].decode("utf-8", "replace").replace('\\"', '"')
        if error.upstream
        else ""
    )
    param = _PARAM.search(body)
    yield f"{error.message[:_LONGEST]} [parameter '{param[1]}']" if param else error.message[:_LONGEST]
    if body:
        yield body


_PARAM = re.compile(rf'"param"\s*:\s*"({_NAME})"')
_SEAL = re.compile(
    r"encrypted[_ ]content\b.*?(?:could not be|cannot be|not be|invalid|failed to)"
    r"|(?:invalid|failed to decrypt) .{0,20}encrypted[_ ]content"
    r"|(?:invalid|corrupted|malformed|unrecognized).{0,20}thought[_ ]?signature"
    r"|thought[_ ]?signature.{0,20}(?:is not valid|is invalid|is corrupted|could not|cannot be)"
    r"|invalid.{0,3}signature.{0,12}thinking",
    re.IGNORECASE | re.DOTALL,
)


# ------------------------------------------------------------------------------------------ by what it is about


def _at(steps: Sequence[str]) -> Amendment | None:
    """Say what is left out when a provider does not know what stands at a path."""
    while steps and steps[0].lower() in ("body", "request", "generatecontentrequest", "params"):
        steps = steps[1:]
    if not steps or plain(steps[0]) in HISTORY or any(len(step) > _LONGEST_NAME for step in steps):
        return None
    top, last = plain(steps[0]), steps[-1]
    if top in ("tools", "system") and last in MARKS:
        return Amendment(Change.MARK, last)
    if top in ("tools", "functiondeclarations"):
        return _in_tools([plain(step) for step in steps], last)
    path = ".".join(steps)
    if is_protected(path) or len(steps) > _DEEPEST or any(step.isdigit() for step in steps):
        return None
    return Amendment(Change.DROP, path)


def _in_tools(steps: Sequence[str], last: str) -> Amendment | None:
    if any(step in SCHEMAS for step in steps):
        return Amendment(Change.KEYWORD, last) if last in KEYWORDS else None
    return Amendment(Change.FLAG, last) if last in FLAGS else None


def _named(found: _Found, _: str) -> Amendment | None:
    name = next((group for group in found.groups() if group), "")
    return _at(steps_of(name.rstrip(".")))


def _located(found: _Found, text: str) -> Amendment | None:
    """A list of pydantic's, in JSON or in Python's words: the first place of which something can be said."""
    del found
    for place in _LOC.finditer(text):
        steps = [step.strip(" '\"") for step in place[1].split(",")]
        amendment = _at([step for step in steps if step])
        if amendment is not None:
            return amendment
    return None


def _unknown_name(found: _Found, _: str) -> Amendment | None:
    return _at([*steps_of(found[2] or ""), *steps_of(found[1])])


def _in_schema(_: _Found, text: str) -> Amendment | None:
    """A schema that is refused helps only if it says for which word; that one is *missing* is another matter."""
    named = _KEYWORD.search(text)
    word = next((group for group in named.groups() if group), "") if named else ""
    return Amendment(Change.KEYWORD, word) if word in KEYWORDS else None


def _beta(found: _Found, _: str) -> Amendment | None:
    return Amendment(Change.BETA, found[1] or found[2])


def _cap(found: _Found, text: str) -> Amendment | None:
    limit = int(re.sub(r"\D", "", found[1]))
    if "(exclusive)" in text[found.end() : found.end() + 14] or (
        "[" in found[0] and text[found.end() :].startswith(")")
    ):
        limit -= 1
    return Amendment(Change.CAP, LIMIT, limit=limit) if _LEAST_LIMIT <= limit <= _MOST_LIMIT else None


def _thinking_type(_: _Found, text: str) -> Amendment | None:
    listed = re.search(
        r"(?:should be|must be|supported values|expected|\buse\b)(.*)", text, re.IGNORECASE | re.DOTALL
    )
    allowed = (
        tuple(dict.fromkeys(re.findall(r"\b(enabled|disabled|adaptive)\b", listed[1]))) if listed else ()
    )
    return Amendment(Change.CLAMP, THINKING_TYPE, allowed=allowed) if allowed else _at(["thinking"])


def _effort(found: _Found, text: str) -> Amendment | None:
    listed = _LISTED.search(text)
    words = re.findall(r"\b[a-z]+\b", listed[1].lower()) if listed else []
    allowed = tuple(dict.fromkeys(word for word in words if word in (*LEVELS, "default")))
    if allowed:
        return Amendment(Change.CLAMP, EFFORT, allowed=allowed)
    return _at(steps_of(found[1])) if _REFUSED.search(text) else None


def _tool_choice(_: _Found, text: str) -> Amendment | None:
    if _UNKNOWN.search(text) is not None:
        return Amendment(Change.DROP, TOOL_CHOICE)
    return Amendment(Change.AUTO, TOOL_CHOICE) if _REFUSED.search(text) else None


def _rename(found: _Found, _: str) -> Amendment | None:
    old, new = found[1], found[2]
    if len(steps_of(old)) != 1 or len(steps_of(new)) != 1 or is_protected(old) or is_protected(new):
        return None
    return Amendment(Change.RENAME, old, to=new)


def _nothing(_: _Found, __: str) -> None:
    return None


_LOC = re.compile(r"['\"]loc['\"]\s*:\s*[\[(]([^\])]*)[\])]")
_KEYWORD = re.compile(
    rf"{_Q}(\$?\w+){_Q} is (?:not (?:permitted|allowed|supported|a valid keyword)|unsupported)"
    rf"|(?:unknown|unsupported|unrecognized) (?:keyword|name|field|property):? {_Q}?(\$?\w+)"
    rf"|is not a valid {_Q}?(format){_Q}?",
    re.IGNORECASE,
)
_LISTED = re.compile(
    r"(?:supported values|allowed values|must be|should be|expected|one of|valid values|choose from)(.*)",
    re.IGNORECASE | re.DOTALL,
)
_REFUSED = re.compile(
    r"not support|unsupported|not allowed|not permitted|invalid|must be|only .{0,20}auto|not available|unknown"
    r"|unrecognized|unexpected|extra input|may not",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(
    r"unrecognized|unknown|unsupported parameter|only allowed|extra input|unexpected keyword|was unexpected",
    re.IGNORECASE,
)


def _wording(
    pattern: str, read: _Reader, flags: int = re.IGNORECASE | re.DOTALL
) -> tuple[re.Pattern[str], _Reader]:
    return re.compile(pattern, flags), read


_WORDINGS: tuple[tuple[re.Pattern[str], _Reader], ...] = (
    # Pydantic: a list of places, or a path before the words (Anthropic, Mistral, vLLM, Together)
    _wording(r"['\"]loc['\"].*(?:extra_forbidden|Extra inputs are not permitted)", _located),
    _wording(r"(?:extra_forbidden|Extra inputs are not permitted).*['\"]loc['\"]", _located),
    _wording(rf"({_NAME}): Extra inputs are not permitted", _named),
    # Gemini
    _wording(rf"Unknown name {_Q}([\w$]+){_Q}(?: at {_Q}([^'\"`]*){_Q})?", _unknown_name),
    _wording(r"((?:tools|function_?declarations)[\w.\[\]]*\.(?:parameters|schema)[\w.\[\]]*): only ", _named),
    # Whatever else is about what was said is none of our business
    _wording(r"\b(?:messages|contents|input)(?:\.|\[)\d", _nothing),
    # OpenAI on tools
    _wording(r"invalid schema for (?:function|tool|response_format)", _in_schema),
    # Anthropic and its clouds
    _wording(rf"{_BETA}[^.]*anthropic[-_]beta|anthropic[-_]beta[^.]*?{_BETA}", _beta),
    # Limits
    _wording(rf"{_TOKENS}\W.{{0,40}}too large.*?at most {_N}", _cap),
    _wording(rf"range of {_TOKENS}\W.{{0,20}}\[\s*\d+\s*,\s*{_N}", _cap),
    _wording(rf"{_TOKENS}{_Q}?: [\d,_]+ > {_N}", _cap),
    _wording(rf"{_TOKENS} value of \d+ but the supported range is from \d+ \(inclusive\) to {_N} ?", _cap),
    _wording(
        rf"{_TOKENS}{_Q}? (?:must be|should be|is limited to|cannot be|can't be)?\s?"
        rf"(?:less than or equal to|at most|<=|(?:no )?(?:more|greater|larger) than) {_Q}?{_N}",
        _cap,
    ),
    _wording(rf"maximum tokens you requested exceeds the model limit of {_N}", _cap),
    _wording(rf"{_TOKENS}\W.{{0,60}}(?:maximum (?:value )?(?:is|of)|limit (?:is|of)):? {_Q}?{_N}", _cap),
    # What it thinks by
    _wording(r"thinking\.type|thinking type", _thinking_type),
    _wording(rf"{_Q}?\b(reasoning[_.]effort|output_config\.effort|thinking_?level){_Q}?", _effort),
    _wording(r"\btool_choice\b", _tool_choice),
    # A better name
    _wording(
        rf"(?:unsupported|deprecated|unknown) parameter:? {_Q}({_NAME}){_Q}.*?\buse {_Q}({_NAME}){_Q} instead",
        _rename,
    ),
    _wording(
        rf"unsupported parameter:? {_Q}({_NAME}){_Q}.*?(?:has moved to|(?:was|been) (?:renamed|replaced) (?:to|by)) "
        rf"{_Q}({_NAME}){_Q}",
        _rename,
    ),
    # A field by its name
    _wording(rf"unsupported value: {_Q}({_NAME}){_Q} does not support", _named),
    _wording(
        rf"additional properties are not allowed \({_Q}({_NAME}){_Q} w(?:as|ere) unexpected\)(?: - {_Q}([^'\"`]*){_Q})?",
        _unknown_name,
    ),
    _wording(
        r"(?:unrecognized|unknown|unsupported|unexpected) (?:request |keyword |body |top-level )?"
        r"(?:argument|parameter|field|key|property|option)(?:s|\(s\))?(?: supplied| in object| in request)?"
        rf"(?: name)?:? {_Q}?({_NAME})",
        _named,
    ),
    _wording(rf"argument not supported(?: on this model)?: {_Q}?({_NAME})", _named),
    _wording(
        rf"{_Q}({_NAME}){_Q}(?: parameter| field| argument| property| option)? (?:is|are) {_NOT}", _named
    ),
    _wording(rf"(?:parameter|field|argument|property|option) {_Q}?({_NAME}){_Q}? (?:is|are) {_NOT}", _named),
    _wording(rf"\b({_FIELD}) (?:is|are) {_NOT}", _named),
    _wording(rf"does(?: not|n't) support (?:the )?(?:parameters? |field )?{_Q}?\b({_FIELD})\b", _named),
    _wording(rf"{_Q}(temperature|top_p|top_k){_Q} (?:may|must|can) (?:only )?be", _named),
    _wording(rf"{_Q}temperature{_Q} and {_Q}(top_p){_Q} cannot both", _named),
)
