from __future__ import annotations

import pytest

from ccr.adapters.upstream.stock import proxy_of
from ccr.adapters.upstream.tls import client_context


@pytest.mark.parametrize("url", ["ftp://h", "h:80", "http://", "", "http://[::1", "socks4://h"])
def test_a_proxy_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="proxy"):
        proxy_of(url, client_context())


def test_credentials_of_a_proxy_are_taken_out_of_its_url() -> None:
    proxy = proxy_of("http://user:secret@h:3128", client_context())

    assert proxy.auth == ("user", "secret")
    assert "secret" not in repr(proxy)
