from __future__ import annotations

import pytest

from ccr.adapters.credentials.environment import EnvironmentSecrets
from ccr.adapters.credentials.files import FileSecrets
from ccr.domain.secret import Secret


def test_a_variable() -> None:
    secrets = EnvironmentSecrets({"KEY": "text"})
    assert secrets.resolve("env:KEY") == Secret("text")
    assert "text" not in repr(secrets)


@pytest.mark.parametrize("reference", ["env:GONE", "env:EMPTY", "vault:x", "file:relative"])
def test_what_is_missing_is_named(reference: str) -> None:
    with pytest.raises(LookupError):
        EnvironmentSecrets({"EMPTY": ""}, FileSecrets()).resolve(reference)
    with pytest.raises(LookupError):
        EnvironmentSecrets({"EMPTY": ""}).resolve(reference)
