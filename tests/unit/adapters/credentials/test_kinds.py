from __future__ import annotations

from pathlib import Path
from pkgutil import iter_modules

import pytest

from ccr.adapters import hosting
from ccr.adapters.credentials.aws import SignedRequests
from ccr.adapters.credentials.cli_tokens import BasicKey, TokenFile
from ccr.adapters.credentials.google import GoogleToken
from ccr.adapters.credentials.keys import FIXED, StaticKey
from ccr.adapters.credentials.kinds import KINDS, CredentialKinds
from ccr.adapters.plugins.builtin import builtin_transformers
from ccr.adapters.providers.entry_points import installed_providers
from ccr.application.ports.upstream import UpstreamRequest
from ccr.domain.secret import Secret

pytestmark = pytest.mark.anyio

URL = "https://bedrock-runtime.eu-west-1.amazonaws.com"
REQUEST = UpstreamRequest("POST", URL, (), b"{}")
KEYS = [Secret("canary-1"), Secret("canary-2")]
PAIR = Secret("AKIACANARY:secret")


def made(kind: str, keys: list[Secret], environ: dict[str, str] | None = None) -> object:
    return CredentialKinds(environ or {}, Path("/home/nobody"))(kind, keys, URL)


@pytest.mark.parametrize(
    "kind, keys, expected",
    [
        *((kind, KEYS, StaticKey) for kind in sorted(FIXED)),
        ("aws", KEYS, StaticKey),
        ("aws", [PAIR], SignedRequests),
        ("aws", [], SignedRequests),
        ("google", KEYS, StaticKey),
        ("google", [], GoogleToken),
        ("basic", KEYS, BasicKey),
        ("gemini-cli", [], TokenFile),
        ("qwen-cli", [], TokenFile),
    ],
)
def test_every_kind_has_a_source(kind: str, keys: list[Secret], expected: type) -> None:
    assert isinstance(made(kind, keys), expected)


@pytest.mark.parametrize(
    "kind, header",
    [
        ("bearer", ("authorization", "Bearer canary-1")),
        ("x-api-key", ("x-api-key", "canary-1")),
        ("api-key", ("api-key", "canary-1")),
        ("x-goog-api-key", ("x-goog-api-key", "canary-1")),
        ("aws", ("authorization", "Bearer canary-1")),
        ("google", ("authorization", "Bearer canary-1")),
        ("basic", ("authorization", "Basic Y2FuYXJ5LTE=")),
    ],
)
async def test_the_first_key_goes_where_its_kind_says(kind: str, header: tuple[str, str]) -> None:
    sent = await CredentialKinds({}, Path("/home/nobody"))(kind, KEYS, URL).authorize(REQUEST)

    assert sent.headers == (header,)


async def test_the_environment_counts_where_there_is_no_key() -> None:
    source = CredentialKinds({"AWS_BEARER_TOKEN_BEDROCK": "canary-env"}, Path("/"))("aws", [], URL)

    assert (await source.authorize(REQUEST)).headers == (("authorization", "Bearer canary-env"),)


@pytest.mark.parametrize("kind, folder", [("qwen-cli", ".qwen"), ("gemini-cli", ".gemini")])
async def test_the_home_and_the_clock_are_those_that_were_given(
    tmp_path: Path, kind: str, folder: str
) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "oauth_creds.json").write_text('{"access_token":"canary","expiry_date":5000}')

    sent = await CredentialKinds({}, tmp_path, lambda: 4.9)(kind, [], URL).authorize(REQUEST)

    assert sent.headers == (("authorization", "Bearer canary"),)


def test_a_word_that_is_none_is_refused_with_those_that_are() -> None:
    with pytest.raises(LookupError, match="'codex'; known: api-key, aws, basic"):
        made("codex", KEYS)


def test_provider_files_and_transformers_use_no_other_words() -> None:
    book = installed_providers()
    specs = [spec for name in book.names() if (spec := book.by_name(name)) is not None]
    doors = [kind.door for kind in builtin_transformers().values() if kind.door is not None]
    used = {spec.credential for spec in specs} | {
        end.credential for spec in specs for end in spec.endpoints
    } | {door.credential for door in doors}  # fmt: skip

    assert used - {""} <= KINDS
    hostings = {end.hosting for spec in specs for end in spec.endpoints} | {door.hosting for door in doors}
    assert hostings - {""} == {info.name for info in iter_modules(hosting.__path__)}
