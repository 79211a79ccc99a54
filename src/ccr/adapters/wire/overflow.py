"""How providers say that a request has more tokens than the model takes (providers.md 4.6, claude-code-client.md 5).

Claude Code compacts its context when it reads ``prompt is too long``, so every one of these becomes that.
"""

from __future__ import annotations

import re

from attrs import frozen

__all__ = ["Overflow", "find_overflow", "overflow_message"]

_N = r"([\d,._]*\d)"
_PHRASES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), order)
    for pattern, order in (
        # Anthropic
        (rf"prompt is too long:?\s*{_N} tokens? > {_N}", "tm"),
        (r"prompt is too long", ""),
        (rf"input length and `?max_tokens`? exceed context limit: {_N} \+ {_N} > {_N}", "tom"),
        (r"capability_rejected: prompt_too_long", ""),
        # OpenAI and everyone who copied it; "requested N tokens" or "resulted in N tokens"
        (
            rf"maximum context length is {_N} tokens.*?(?:requested|resulted in|contains|has|got) (?:about )?{_N}",
            "mt",
        ),
        (rf"maximum context length (?:is|of) {_N}", "m"),
        (r"maximum context length", ""),
        (r"context_length_exceeded", ""),
        (rf"requested token count exceeds the model's maximum context length of {_N}", "m"),
        # llama.cpp, LM Studio, Ollama
        (rf"request \({_N} tokens\) exceeds the available context size \({_N}", "tm"),
        (r"exceeds the available context size", ""),
        # Google
        (rf"input token count \(?{_N}\)? exceeds the maximum number of tokens allowed \(?{_N}", "tm"),
        (r"exceeds the maximum number of tokens allowed", ""),
        (r"input token count\b.*\bexceeds", ""),
        # Bedrock, Copilot, xAI, Moonshot, Groq
        (rf"input too long: .*?{_N} input tokens, limit is {_N}", "tm"),
        (rf"prompt token count of {_N} exceeds the limit of {_N}", "tm"),
        (rf"maximum prompt length is {_N} but the request contains {_N}", "mt"),
        (r"input is too long|input too long", ""),
        (r"model's maximum context limit", ""),
        (r"exceed(?:s|ed)? (?:the )?(?:model(?:'s)? )?(?:maximum )?context (?:length|window|limit|size)", ""),
        (r"exceeded model token limit: {_N}".replace("{_N}", _N), "m"),
    )
)


@frozen
class Overflow:
    """Tokens asked for and taken, where the provider said them."""

    tokens: int | None = None
    maximum: int | None = None


def find_overflow(text: str) -> Overflow | None:
    """Return what a provider's message says about too many tokens, None if it is about something else."""
    text = text[:10_000]
    for pattern, order in _PHRASES:
        found = pattern.search(text)
        if found is not None:
            numbers = dict(zip(order, map(_number, found.groups()), strict=True))
            asked = [number for number in (numbers.get("t"), numbers.get("o")) if number is not None]
            return Overflow(sum(asked) if asked else None, numbers.get("m"))
    return None


def overflow_message(tokens: int | None, maximum: int | None, said: str) -> str:
    """Return Anthropic's wording, ``prompt is too long: N tokens > M maximum``; ``said`` goes with unknown numbers."""
    if tokens is not None and maximum is not None:
        return f"prompt is too long: {tokens} tokens > {maximum} maximum"
    if said.lower().startswith("prompt is too long"):
        return said
    if maximum is not None:
        return f"prompt is too long: more than {maximum} tokens maximum ({said})"
    return f"prompt is too long ({said})"


def _number(text: str) -> int:
    return int(re.sub(r"\D", "", text))
