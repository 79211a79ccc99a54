"""What a probe is, and what it may find."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from attrs import frozen

if TYPE_CHECKING:
    from ccr.application.operations.probing.asking import Asker
    from ccr.domain.models import ModelProfile

__all__ = ["Finding", "Probe", "Verdict", "degraded", "failed", "passed", "skipped"]


class Verdict(Enum):
    """DEGRADED = it works, but something is lost or not as good as it might be."""

    OK = "pass"
    DEGRADED = "degraded"
    FAIL = "fail"
    SKIPPED = "skipped"


@frozen
class Finding:
    """``evidence`` is one sentence."""

    verdict: Verdict
    evidence: str


def passed(evidence: str) -> Finding:
    """It does what it should."""
    return Finding(Verdict.OK, evidence)


def degraded(evidence: str) -> Finding:
    """It does, with a loss."""
    return Finding(Verdict.DEGRADED, evidence)


def failed(evidence: str) -> Finding:
    """It does not."""
    return Finding(Verdict.FAIL, evidence)


def skipped(evidence: str) -> Finding:
    """It was not asked."""
    return Finding(Verdict.SKIPPED, evidence)


_Run: TypeAlias = Callable[["Asker"], Awaitable[Finding]]
_Unable: TypeAlias = Callable[["ModelProfile"], str]


def _able(_: ModelProfile) -> str:
    return ""


@frozen
class Probe:
    """``about`` is a few words for a person; ``unable`` says why a model is not asked, empty = it is."""

    name: str
    about: str
    run: _Run
    unable: _Unable = _able
