"""What holds for every test: one backend, quick properties, and nothing of the person's own machine."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.support.parts import in_ci

# Two noisy cores: a deadline in milliseconds would only measure the neighbours.
settings.register_profile("fast", max_examples=25, deadline=None)
# With coverage on, two hundred took ten minutes of a CI run; the readers of bytes are fuzzed there besides (make itest).
settings.register_profile("ci", max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fuzz", max_examples=20_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if in_ci() else "fast"))

# Variables of the person who runs the tests that would change what the program does.
_FOREIGN = re.compile(
    r"(?i:(https?|all|no|ftp)_proxy)|PROXY_URL|PROXY_BYPASS|SERVICE_PORT"
    r"|(ANTHROPIC|OPENAI|OPENROUTER|DEEPSEEK|GEMINI|CLAUDE|OTEL)_?.*|CLAUDECODE|CCR_(?!TEST_).*"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="write expected.json of the fixtures anew")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No proxies, keys or configuration of the machine, and a home directory of our own."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if _FOREIGN.fullmatch(name)]:
            patch.delenv(name)
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("TZ", "UTC")
        yield
