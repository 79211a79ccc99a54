from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from ccr.entrypoints.service import SERVICE_VARIABLE, Service

SERVICE = Service("127.0.0.1", 3456, 1, 0.0, 30.0, "/s/ccr.lock", "/s/ccr.pid", "/s/ccr.sock", "hello")


@pytest.mark.parametrize(
    "host,address",
    [
        ("127.0.0.1", "http://127.0.0.1:3456"),
        ("0.0.0.0", "http://127.0.0.1:3456"),
        ("::", "http://[::1]:3456"),
        ("::1", "http://[::1]:3456"),
        ("10.0.0.7", "http://10.0.0.7:3456"),
    ],
)
def test_the_address_is_one_that_this_machine_reaches(host: str, address: str) -> None:
    assert evolve(SERVICE, host=host).address == address


def test_it_travels_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SERVICE_VARIABLE, SERVICE.to_environment())

    assert Service.from_environment() == SERVICE


def test_a_file_that_is_no_service_is_none(tmp_path: Path) -> None:
    file = tmp_path / "service.json"

    assert Service.from_file(file) is None
    for text in ("junk", "[]", '{"host": "x"}'):
        file.write_text(text)
        assert Service.from_file(file) is None
    file.write_text(SERVICE.to_environment())
    assert Service.from_file(file) == SERVICE
