"""Secrets in environment variables."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from ccr.application.ports.secrets import SecretResolver
from ccr.domain.secret import Secret

__all__ = ["EnvironmentSecrets"]


@frozen
class EnvironmentSecrets:
    """``env:NAME``; everything else is asked of ``others``."""

    environ: Mapping[str, str] = field(repr=False)
    others: SecretResolver | None = None

    def resolve(self, reference: str) -> Secret:
        kind, _, name = reference.partition(":")
        if kind != "env":
            if self.others is None:
                raise LookupError(f"{kind}: is not a kind of secret that we know")
            return self.others.resolve(reference)
        text = self.environ.get(name, "")
        if not text:
            raise LookupError(f"the variable {name} is not set")
        return Secret(text)
