"""Short ways to read a configuration in tests."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from ccr.adapters.config.load import load
from ccr.application.ports.config import Loaded
from ccr.application.settings import Settings
from ccr.domain.errors import ConfigError

ROUTE = 'Router: { default: "demo,demo" }'
PROVIDER = 'name: "p", api_base_url: "https://h/v1/chat/completions", api_key: "k", models: ["m", "org/n"]'


def loaded(text: str, environ: Mapping[str, str] | None = None, *, strict: bool = False) -> Loaded:
    return load(text, file="c.json", environ=environ or {}, strict=strict)


def settings(text: str, environ: Mapping[str, str] | None = None) -> Settings:
    return loaded(text, environ).settings


def problems(text: str, environ: Mapping[str, str] | None = None, *, strict: bool = False) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(text, environ, strict=strict)
    return [str(problem) for problem in caught.value.problems if problem.severity == "error"]


def warnings(text: str, environ: Mapping[str, str] | None = None) -> list[str]:
    return [str(problem) for problem in loaded(text, environ).warnings]


def keys(text: str) -> str:
    return "{" + ROUTE + ", " + text + "}"


def provider(text: str) -> str:
    return "{Providers: [{" + text + "}], " + 'Router: {default: "p,m"}' + "}"
