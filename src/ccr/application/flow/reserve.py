"""Asked for every target before it is called: may this caller use it?"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ccr.domain.errors import ForbiddenError

if TYPE_CHECKING:
    from ccr.domain.access import Principal
    from ccr.domain.models import ModelRef

__all__ = ["reserve"]


def reserve(principal: Principal, ref: ModelRef) -> None:
    """Check access on the *resolved* target, whatever rule chose it. Raises ForbiddenError."""
    allowed = principal.models
    if allowed and not any(fnmatchcase(str(ref), glob) for glob in allowed):
        raise ForbiddenError(f"this key may not use {ref}")
