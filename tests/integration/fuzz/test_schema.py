"""Requests made from our own OpenAPI document, right ones and wrong ones: no fault of ours, and errors of the right shape."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from ccr import create_app
from tests.support.gateway_process import GatewayProcess

CONFIG: dict[str, Any] = {
    "LOG": False,
    "Router": {"default": "demo,demo"},
    "Admin": {"hosts": ["testserver"]},
}
_SEED = 20
_ENDS_THE_RUN = {"/api/drain", "/api/reload", "/api/probes"}
"""What stops the gateway, or asks every provider."""
_MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


def _is_gemini(status: int, said: Any) -> bool:
    error = said["error"]
    return bool(error["code"] == status and isinstance(error["message"], str) and error["status"].isupper())


def _is_openai(_: int, said: Any) -> bool:
    return "type" not in said and all(isinstance(said["error"][name], str) for name in ("message", "type"))


def _is_anthropic(_: int, said: Any) -> bool:
    return said["type"] == "error" and all(
        isinstance(text, str)
        for text in (said["error"]["type"], said["error"]["message"], said["request_id"])
    )


def shape_of(path: str) -> Callable[[int, Any], bool]:
    """Return who knows the error of a path's dialect. A lone model's may hold a colon, as Gemini's actions do."""
    if path.startswith("/v1beta/") or ":" in path:
        return _is_gemini
    if path.startswith(("/v1/chat/", "/v1/responses")):
        return _is_openai
    if path == "/v1/models/{model}":
        return lambda status, said: (_is_gemini if "code" in said["error"] else _is_anthropic)(status, said)
    return _is_anthropic


def has_the_dialects_shape(case: Case[Any], response: Any) -> None:
    """An error is one of the API that the path belongs to."""
    if response.status_code < 400:
        return
    said = response.json()
    try:
        fits = bool(said["error"]["message"]) and shape_of(case.path)(response.status_code, said)
    except (KeyError, TypeError, AttributeError):
        fits = False
    assert fits, f"{response.status_code} of {case.method} {case.path}: {response.text[:300]}"


def operations(schema: Any) -> Iterator[Any]:
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path not in _ENDS_THE_RUN and operation.method != "head":
            yield operation


def tried(operation: Any, mode: GenerationMode, examples: int, **call: Any) -> str:
    """Ask so often; return what was wrong, empty if nothing was."""
    checks = [not_a_server_error, content_type_conformance, response_schema_conformance]
    if operation.path.startswith("/v1"):
        checks.append(status_code_conformance)

    @seed(_SEED)
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy(generation_mode=mode))
    def ask(case: Case[Any]) -> None:
        response = case.call(**call)
        case.validate_response(response, checks=checks)
        has_the_dialects_shape(case, response)

    try:
        ask()
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return f"{operation.method.upper()} {operation.path} ({mode.value}): {error}"[:1500]
    return ""


def wrong(schema: Any, examples: int, **call: Any) -> list[str]:
    found = [tried(operation, mode, examples, **call) for operation in operations(schema) for mode in _MODES]
    assert len(found) > 40
    return [what for what in found if what]


@pytest.mark.slow
def test_the_application_keeps_to_its_own_description() -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", create_app(CONFIG))

    broken = wrong(schema, 10)
    assert not broken, "\n\n".join(broken)


@pytest.mark.slow
def test_a_real_gateway_keeps_to_its_own_description(tmp_path: Path) -> None:
    with GatewayProcess(tmp_path, CONFIG) as gateway:
        schema = schemathesis.openapi.from_url(f"{gateway.base_url}/openapi.json")
        broken = wrong(schema, 5)

        assert not broken, "\n\n".join(broken)
