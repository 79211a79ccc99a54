"""What chat completions look like when they come in: typed as loosely as providers write them.

A field that some provider fills with another kind of value is ``object`` here and looked at where it is used, so that
an odd field costs that field and not the reply.
"""

from __future__ import annotations

import msgspec

__all__ = ["CHUNK", "NAME", "Choice", "Chunk", "Delta", "FunctionPiece", "ToolPiece"]

NAME = "openai_chat"
"""The name of this dialect, in configuration and in everything that carries an origin."""


class FunctionPiece(msgspec.Struct, gc=False):
    """``arguments`` is a piece of JSON text; Ollama and some others give the object itself."""

    name: str | None = None
    arguments: object = None


class ToolPiece(msgspec.Struct, gc=False):
    """A piece of a tool call; ``index`` and ``id`` are missing at some providers, reused at others."""

    index: object = None
    id: object = None
    function: FunctionPiece | None = None


class Delta(msgspec.Struct, gc=False):
    """A piece of a message, or (``message``) the whole of it. ``content`` is text or a list of parts; ``function_call`` is
    what servers of 2023 say in place of ``tool_calls``.
    """

    content: object = None
    reasoning_content: object = None
    reasoning: object = None
    reasoning_text: object = None
    reasoning_details: object = None
    refusal: object = None
    tool_calls: list[ToolPiece] | None = None
    function_call: FunctionPiece | None = None
    annotations: object = None


class Choice(msgspec.Struct, gc=False):
    """``stop_reason`` is vLLM's: the stop sequence that was hit."""

    index: object = None
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: object = None
    stop_reason: object = None
    error: object = None


class Chunk(msgspec.Struct, gc=False):
    """One event of a stream, or a whole reply. ``code`` and ``msg`` are the errors that some send with a 200;
    ``web_search`` (Zhipu) and ``citations`` (xAI) are what their own search gave.
    """

    id: object = None
    model: object = None
    choices: list[Choice] | None = None
    usage: object = None
    x_groq: object = None
    web_search: object = None
    citations: object = None
    error: object = None
    code: object = None
    msg: object = None
    message: object = None


CHUNK = msgspec.json.Decoder(Chunk)
