"""Learned compatibility: what a provider complained of, and how a request is amended for it (beyond.md 3.18)."""

from __future__ import annotations

from ccr.domain.compat.amendment import Amendment, Change
from ccr.domain.compat.complaint import complains_of_seal, read_complaint
from ccr.domain.compat.learned import Learned, door_of, evidence_of
from ccr.domain.compat.patch import patch_lines

__all__ = [
    "Amendment",
    "Change",
    "Learned",
    "complains_of_seal",
    "door_of",
    "evidence_of",
    "patch_lines",
    "read_complaint",
]
