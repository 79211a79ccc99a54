"""Outbound HTTP: our own HTTP/1.1 pool for direct connections, stock httpx transports for proxies and HTTP/2.

``http_upstream.HttpUpstream`` is the adapter of the ``Upstream`` port; everything else serves it. A request goes
``request.py`` (bytes of the head) -> ``pool.py`` (a connection, reused or by ``dial.py``) -> ``connection.py``
(asyncio protocol) -> ``parser.py`` (sans-IO) -> ``response.py`` (what the caller reads), or through ``stock.py``.
"""
