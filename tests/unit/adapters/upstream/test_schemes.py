from __future__ import annotations

import pytest

from ccr.adapters.upstream.fake import FakeUpstream, Reply
from ccr.adapters.upstream.schemes import SchemeUpstream
from ccr.application.ports.upstream import UpstreamRequest
from ccr.domain.errors import UpstreamUnavailableError

pytestmark = pytest.mark.anyio


def request(url: str) -> UpstreamRequest:
    return UpstreamRequest("POST", url, (), b"{}")


async def test_the_scheme_chooses_the_transport() -> None:
    http, demo = FakeUpstream(Reply(200)), FakeUpstream(Reply(201))
    upstream = SchemeUpstream({"http": http, "https": http, "demo": demo})

    assert (await upstream.open(request("HTTPS://api.test/x"))).status == 200
    assert (await upstream.open(request("demo://demo/x"))).status == 201
    assert (len(http.requests), len(demo.requests)) == (1, 1)


@pytest.mark.parametrize("url", ["ftp://api.test", "file:///etc/passwd", "nothing", ""])
async def test_other_schemes_are_refused(url: str) -> None:
    with pytest.raises(UpstreamUnavailableError, match="nothing here speaks"):
        await SchemeUpstream({}).open(request(url))


async def test_every_transport_is_closed() -> None:
    http, demo = FakeUpstream(), FakeUpstream()
    await SchemeUpstream({"http": http, "https": http, "demo": demo}).aclose()

    assert (http.closed, demo.closed) == (True, True)
