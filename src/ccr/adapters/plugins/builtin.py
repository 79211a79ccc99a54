"""What ships with ccr: a scan of ``adapters/transformers/``."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from ccr.adapters import transformers
from ccr.application.ports.transformer import Transformer

__all__ = ["builtin_transformers"]


def builtin_transformers() -> dict[str, type[Transformer]]:
    """Return the transformers that ship with ccr, by name; no list is edited to add one."""
    found: dict[str, type[Transformer]] = {}
    for info in iter_modules(transformers.__path__, f"{transformers.__name__}."):
        for value in vars(import_module(info.name)).values():
            if isinstance(value, type) and issubclass(value, Transformer) and value.name:
                found[value.name] = value
    return found
