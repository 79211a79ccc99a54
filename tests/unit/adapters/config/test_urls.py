"""Where a provider may be."""

from __future__ import annotations

import pytest

from tests.support.configs import problems, warnings

CLEAR = "is called without TLS"


def told(url: str, *, shared: bool = False) -> str:
    where = 'HOST: "0.0.0.0", APIKEY: "the-key-of-the-team",' if shared else ""
    return (
        f'{{{where} Providers: [{{name: "p", api_base_url: "{url}", api_key: "k", models: ["m"]}}], '
        'Router: {default: "p,m"}}'
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/v1",
        "http://127.0.0.1:11434/v1",
        "http://[::1]:1/v1",
        "http://localhost/v1",
        "http://10.1.2.3/v1",
        "http://192.168.1.9:8000/v1",
        "http://100.64.0.1/v1",
        "http://[fd12::1]/v1",
        "http://ollama:11434/v1",
        "http://box.local/v1",
        "http://vllm.models.svc/v1",
        "http://gpu.corp.internal./v1",
    ],
)
@pytest.mark.parametrize("shared", [False, True])
def test_tls_or_a_private_place_is_fine(url: str, shared: bool) -> None:
    assert warnings(told(url, shared=shared)) == []


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com/v1",
        "http://8.8.8.8/v1",
        "http://[2606:4700::1]/v1",
        "http://localhost.example.com/",
    ],
)
def test_a_public_place_without_tls_warns_one_person_and_stops_a_team(url: str) -> None:
    assert [warning for warning in warnings(told(url)) if CLEAR in warning]
    assert [problem for problem in problems(told(url, shared=True)) if CLEAR in problem]


@pytest.mark.parametrize(
    "url", ["https://user:pass-word-1@api.example.com/v1", "https://sk-token-1@h.example/v1"]
)
def test_a_url_holds_no_credentials_and_they_are_not_shown(url: str) -> None:
    found = problems(told(url))

    assert "holds a name or password before the host" in found[0]
    assert not [text for text in ("pass-word-1", "sk-token-1") if text in "".join(found)]


def test_a_proxys_url_may() -> None:
    text = told("https://h.example/v1").replace("{", '{PROXY_URL: "http://u:p@proxy.example:1",', 1)

    assert warnings(text) == []
