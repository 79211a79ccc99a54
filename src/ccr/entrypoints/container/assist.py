"""What answers for a model that cannot."""

from __future__ import annotations

from typing import Any

from dependency_injector import containers, providers

from ccr.adapters.search import SearchEngines
from ccr.adapters.wire.json import CODEC
from ccr.application.assist.continuation import Continuation
from ccr.application.assist.describe_images import ImageDescriber
from ccr.application.assist.native_search import NativeSearchInterceptor
from ccr.application.assist.side_call import SideCall
from ccr.application.assist.web_search import SearchInterceptor
from ccr.application.flow.reserve import reserve

__all__ = ["Assist"]


class Assist(containers.DeclarativeContainer):
    """``adapters`` change what is meant, ``interceptors`` and ``continuer`` make one reply of several (``exchange/seams.py``)."""

    upstream: providers.Dependency[Any] = providers.Dependency()
    new_id: providers.Dependency[Any] = providers.Dependency()

    engines = providers.Singleton(SearchEngines, upstream)
    side_call = providers.Singleton(SideCall, upstream, providers.Object(reserve))
    describer = providers.Singleton(ImageDescriber, side_call)
    searcher = providers.Singleton(SearchInterceptor, engines, providers.Object(CODEC), new_id)
    native_searcher = providers.Singleton(NativeSearchInterceptor, providers.Object(CODEC), new_id)
    continuer = providers.Singleton(Continuation, providers.Object(CODEC))
    adapters = providers.List(describer)
    interceptors = providers.List(native_searcher, searcher)
    helpers = providers.List(describer, native_searcher, searcher)
