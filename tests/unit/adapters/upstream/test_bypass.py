from __future__ import annotations

import pytest

from ccr.adapters.upstream.bypass import Bypass


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "127.0.0.1",
        "127.9.9.9",
        "::1",
        "::ffff:127.0.0.1",
        "0.0.0.0",
    ],
)
def test_loopback_is_always_spared(host: str) -> None:
    assert Bypass().spares(host, 80)


@pytest.mark.parametrize(
    "entries, host, port, spared",
    [
        (["*"], "example.com", 80, True),
        (["example.com"], "example.com", 80, True),
        (["example.com"], "api.EXAMPLE.com", 80, True),
        (["example.com"], "notexample.com", 80, False),
        ([".example.com"], "example.com", 80, True),
        (["*.example.com"], "a.b.example.com", 80, True),
        (["example.com:8080"], "example.com", 8080, True),
        (["example.com:8080"], "example.com", 80, False),
        (["10.0.0.0/8"], "10.1.2.3", 80, True),
        (["10.0.0.0/8"], "11.1.2.3", 80, False),
        (["10.0.0.0/8"], "ten.example.com", 80, False),
        (["10.1.2.3"], "10.1.2.3", 80, True),
        (["10.1.2.3:81"], "10.1.2.3", 80, False),
        (["fd00::/8"], "fd12::1", 80, True),
        (["fd12::1"], "fd12::1", 80, True),
        (["[fd12::1]:81"], "fd12::1", 81, True),
        (["[fd12::1]:81"], "fd12::1", 80, False),
        (["a.com, b.com c.com"], "c.com", 80, True),
        (["10.0.0.0/99"], "10.0.0.1", 80, False),
        (["", ",", "."], "example.com", 80, False),
        ([], "example.com", 80, False),
    ],
)
def test_entries(entries: list[str], host: str, port: int, spared: bool) -> None:
    bypass = Bypass(entries)

    assert spared == bypass.spares(host, port)
    assert spared == bypass.spares(host, port)


def test_the_memo_is_bounded() -> None:
    bypass = Bypass(["h5.com"])

    answers = [bypass.spares(f"h{n}.com", 80) for n in range(3000)]

    assert [n for n, spared in enumerate(answers) if spared] == [5]
    assert len(bypass._memo) <= 1024
