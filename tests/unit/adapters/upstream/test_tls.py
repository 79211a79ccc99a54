from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from ccr.adapters.upstream.tls import client_context


@pytest.mark.parametrize("http2", [True, False])
def test_always_verifies(http2: bool) -> None:
    context = client_context(http2=http2)

    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_a_missing_ca_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        client_context(ca_file=str(tmp_path / "none.pem"))
