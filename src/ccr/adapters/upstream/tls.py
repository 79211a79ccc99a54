"""TLS contexts for outbound connections: one a process and protocol, because building one costs about 20 ms."""

from __future__ import annotations

import ssl

__all__ = ["client_context"]


def client_context(*, http2: bool = False, ca_file: str | None = None) -> ssl.SSLContext:
    """Return a verifying client context over the system's certificate store.

    ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` are honoured by OpenSSL itself; ``ca_file`` (PEM) is trusted in addition.
    Certificates and host names are always checked: there is no switch to turn that off.

    ALPN is part of the context (httpcore sets it on the one it is given), so HTTP/2 has a context of its own.

    Raises:
        OSError: ``ca_file`` cannot be read or holds no certificate.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2", "http/1.1"] if http2 else ["http/1.1"])
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context
