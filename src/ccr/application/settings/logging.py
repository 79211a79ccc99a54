"""What is logged, and where."""

from __future__ import annotations

from attrs import frozen

__all__ = ["LogSettings"]


@frozen
class LogSettings:
    """``enabled`` False = no log file (``LOG: false``)."""

    enabled: bool = True
    level: str = "info"
    directory: str = ""
