"""The served document and the route table are the same, both ways, methods included."""

from __future__ import annotations

from typing import Any

import pytest
from litestar.routes import ASGIRoute

from ccr.entrypoints.http.collections import ACTIONS
from ccr.entrypoints.http.openapi_models import MODEL_PATHS

pytestmark = pytest.mark.anyio

COLLECTIONS = {"/v1/models", "/v1beta/models"}
UNDESCRIBED = {("/openapi.json", "get")}
"""The document does not describe itself."""


def routes(app: Any) -> set[tuple[str, str]]:
    """Every path and method that the framework serves; the mounts answer POST alone (``test_models.py``)."""
    found = set()
    for route in app._app._app.routes:
        if route.path in COLLECTIONS:
            found |= {(route.path, "get"), (f"{route.path}/{{model}}", "get")}
            found |= {(f"{route.path}/{{model}}:{action}", "post") for action in ACTIONS}
            continue
        methods = {"POST"} if isinstance(route, ASGIRoute) else route.methods
        path = getattr(route, "path_format", route.path)
        found |= {(path, method.lower()) for method in methods if method != "OPTIONS"}
    return found


async def test_document_and_route_table_agree(faces: Any) -> None:
    async with faces() as face:
        told = await face.ask(path="/openapi.json")
        served = routes(face.app)

    described = {(path, method) for path, item in told.json["paths"].items() for method in item}
    assert served - UNDESCRIBED == described


async def test_the_model_endpoints_are_the_mounts(faces: Any) -> None:
    async with faces() as face:
        mounts = {route.path for route in face.app._app._app.routes if isinstance(route, ASGIRoute)}

    assert mounts == {path for path in MODEL_PATHS if "{" not in path}


async def test_operations_have_names_of_their_own_and_credentials_are_described(faces: Any) -> None:
    async with faces() as face:
        document = (await face.ask(path="/openapi.json")).json
    names = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]

    assert len(set(names)) == len(names)
    assert document["openapi"].startswith("3.")
    assert set(document["components"]["securitySchemes"]) == {"key", "bearer"}
    assert document["components"]["schemas"]["Error"]["required"] == ["type", "error"]
