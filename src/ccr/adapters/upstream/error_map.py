"""The one place where errors of sockets, TLS and httpx become ours."""

from __future__ import annotations

import socket
import ssl
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

import httpx

from ccr.domain.errors import (
    UpstreamError,
    UpstreamProtocolError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

__all__ = ["after_sending", "before_sending", "mapped_errors", "timed_out"]


@contextmanager
def mapped_errors(where: str, doing: str, limit: float | None = None) -> Iterator[None]:
    """Raise every foreign error of the block as one of ours, with the original as its cause.

    Args:
        where: ``host:port``; all that a message says about the request (never a URL, which may hold a key).
        doing: what did not come about in time, as in "did not <doing> within 5 s".
        limit: the limit in seconds, for the message.
    """
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as exc:
        error = (
            timed_out(where, "connect", limit)
            if isinstance(exc, httpx.TimeoutException)
            else _translate(where, exc)
        )
        error.unreached = True
        raise error from exc
    except (TimeoutError, httpx.TimeoutException) as exc:
        raise timed_out(where, doing, limit) from exc
    except (OSError, EOFError, httpx.HTTPError, httpx.StreamError) as exc:
        raise _translate(where, exc) from exc


@contextmanager
def before_sending() -> Iterator[None]:
    """Mark what goes wrong in the block: nothing has been sent, so nobody has to pay for it."""
    try:
        yield
    except UpstreamError as error:
        error.unreached = True
        raise


class _AfterSending:
    """Without state, so that one serves all requests: each passes here."""

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, UpstreamError):
            error.accepted = not error.unreached


_AFTER_SENDING = _AfterSending()


def after_sending() -> AbstractContextManager[None]:
    """Mark what goes wrong in the block: the request may have been accepted."""
    return _AFTER_SENDING


def timed_out(where: str, doing: str, limit: float | None) -> UpstreamTimeoutError:
    """The error of a limit (seconds) that ran out; None = the system's own limit."""
    within = "in time" if limit is None else f"within {limit:g} s"
    return UpstreamTimeoutError(f"{where} did not {doing} {within}")


def _translate(where: str, exc: Exception) -> UpstreamError:
    match exc:
        case ssl.SSLCertVerificationError():
            return UpstreamUnavailableError(f"The certificate of {where} is not accepted: {_verdict(exc)}")
        case ssl.SSLError():
            return UpstreamUnavailableError(f"TLS with {where} failed: {_reason(exc)}")
        case socket.gaierror():
            return UpstreamUnavailableError(f"The name in {where} cannot be resolved")
        case ConnectionRefusedError():
            return UpstreamUnavailableError(f"{where} refuses connections")
        case ConnectionError() | EOFError():
            return UpstreamUnavailableError(f"{where} broke the connection")
        case OSError():
            return UpstreamUnavailableError(
                f"{where} cannot be reached: {exc.strerror or type(exc).__name__}"
            )
        case httpx.RemoteProtocolError() | httpx.DecodingError() | httpx.LocalProtocolError():
            return _protocol(where, exc)
        case httpx.ProxyError():
            return UpstreamUnavailableError(f"The proxy did not let us through to {where}")
        case _:
            return _below(where, exc)


def _protocol(where: str, exc: Exception) -> UpstreamError:
    # httpcore's own sentence; the type is the same for "never answered" and "cut short".
    if "without sending a response" in str(exc):
        return UpstreamUnavailableError(f"{where} closed the connection before it answered")
    if "without sending complete" in str(exc) or "incomplete chunked" in str(exc):
        return UpstreamProtocolError(f"The answer of {where} was cut short")
    return UpstreamProtocolError(f"{where} did not answer in proper HTTP")


def _below(where: str, exc: Exception) -> UpstreamError:
    """Say what the innermost known error says: httpx wraps httpcore, which wraps the system's."""
    cause: BaseException | None = exc.__cause__ or exc.__context__
    innermost: OSError | None = None
    while cause is not None:
        # anyio's own OSError, "All connection attempts failed", has no number.
        if isinstance(cause, OSError) and cause.errno is not None:
            innermost = cause
        cause = cause.__cause__ or cause.__context__
    if innermost is not None and not isinstance(innermost, TimeoutError):
        return _translate(where, innermost)
    return UpstreamUnavailableError(f"{where} cannot be reached, or broke the connection")


def _reason(exc: ssl.SSLError) -> str:
    return str(getattr(exc, "reason", None) or "no reason given").replace("_", " ").lower()


def _verdict(exc: ssl.SSLCertVerificationError) -> str:
    # Set by OpenSSL's errors only; the general text names our own files and lines.
    return str(getattr(exc, "verify_message", None) or "no reason given")
