"""``Providers``: who answers, and how they are spoken to."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from ccr.adapters.config.schema.keys import REQUIRED, Kind, key
from ccr.domain.secret import Secret

__all__ = [
    "CustomTransformer",
    "KeyEntry",
    "ModelLimit",
    "Plugin",
    "ProviderEntry",
    "TokenizerEntry",
    "Use",
    "UseBlock",
]


@frozen
class Use:
    """One entry of a ``use`` list: ``"name"`` or ``["name", {options}]``."""

    name: str
    options: Mapping[str, object] = field(factory=dict)


@frozen
class UseBlock:
    """``{ "use": [...], "<model>": { "use": [...] } }``; the second list is applied after the first."""

    use: tuple[Use, ...] = ()
    models: Mapping[str, tuple[Use, ...]] = field(factory=dict)


@frozen
class KeyEntry:
    """One of a provider's keys; more requests go to one of more weight."""

    secret: Secret
    weight: float = 1.0


@frozen
class ModelLimit:
    """What is said about one model."""

    context_window: int | None = key(
        "contextWindow", Kind.INTEGER, "Input and output together, in tokens.", least=1
    )
    max_output: int | None = key("maxOutput", Kind.INTEGER, "Longest reply, in tokens.", least=1)


@frozen
class TokenizerEntry:
    """The ancestor's choice of a tokenizer per provider."""

    default: Mapping[str, object] = key("default", Kind.FREE_OBJECT, "Tokenizer of all models.", default=dict)
    models: Mapping[str, object] = key("models", Kind.FREE_OBJECT, "Tokenizer by model.", default=dict)


@frozen
class ProviderEntry:
    """One provider."""

    name: str = key("name", Kind.TEXT, "Unique name, used in routes as `name,model`.", default=REQUIRED)
    api_base_url: str = key(
        "api_base_url",
        Kind.URL,
        "The full endpoint, used verbatim, e.g. `https://api.deepseek.com/chat/completions`; "
        "for Gemini the base that ends in `/models/`.",
        default=REQUIRED,
    )
    api_key: tuple[KeyEntry, ...] = key(
        "api_key",
        Kind.SECRETS,
        'The provider\'s key, or a list of keys that take turns: `["sk-1", {"key": "sk-2", "weight": 3}]`. Empty: no auth '
        "header is sent, with one warning.",
        default=(),
    )
    max_in_flight: int | None = key(
        "maxInFlight",
        Kind.INTEGER,
        "Requests that a worker has under way there at once; others go to another target, or wait. No limit unless set.",
        least=1,
    )
    models: tuple[str, ...] = key(
        "models", Kind.TEXTS, "Models it offers. Empty: any model name is passed on.", default=()
    )
    transformer: UseBlock = key(
        "transformer",
        Kind.USE,
        'Transformers: `{"use": ["name", ["name", {options}]], "<model>": {"use": [...]}}`.',
        default=UseBlock(),
    )
    dialect: str = key(
        "dialect",
        Kind.TEXT,
        "The API it speaks, e.g. `anthropic` or `openai_chat`; recognised by host, `use` and URL when left out.",
        default="",
    )
    headers: Mapping[str, str] = key(
        "headers", Kind.TEXT_MAP, "Further headers of every request to it.", default=dict
    )
    model_limits: Mapping[str, ModelLimit] = key(
        "modelLimits",
        Kind.MAP,
        "What you know better about a model: `{contextWindow, maxOutput}` in tokens, by model name.",
        default=dict,
        of=ModelLimit,
    )
    tokenizer: TokenizerEntry | None = key(
        "tokenizer", Kind.OBJECT, "Tokenizer by model (ancestor's v2).", of=TokenizerEntry, later=True
    )


@frozen
class CustomTransformer:
    """An entry of ``transformers``."""

    path: str = key(
        "path",
        Kind.PATH,
        "Path of the Python file. It and its folder must be yours and writable by nobody else. A `.js` file is refused.",
        default=REQUIRED,
    )
    options: Mapping[str, object] = key(
        "options",
        Kind.FREE_OBJECT,
        "Defaults of its options; a provider's `use` has the last word.",
        default=dict,
    )


@frozen
class Plugin:
    """An entry of ``plugins`` (ancestor's v2)."""

    name: str = key("name", Kind.TEXT, "Name of the plugin.", default=REQUIRED)
    enabled: bool = key("enabled", Kind.BOOLEAN, "Whether it is used.", default=True)
    options: Mapping[str, object] = key("options", Kind.FREE_OBJECT, "Handed to the plugin.", default=dict)
