"""The real client before a provider that fails in the ways of the catalogue: it ends, and no half tool call is run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.claude_client import ClaudeClient
from tests.support.faulty.catalogue import FAULTS, OK
from tests.support.faulty.run import serving
from tests.support.faulty.server import in_a_process
from tests.support.gateway_process import GatewayProcess

pytestmark = [pytest.mark.client, pytest.mark.slow]

CHOSEN = {
    "openai_chat": (
        "rst-midstream",
        "stall-mid-event",
        "stall-after-finish",
        "garbage-http",
        "html-502",
        "error-in-200",
        "redirect-307",
        "gzip-bomb",
        "eof-no-finish",
        "mid-error",
        "split-every-byte",
        "separators-and-injection",
        "tool-split-escape",
        "tool-args-garbage",
        "tool-args-truncated",
        "tool-eof",
        "tool-interleaved",
    ),
    "anthropic": (
        "fin-mid-event",
        "bom",
        "anth-no-names",
        "anth-no-message-stop",
        "anth-two-starts",
        "anth-tool-truncated",
        "anth-overloaded",
        "empty-stream",
    ),
    "gemini": ("gem-malformed-call", "gem-no-finish"),
    "openai_responses": ("resp-failed", "resp-no-completed"),
}
WHOLE = ("ls", "pwd", "a\u00e9\n")
"""The commands of whole calls; those that are cut begin with ``rm``."""
CASES = [(dialect, name) for dialect, names in CHOSEN.items() for name in names]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    import asyncio
    import contextlib
    import threading

    begun, over = threading.Event(), threading.Event()
    made: list[GatewayProcess] = []

    async def run() -> None:
        with in_a_process() as provider:
            async with contextlib.AsyncExitStack() as stack:
                folder: Path = tmp_path_factory.mktemp("faults")
                made.append(await stack.enter_async_context(serving(provider, folder, {"firstByteMs": 4000})))
                begun.set()
                await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    assert begun.wait(60)
    yield made[0]
    over.set()
    thread.join(60)


@pytest.mark.parametrize("dialect, name", CASES)
def test_the_client_ends_and_runs_nothing_that_was_not_whole(
    gateway: GatewayProcess, executable: Path, tmp_path: Path, dialect: str, name: str
) -> None:
    fault = FAULTS[name]
    client = ClaudeClient(executable, tmp_path / "client", gateway.base_url)

    run = client.run(
        "hello",
        "--max-turns",
        "2",
        timeout=120,
        ANTHROPIC_MODEL=f"at-{dialect},{name}",
        CLAUDE_CODE_MAX_RETRIES="1",
    )

    assert run.result, run.describe()
    if fault.stream == OK and not fault.text.startswith("tool:"):
        assert run.answer == fault.text, run.describe()
    commands = [use["input"].get("command") for use in run.tool_uses]
    assert all(command in WHOLE for command in commands), run.describe()
