"""The official SDK through the real gateway, before a scripted upstream of either dialect."""

from __future__ import annotations

from collections.abc import Iterator

import anthropic
import pytest

from tests.support.stage import KINDS, Stage, open_stage


@pytest.fixture(scope="session", params=KINDS)
def upstream_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def ccr(upstream_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with open_stage(upstream_kind, tmp_path_factory.mktemp(f"sdk-{upstream_kind}")) as stage:
        yield stage


@pytest.fixture
def sdk(ccr: Stage) -> Iterator[anthropic.Anthropic]:
    """A client that never retries by itself, so that each error is seen."""
    with anthropic.Anthropic(
        base_url=ccr.base_url, api_key="test-token", max_retries=0, timeout=30
    ) as client:
        yield client
