"""The shape of ``config.json``: attrs classes by area, each key with its name in the file and its description.

Shape of the file is not shape of the program: ``load.py`` maps it to ``ccr.application.settings``.
"""

from __future__ import annotations

from ccr.adapters.config.schema.keys import Key, keys_of
from ccr.adapters.config.schema.root import Root

__all__ = ["Key", "Root", "keys_of"]
