"""Google Vertex AI: Gemini, Claude (rawPredict) and everything else through its chat completions.

Project and location stand in the path, the location in the host as well
(cloud.google.com/vertex-ai/generative-ai/docs/learn/locations; the address rules are those of the official SDKs).
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from attrs import frozen

from ccr.adapters.wire import json
from ccr.adapters.wire.resold import (
    asked_betas,
    undated,
    without_billing,
    without_fields,
    without_header,
)
from ccr.adapters.wire.sse import SseFramer
from ccr.domain.compat.names import paired_field
from ccr.domain.errors import UnsupportedError
from ccr.domain.facts import Operation
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ccr.application.ports.dialect import Framer
    from ccr.application.ports.payload import Encoded
    from ccr.application.ports.provider import Endpoint

__all__ = ["VertexHosting"]

_ANTHROPIC_VERSION = "vertex-2023-10-16"
_PROJECT_VARIABLE = "GOOGLE_CLOUD_PROJECT"
_FILE_VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS"
_LOCATION_VARIABLE = "GOOGLE_CLOUD_LOCATION"
_LOCATIONS = {"anthropic": "us-east5"}
_LOCATION = "us-central1"

_GOOGLE = re.compile(
    r"(?:(?P<region>[a-z0-9-]+|\{\w+\})-)?aiplatform(?:\.(?P<multi>[a-z0-9-]+|\{\w+\})\.rep)?\.googleapis\.com"
)
_MULTI = frozenset({"us", "eu"})
"""Locations of several regions; they have hosts of their own."""

_OWN = re.compile(r"/(?:projects|publishers|endpoints)(?:/|$)")
_PROJECT = re.compile(r"/projects/([^/{}]+)")
_IN_PATH = re.compile(r"/locations/([^/{}]+)")
_VERSION = re.compile(r"/v\d+[a-z]*\d*$")

_GEMINI = "/publishers/google/models/{model}"
_CLAUDE = "/publishers/anthropic/models/{model}"
_ACTIONS = {
    ("gemini", Operation.GENERATE, False): f"{_GEMINI}:generateContent",
    ("gemini", Operation.GENERATE, True): f"{_GEMINI}:streamGenerateContent?alt=sse",
    ("gemini", Operation.COUNT, False): f"{_GEMINI}:countTokens",
    ("gemini", Operation.COUNT, True): f"{_GEMINI}:countTokens",
    ("anthropic", Operation.GENERATE, False): f"{_CLAUDE}:rawPredict",
    ("anthropic", Operation.GENERATE, True): f"{_CLAUDE}:streamRawPredict",
    ("openai_chat", Operation.GENERATE, False): "/endpoints/openapi/chat/completions",
    ("openai_chat", Operation.GENERATE, True): "/endpoints/openapi/chat/completions",
}

_BETAS = {"advanced-tool-use-2025-11-20": "tool-search-tool-2025-10-19"}
"""Betas that have another name here (providers.md 4.1)."""

_REFUSED = frozenset(
    {
        "advisor-tool",
        "afk-mode",
        "claude-code",
        "code-execution",
        "fast-mode",
        "files-api",
        "fine-grained-tool-streaming",
        "mcp-client",
        "mcp-servers",
        "message-threads",
        "mid-conversation-system",
        "oauth",
        "output-128k",
        "prompt-caching-scope",
        "skills",
        "structured-outputs",
        "thinking-token-count",
        "token-efficient-tools",
        "web-fetch",
    }
)
"""Betas without their dates that are refused here, or mean nothing to anybody but Anthropic (providers.md 4.7). Others
go: a refusal names them, so they are learned."""

_FIELDS = (
    *sorted({field for beta in _REFUSED if (field := paired_field(beta))}),
    "inference_geo",
    "service_tier",
)


@frozen
class _Place:
    origin: str
    head: str
    project: str
    location: str
    query: str


class VertexHosting:
    """Door to Vertex AI. ``environ`` says project and location where an address does not; a service account's file that it
    names says the project, too.
    """

    name = "vertex"
    verbatim = False

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def url(self, endpoint: Endpoint, model: str, operation: Operation, *, stream: bool) -> str:
        """Return the absolute URL.

        Raises UnsupportedError if no project is known, and for an operation that the dialect does not have here.
        """
        dialect = endpoint.dialect
        action = _ACTIONS.get((dialect, operation, stream))
        if action is None:
            raise UnsupportedError(
                f"Vertex AI has no way to ask for {operation.value} in the dialect {dialect}"
            )
        place = self._place(endpoint)
        path, _, query = action.partition("?")
        name = model.removeprefix("publishers/google/").removeprefix("models/")
        whole = f"{place.head}/projects/{place.project}/locations/{place.location}{path}".replace(
            "{model}", quote(name, safe="@")
        )
        return f"{place.origin}{whole}" + _query(place.query, query)

    def amend(self, encoded: Encoded, endpoint: Endpoint, betas: Sequence[str], *, stream: bool) -> Encoded:
        """Return the request as it is wanted here: the model stands in the path; Claude has its version in the body."""
        del stream
        if endpoint.dialect == "gemini":
            return evolve(encoded, payload=encoded.payload.without("model", "stream"))
        if endpoint.dialect == "anthropic":
            return _claude(encoded, betas)
        return encoded

    def framer(self, *, limit: int) -> Framer:
        """Return an SSE framer."""
        return SseFramer(limit)

    @cached_property
    def _project(self) -> str:
        return self._environ.get(_PROJECT_VARIABLE, "").strip() or _of_file(
            self._environ.get(_FILE_VARIABLE, "")
        )

    def _place(self, endpoint: Endpoint) -> _Place:
        parts = urlsplit(endpoint.url)
        google = _GOOGLE.fullmatch(parts.hostname or "")
        head = _OWN.split(parts.path, maxsplit=1)[0].rstrip("/")
        project = _first(_PROJECT, parts.path) or self._project
        if not project:
            raise UnsupportedError(
                f"Vertex AI needs a project: set {_PROJECT_VARIABLE}, or write it in the provider's address "
                "(.../v1/projects/PROJECT/locations/LOCATION)"
            )
        location = (
            _first(_IN_PATH, parts.path)
            or (_of_host(google) if google else "")
            or self._environ.get(_LOCATION_VARIABLE, "").strip()
            or _LOCATIONS.get(endpoint.dialect, _LOCATION)
        )
        return _Place(
            origin=f"{parts.scheme}://{_host(location) if google else parts.netloc}",
            head=head if _VERSION.search(head) else f"{head}/v1",
            project=quote(project, safe=":"),  # a project of a domain: example.com:name
            location=quote(location, safe=""),
            query=parts.query,
        )


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""


def _of_file(path: str) -> str:
    """Return the project of a service account; whatever is wrong with its file, logging in will say."""
    try:
        found = json.object_of(Path(path).read_bytes()) if path else None
    except (OSError, ValueError):
        return ""
    project = (found or {}).get("project_id")
    return project.strip() if isinstance(project, str) else ""


def _of_host(found: re.Match[str]) -> str:
    location = found["region"] or found["multi"] or ""
    return "" if location.startswith("{") else location


def _host(location: str) -> str:
    if location == "global":
        return "aiplatform.googleapis.com"
    if location in _MULTI:
        return f"aiplatform.{location}.rep.googleapis.com"
    return f"{location}-aiplatform.googleapis.com"


def _query(configured: str, wanted: str) -> str:
    kept = [pair for pair in configured.split("&") if pair and not pair.startswith("alt=")]
    pairs = [*kept, wanted] if wanted else kept
    return "?" + "&".join(pairs) if pairs else ""


def _claude(encoded: Encoded, betas: Sequence[str]) -> Encoded:
    payload = without_billing(encoded.payload)
    asked = asked_betas(payload, betas)
    payload = payload.without("model", "anthropic_beta").with_("anthropic_version", _ANTHROPIC_VERSION)
    kept = dict.fromkeys(_BETAS.get(beta, beta) for beta in asked if undated(beta) not in _REFUSED)
    made = without_fields(evolve(encoded, payload=payload), _FIELDS)
    made = without_header(without_header(made, "anthropic-version"), "anthropic-beta")
    return evolve(made, headers=(*made.headers, ("anthropic-beta", ",".join(kept)))) if kept else made
