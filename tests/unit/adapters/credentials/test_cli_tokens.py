from __future__ import annotations

import json
import os
from base64 import b64encode
from pathlib import Path

import pytest

from ccr.adapters.credentials.cli_tokens import BasicKey, TokenFile, qwen_token
from ccr.application.ports.upstream import UpstreamRequest
from ccr.domain.errors import UpstreamAuthError
from ccr.domain.secret import Secret

pytestmark = pytest.mark.anyio

REQUEST = UpstreamRequest("POST", "https://api.test/v1/chat/completions", (("accept", "*/*"),), b"{}")
NOW = 1_800_000_000.0


def left(home: Path, token: object = "canary-1", until: object = (NOW + 60) * 1000, *, at: int = 1) -> Path:
    """What Qwen Code leaves, changed `at` that time."""
    file = home / ".qwen" / "oauth_creds.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"access_token": token, "refresh_token": "canary-r", "expiry_date": until}))
    file.chmod(0o600)
    os.utime(file, (at, at))
    return file


async def sent(source: TokenFile) -> str:
    return dict((await source.authorize(REQUEST)).headers)["authorization"]


def source_of(home: Path) -> TokenFile:
    source = qwen_token(home, lambda: NOW)
    assert isinstance(source, TokenFile)
    return source


async def test_the_token_of_the_file_goes_as_a_bearer_and_the_file_stays_as_it_is(tmp_path: Path) -> None:
    file = left(tmp_path)
    before = (file.read_bytes(), file.stat().st_mode, file.stat().st_mtime_ns)
    source = source_of(tmp_path)

    assert await sent(source) == "Bearer canary-1"
    assert before == (file.read_bytes(), file.stat().st_mode, file.stat().st_mtime_ns)
    assert source.secrets() == ("canary-1",)
    assert "canary" not in repr(source)


async def test_the_file_is_read_again_when_it_has_changed_and_only_then(tmp_path: Path) -> None:
    left(tmp_path)
    source = source_of(tmp_path)
    await sent(source)

    left(tmp_path, "canary-2", at=1)
    assert await sent(source) == "Bearer canary-1"
    left(tmp_path, "canary-2", at=2)
    assert await sent(source) == "Bearer canary-2"
    assert source.secrets() == ("canary-2",)


async def test_an_expired_token_is_not_sent_and_its_program_is_named(tmp_path: Path) -> None:
    left(tmp_path, until=NOW * 1000)
    source = source_of(tmp_path)

    with pytest.raises(UpstreamAuthError, match="login of qwen has expired: run `qwen` once"):
        await source.authorize(REQUEST)
    left(tmp_path, "canary-2", at=2)
    assert await sent(source) == "Bearer canary-2"


async def test_a_token_without_an_end_counts(tmp_path: Path) -> None:
    left(tmp_path, until="soon")

    assert await sent(source_of(tmp_path)) == "Bearer canary-1"


async def test_without_the_file_its_program_is_named(tmp_path: Path) -> None:
    source = source_of(tmp_path)

    with pytest.raises(UpstreamAuthError, match="qwen is not logged in here: run `qwen` once"):
        await source.authorize(REQUEST)
    assert source.secrets() == ()


@pytest.mark.parametrize("token", ["", 7, None])
async def test_a_file_without_a_token_is_no_login(tmp_path: Path, token: object) -> None:
    left(tmp_path, token)

    with pytest.raises(UpstreamAuthError, match="qwen left no token"):
        await source_of(tmp_path).authorize(REQUEST)


async def test_a_file_that_is_being_written_changes_nothing(tmp_path: Path) -> None:
    source = source_of(tmp_path)
    file = left(tmp_path)
    await sent(source)
    file.write_text('{"access_tok')

    assert await sent(source) == "Bearer canary-1"
    left(tmp_path, "canary-2", at=3)
    assert await sent(source) == "Bearer canary-2"

    file.write_text('{"access_tok')
    with pytest.raises(UpstreamAuthError, match="left no token"):
        await source_of(tmp_path).authorize(REQUEST)


async def test_a_basic_key_goes_in_base64() -> None:
    source = BasicKey(Secret("me@x.test:canary"))
    coded = b64encode(b"me@x.test:canary").decode()

    assert (("accept", "*/*"), ("authorization", f"Basic {coded}")) == (
        await source.authorize(REQUEST)
    ).headers
    assert source.secrets() == ("me@x.test:canary", coded)
    assert "canary" not in repr(source)


@pytest.mark.parametrize("key", [None, Secret("")])
async def test_no_basic_key_is_no_header(key: Secret | None) -> None:
    source = BasicKey(key)

    assert await source.authorize(REQUEST) is REQUEST
    assert source.secrets() == ()
