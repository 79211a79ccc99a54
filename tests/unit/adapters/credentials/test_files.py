from __future__ import annotations

from pathlib import Path

import pytest

from ccr.adapters.credentials.files import FileSecrets
from ccr.domain.secret import Secret


def test_the_text_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("text\n")
    assert FileSecrets().resolve(f"file:{tmp_path}/key") == Secret("text")


@pytest.mark.parametrize("data", [None, b"", b"\xff", b"x" * 70_000])
def test_what_cannot_be_a_secret(tmp_path: Path, data: bytes | None) -> None:
    if data is not None:
        (tmp_path / "key").write_bytes(data)
    with pytest.raises(LookupError):
        FileSecrets().resolve(f"file:{tmp_path}/key")


@pytest.mark.parametrize("reference", ["file:key", "env:KEY", ""])
def test_only_absolute_paths(reference: str) -> None:
    with pytest.raises(LookupError):
        FileSecrets().resolve(reference)
