from __future__ import annotations

import pytest

from ccr.adapters.upstream.http_upstream import HttpUpstream


def test_a_bad_proxy_changes_nothing() -> None:
    upstream = HttpUpstream(proxy_url="http://proxy:3128")
    before = upstream._proxied

    with pytest.raises(ValueError, match="proxy") as caught:
        upstream.configure("nonsense://user:secret@x")

    assert "secret" not in str(caught.value)
    assert upstream._proxied is before


def test_the_same_proxy_keeps_its_connections() -> None:
    upstream = HttpUpstream(proxy_url="http://proxy:3128")
    before = upstream._proxied
    upstream.configure("http://proxy:3128", ["example.com"])
    assert upstream._proxied is before

    upstream.configure("")
    assert upstream._proxied is None
    upstream.configure(None)
    assert upstream.stats.proxied_open == 0
