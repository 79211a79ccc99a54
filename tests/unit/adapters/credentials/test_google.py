from __future__ import annotations

import asyncio
import json
import re
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ccr.adapters.credentials.google import GoogleToken, google_credential
from ccr.application.ports.upstream import UpstreamRequest
from ccr.domain.errors import UpstreamAuthError
from ccr.domain.secret import Secret

pytestmark = pytest.mark.anyio

REQUEST = UpstreamRequest("POST", "https://aiplatform.test/v1", (("accept", "*/*"),), b"{}")
START = 1_800_000_000.0


@pytest.fixture(scope="module")
def account() -> dict[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        "type": "service_account",
        "client_email": "ccr@canary.test",
        "private_key": key.decode(),
        "token_uri": "http://127.0.0.1:9/token",
    }


USER = {
    "type": "authorized_user",
    "client_id": "canary-id",
    "client_secret": "canary-client-secret",
    "refresh_token": "canary-refresh",
}


class Clock:
    def __init__(self) -> None:
        self.seconds = START

    def __call__(self) -> float:
        return self.seconds


class Login:
    """Stands for credentials of google-auth; a token lasts an hour. ``gate`` holds renewals back, in their thread."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.gate = threading.Event()
        self.gate.set()
        self.renewed = 0
        self.found = 0
        self.token = ""
        self.error: Exception | None = None
        self.forever = False
        self.expiry: datetime | None = None

    def __call__(self) -> Login:
        self.found += 1
        return self

    def refresh(self, request: Any) -> None:
        assert callable(request)
        assert self.gate.wait(5)
        if self.error is not None:
            raise self.error
        self.renewed += 1
        self.token = f"canary-token-{self.renewed}"
        until = datetime.fromtimestamp(self.clock() + 3600, UTC).replace(
            tzinfo=None
        )  # naive, as google-auth's
        self.expiry = None if self.forever else until


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def login(clock: Clock) -> Login:
    return Login(clock)


async def token_of(source: Any) -> str:
    sent = (await source.authorize(REQUEST)).headers
    assert sent[0] == ("accept", "*/*")
    assert sent[1][0] == "authorization"
    return str(sent[1][1]).removeprefix("Bearer ")


async def test_a_token_is_kept_until_a_minute_before_its_end(clock: Clock, login: Login) -> None:
    source = GoogleToken(login, clock)

    assert await token_of(source) == "canary-token-1"
    clock.seconds = START + 3539
    assert await token_of(source) == "canary-token-1"
    clock.seconds = START + 3540
    assert await token_of(source) == "canary-token-2"
    assert (login.found, login.renewed) == (1, 2)


async def test_who_comes_meanwhile_shares_the_renewal(clock: Clock, login: Login) -> None:
    source = GoogleToken(login, clock)
    login.gate.clear()
    waiting = [asyncio.create_task(token_of(source)) for _ in range(10)]
    await asyncio.sleep(0.01)
    login.gate.set()

    assert await asyncio.gather(*waiting) == ["canary-token-1"] * 10
    assert login.renewed == 1


async def test_who_leaves_does_not_take_the_others_token_with_him(clock: Clock, login: Login) -> None:
    source = GoogleToken(login, clock)
    login.gate.clear()
    first, second = (asyncio.create_task(token_of(source)) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.sleep(0.01)
    login.gate.set()

    assert await second == "canary-token-1"
    assert first.cancelled()
    assert login.renewed == 1


async def test_a_renewal_that_fails_says_what_to_do_and_is_tried_again(clock: Clock, login: Login) -> None:
    source = GoogleToken(login, clock)
    login.error = RuntimeError("invalid_grant:\n  the account is disabled")

    with pytest.raises(UpstreamAuthError) as caught:
        await source.authorize(REQUEST)
    assert "RuntimeError: invalid_grant: the account is disabled" in caught.value.message
    assert "gcloud auth application-default login" in caught.value.message

    login.error = None
    assert await token_of(source) == "canary-token-1"


async def test_each_of_those_who_waited_gets_an_error_of_his_own(clock: Clock, login: Login) -> None:
    source = GoogleToken(login, clock)
    login.error = RuntimeError("no")

    errors = await asyncio.gather(*(source.authorize(REQUEST) for _ in range(3)), return_exceptions=True)

    assert {type(error) for error in errors} == {UpstreamAuthError}
    assert len(set(map(id, errors))) == 3


async def test_a_token_that_still_counts_outlives_a_renewal_that_failed(clock: Clock, login: Login) -> None:
    source = GoogleToken(login, clock)
    await token_of(source)
    login.error = RuntimeError("no route to host")

    clock.seconds = START + 3590
    assert await token_of(source) == "canary-token-1"
    clock.seconds = START + 3600
    with pytest.raises(UpstreamAuthError, match="no route to host"):
        await source.authorize(REQUEST)


async def test_a_token_that_does_not_say_when_it_ends_is_asked_for_again_soon(
    clock: Clock, login: Login
) -> None:
    login.forever = True
    source = GoogleToken(login, clock)

    await token_of(source)
    clock.seconds += 239
    assert await token_of(source) == "canary-token-1"
    clock.seconds += 1
    assert await token_of(source) == "canary-token-2"


async def test_a_token_that_was_refused_is_renewed_but_not_one_that_is_new(
    clock: Clock, login: Login
) -> None:
    source = GoogleToken(login, clock)
    assert await token_of(source) == "canary-token-1"
    source.refused()
    assert await token_of(source) == "canary-token-2"

    clock.seconds = START + 59
    source.refused()
    assert await token_of(source) == "canary-token-2"
    clock.seconds = START + 60
    source.refused()
    assert await token_of(source) == "canary-token-3"


async def test_the_token_before_is_masked_too_and_none_is_shown(clock: Clock, login: Login) -> None:
    source = GoogleToken(login, clock, ("canary-private",))
    assert source.secrets() == ("canary-private",)
    await token_of(source)
    clock.seconds += 3600
    await token_of(source)

    assert source.secrets() == ("canary-token-2", "canary-token-1", "canary-private")
    assert "canary" not in repr(source)


async def test_the_same_token_again_is_listed_once(clock: Clock, login: Login) -> None:
    source = GoogleToken(login, clock)
    await token_of(source)
    login.renewed = 0
    clock.seconds += 3600
    await token_of(source)

    assert source.secrets() == ("canary-token-1",)


async def test_a_text_that_is_neither_json_nor_a_path_is_a_token(clock: Clock) -> None:
    source = google_credential(Secret("ya29.canary"), clock)

    assert await token_of(source) == "ya29.canary"
    assert source.secrets() == ("ya29.canary",)


def test_a_service_account_is_taken_as_text_or_by_its_path(
    tmp_path: Path, account: dict[str, str], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = json.dumps(account)
    file = tmp_path / "account.json"
    file.write_text(text)
    monkeypatch.setenv("HOME", str(tmp_path))

    for key in (text, f" {text}\n", str(file), "~/account.json"):
        source = google_credential(Secret(key), clock)
        assert isinstance(source, GoogleToken)
        assert source.find().service_account_email == "ccr@canary.test"
        assert source.secrets() == (account["private_key"],)
        assert "PRIVATE" not in repr(source)


def test_what_gcloud_leaves_is_taken_too(clock: Clock) -> None:
    source = google_credential(Secret(json.dumps(USER)), clock)

    assert isinstance(source, GoogleToken)
    assert source.find().refresh_token == "canary-refresh"
    assert source.secrets() == ("canary-client-secret", "canary-refresh")


@pytest.mark.parametrize(
    "key, words",
    [
        ("/nowhere/canary.json", r"cannot be read \(FileNotFoundError\)"),
        ("canary.json", r"cannot be read \(FileNotFoundError\)"),
        ("~nobody-canary/x", r"cannot be read \(RuntimeError\)"),
        ("{canary", "not a JSON object"),
        ('{"type":"service_account","private_key":"canary"}', "cannot be used: MalformedError"),
        ('{"type":"authorized_user","client_secret":"canary"}', "cannot be used: ValueError"),
    ],
)
def test_what_cannot_be_used_is_said_when_it_is_configured(key: str, words: str, clock: Clock) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        google_credential(Secret(key), clock)

    assert "canary" not in str(caught.value)


async def test_without_a_key_the_default_credentials_count(
    tmp_path: Path, account: dict[str, str], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "account.json"
    file.write_text(json.dumps({**account, "project_id": "p"}))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))

    for key in (None, Secret(""), Secret(" ")):
        source = google_credential(key, clock)
        assert isinstance(source, GoogleToken)
        assert source.secrets() == ()
        assert source.find().service_account_email == "ccr@canary.test"


@pytest.mark.parametrize("part", ["google", "google.auth", "requests"])
def test_without_google_auth_the_extra_is_named(
    part: str, clock: Clock, account: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, part, None)

    for key in (None, Secret(json.dumps(account))):
        with pytest.raises(ValueError, match=re.escape("pip install 'ccr[google]'")):
            google_credential(key, clock)
    assert google_credential(Secret("ya29.canary"), clock).secrets() == ("ya29.canary",)
