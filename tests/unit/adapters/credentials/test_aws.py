from __future__ import annotations

import asyncio
import re
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from ccr.adapters.credentials.aws import SignedRequests, aws_credential
from ccr.application.ports.upstream import UpstreamRequest
from ccr.domain.errors import UpstreamAuthError
from ccr.domain.secret import Secret

pytestmark = pytest.mark.anyio

URL = "https://bedrock-runtime.eu-west-1.amazonaws.com"
TARGET = f"{URL}/model/eu.anthropic.claude-x-v1%3A0/invoke"
HEADERS = (("content-type", "application/json"), ("accept", "application/json"), ("x-own", "1"))
REQUEST = UpstreamRequest("POST", TARGET, HEADERS, '{"text":"Grüße"}'.encode())
ACCESS, SECRET, SESSION = "AKIACANARY0000000001", "canary/Secret+Key/0000000000000000000001", "canary-session"
PAIR = f"{ACCESS}:{SECRET}"


def recomputed(request: UpstreamRequest, *, session: str | None, region: str) -> str:
    """The signature that Amazon would find, of what went out."""
    sent = dict(request.headers)
    signed = AWSRequest(
        method=request.method,
        url=request.url,
        data=request.body,
        headers={"content-type": sent["content-type"]},
    )
    auth: Any = SigV4Auth(Credentials(ACCESS, SECRET, session), "bedrock", region)
    signed.context["timestamp"] = sent["x-amz-date"]
    signed.headers["X-Amz-Date"] = sent["x-amz-date"]
    if session:
        signed.headers["X-Amz-Security-Token"] = session
    return str(auth.signature(auth.string_to_sign(signed, auth.canonical_request(signed)), signed))


@pytest.mark.parametrize("session", [None, SESSION])
async def test_a_pair_of_keys_signs_body_address_and_host(session: str | None) -> None:
    key = PAIR if session is None else f"{PAIR}:{session}"
    source = aws_credential(Secret(key), URL, {"AWS_BEARER_TOKEN_BEDROCK": "canary-not-asked"})

    signed = await source.authorize(REQUEST)
    sent = dict(signed.headers)

    assert sent["authorization"].startswith(f"AWS4-HMAC-SHA256 Credential={ACCESS}/")
    assert (
        "/eu-west-1/bedrock/aws4_request, SignedHeaders=content-type;host;x-amz-date" in sent["authorization"]
    )
    assert sent["authorization"].endswith(recomputed(signed, session=session, region="eu-west-1"))
    assert sent.get("x-amz-security-token") == session
    assert (signed.url, signed.body, signed.method) == (REQUEST.url, REQUEST.body, "POST")
    assert (sent["x-own"], sent["content-type"]) == ("1", "application/json")
    assert len(signed.headers) == len(sent)  # nothing goes twice
    assert source.secrets() == ((SECRET,) if session is None else (SECRET, session))


async def test_another_body_or_address_has_another_signature() -> None:
    source = aws_credential(Secret(PAIR), URL, {})
    requests = [
        REQUEST,
        UpstreamRequest("POST", TARGET, HEADERS, b"{}"),
        UpstreamRequest("POST", f"{TARGET}?x=1", HEADERS, REQUEST.body),
    ]

    signatures = {
        dict((await source.authorize(request)).headers)["authorization"][-64:] for request in requests
    }

    assert len(signatures) == 3


async def test_a_header_that_somebody_configured_gives_way_to_the_signature() -> None:
    request = UpstreamRequest("POST", TARGET, (*HEADERS, ("authorization", "Bearer old")), b"{}")

    signed = await aws_credential(Secret(PAIR), URL, {}).authorize(request)

    assert [value[:4] for name, value in signed.headers if name == "authorization"] == ["AWS4"]


@pytest.mark.parametrize(
    "key, environ, sent",
    [
        ("canary-api-key", {}, "canary-api-key"),
        ("ABSKcanary:with-colon=", {}, "ABSKcanary:with-colon="),
        ("AKIAwithoutcolon", {}, "AKIAwithoutcolon"),
        ("", {"AWS_BEARER_TOKEN_BEDROCK": "canary-env"}, "canary-env"),
        ("canary-api-key", {"AWS_BEARER_TOKEN_BEDROCK": "canary-env"}, "canary-api-key"),
    ],
)
async def test_any_other_key_goes_as_a_bearer(key: str, environ: dict[str, str], sent: str) -> None:
    source = aws_credential(Secret(key) if key else None, URL, environ)

    assert (*HEADERS, ("authorization", f"Bearer {sent}")) == (await source.authorize(REQUEST)).headers
    assert source.secrets() == (sent,)


@pytest.mark.parametrize(
    "url, environ, region",
    [
        (URL, {"AWS_REGION": "us-west-2"}, "eu-west-1"),
        ("https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com", {}, "us-gov-west-1"),
        ("https://bedrock-runtime.cn-north-1.amazonaws.com.cn", {}, "cn-north-1"),
        ("https://vpce-0a1b2c.bedrock-runtime.ap-southeast-2.vpce.amazonaws.com/model", {}, "ap-southeast-2"),
        ("http://127.0.0.1:8080", {"AWS_REGION": "us-west-2", "AWS_DEFAULT_REGION": "eu-west-3"}, "us-west-2"),
        ("http://127.0.0.1:8080", {"AWS_DEFAULT_REGION": "eu-west-3"}, "eu-west-3"),
        ("http://proxy.local/bedrock", {}, "us-east-1"),
    ],
)  # fmt: skip
async def test_the_region_is_that_of_the_host_else_of_the_environment(
    url: str, environ: dict[str, str], region: str
) -> None:
    signed = await aws_credential(Secret(PAIR), url, environ).authorize(REQUEST)

    assert f"/{region}/bedrock/aws4_request" in dict(signed.headers)["authorization"]


async def test_without_a_key_botocores_own_chain_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", SESSION)
    source = aws_credential(None, URL, {})

    assert source.secrets() == ()
    signed = await source.authorize(REQUEST)

    assert dict(signed.headers)["authorization"].endswith(
        recomputed(signed, session=SESSION, region="eu-west-1")
    )
    assert source.secrets() == (SECRET, SESSION)


class Chain:
    """Counts how often it is asked, and renews what it gives."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked = 0
        self.given = 0
        self.error = error

    def __call__(self) -> Chain:
        self.asked += 1
        return self

    def get_frozen_credentials(self) -> SimpleNamespace:
        if self.error is not None:
            raise self.error
        self.given += 1
        return SimpleNamespace(access_key=ACCESS, secret_key=f"{SECRET}{self.given}", token=None)


async def test_the_chain_is_built_once_and_asked_for_each_request() -> None:
    chain = Chain()
    source = SignedRequests("eu-west-1", chain)

    await asyncio.gather(*(source.authorize(REQUEST) for _ in range(8)))

    assert (chain.asked, chain.given) == (1, 8)
    assert len(source.secrets()) == 1


async def test_the_loop_goes_on_while_credentials_are_looked_for() -> None:
    free = asyncio.Event()
    loop = asyncio.get_running_loop()

    def find() -> Any:
        # Comes back only if the loop runs meanwhile.
        asyncio.run_coroutine_threadsafe(asyncio.wait_for(free.wait(), 5), loop).result(5)
        return Credentials(ACCESS, SECRET)

    waiting = asyncio.create_task(SignedRequests("eu-west-1", find).authorize(REQUEST))
    await asyncio.sleep(0)
    free.set()

    assert "authorization" in dict((await waiting).headers)


def nothing() -> None:
    return None


def broken() -> None:
    raise OSError("canary-path")


@pytest.mark.parametrize(
    "find, words",
    [
        (nothing, "no AWS credentials were found.*ACCESS:SECRET"),
        (broken, r"no AWS credentials were found.*\(OSError\)"),
        (Chain(RuntimeError("canary-token")), r"cannot be renewed.*log in again.*\(RuntimeError\)"),
    ],
)
async def test_whoever_has_no_credentials_is_told_what_to_do(find: Any, words: str) -> None:
    with pytest.raises(UpstreamAuthError) as caught:
        await SignedRequests("eu-west-1", find).authorize(REQUEST)

    assert re.search(words, caught.value.message)
    assert "canary" not in caught.value.message


async def test_credentials_that_come_later_are_found() -> None:
    found: list[Any] = [None, Credentials(ACCESS, SECRET)]
    source = SignedRequests("eu-west-1", lambda: found.pop(0))

    with pytest.raises(UpstreamAuthError):
        await source.authorize(REQUEST)

    assert "authorization" in dict((await source.authorize(REQUEST)).headers)


@pytest.mark.parametrize("key", [Secret(PAIR), None])
def test_without_botocore_the_extra_is_named(key: Secret | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore", None)

    with pytest.raises(ValueError, match=re.escape("pip install 'ccr[aws]'")):
        aws_credential(key, URL, {})
    assert aws_credential(Secret("canary-api-key"), URL, {}).secrets() == ("canary-api-key",)


async def test_nothing_of_it_is_shown() -> None:
    source = aws_credential(Secret(f"{PAIR}:{SESSION}"), URL, {})
    await source.authorize(REQUEST)

    assert "canary" not in repr(source).lower()
    assert "canary" not in repr(aws_credential(Secret("canary-1"), URL, {}))
