"""``qwen-cli``: the login of Qwen Code."""

from __future__ import annotations

from typing import ClassVar

from attrs import define

from ccr.application.ports.transformer import Door, Transformer

__all__ = ["QwenCli"]


@define(frozen=True)
class QwenCli(Transformer):
    """Takes the token from ~/.qwen/oauth_creds.json, which Qwen Code keeps fresh; the provider speaks chat completions."""

    name: ClassVar[str] = "qwen-cli"
    door: ClassVar[Door | None] = Door("openai_chat", credential="qwen-cli")
