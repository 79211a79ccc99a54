"""The whole HTTP face around a transport by script."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeAlias

import pytest
from attrs import define

from ccr.entrypoints.asgi import GatewayApp
from tests.support.asgi import Told, ask
from tests.support.assembly import Bench, assembled


@define
class Face:
    """An application and what stands behind it."""

    app: GatewayApp
    bench: Bench

    async def ask(self, *args: Any, **more: Any) -> Told:
        return await ask(self.app, *args, **more)


Faces: TypeAlias = Callable[..., AbstractAsyncContextManager[Face]]


@pytest.fixture
def faces() -> Faces:
    @asynccontextmanager
    async def opened(
        *scripts: Any, config: Mapping[str, Any] | None = None, **top: Any
    ) -> AsyncIterator[Face]:
        async with assembled(*scripts, config=config, **top) as bench:
            yield Face(GatewayApp(bench.made, follow=False), bench)

    return opened
