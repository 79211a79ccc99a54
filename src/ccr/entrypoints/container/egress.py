"""What leaves the process."""

from __future__ import annotations

from dependency_injector import containers, providers

from ccr.adapters.upstream.demo import DemoUpstream
from ccr.adapters.upstream.http_upstream import HttpUpstream
from ccr.adapters.upstream.schemes import SchemeUpstream

__all__ = ["Egress"]


class Egress(containers.DeclarativeContainer):
    """One transport for everything that is called."""

    http = providers.Singleton(HttpUpstream)
    demo = providers.Singleton(DemoUpstream)
    upstream = providers.Singleton(SchemeUpstream, providers.Dict(http=http, https=http, demo=demo))
