"""The real client through the real gateway, before a scripted upstream of either dialect."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from tests.support.claude_client import ClaudeClient
from tests.support.parts import require_client
from tests.support.stage import KINDS, Stage, open_stage

OpenStage = Callable[..., Stage]
NewClient = Callable[[Stage], ClaudeClient]


@pytest.fixture(scope="session")
def executable() -> Path:
    return require_client()


@pytest.fixture(scope="session", params=KINDS)
def upstream_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def ccr(executable: Path, upstream_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One gateway for all peaceful scenes of a kind."""
    with open_stage(upstream_kind, tmp_path_factory.mktemp(f"ccr-{upstream_kind}")) as stage:
        yield stage


@pytest.fixture(scope="session")
def rough_ccr(
    executable: Path, upstream_kind: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """Another one for faults, so that what they leave behind never meets the peaceful scenes."""
    with open_stage(upstream_kind, tmp_path_factory.mktemp(f"rough-{upstream_kind}")) as stage:
        yield stage


@pytest.fixture
def own_ccr(executable: Path, upstream_kind: str, tmp_path: Path) -> Iterator[OpenStage]:
    """A gateway of the test's own, for other routes than the usual ones."""
    with ExitStack() as stack:

        def open_one(**options: object) -> Stage:
            opened = partial(open_stage, upstream_kind, tmp_path / "ccr")
            return stack.enter_context(opened(**options))  # type: ignore[arg-type]  # passed through

        yield open_one


@pytest.fixture
def new_client(executable: Path, tmp_path: Path) -> NewClient:
    """A client with a fresh home."""
    return lambda stage: ClaudeClient(executable, tmp_path / "client", stage.base_url)
