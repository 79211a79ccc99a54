"""The control plane in one bundle: what the admin API and the command line hold. The data path never imports it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

if TYPE_CHECKING:
    from ccr.application.operations.check_health import CheckHealth
    from ccr.application.operations.drain import Drain
    from ccr.application.operations.explain_route import ExplainRoute
    from ccr.application.operations.manage_config import ManageConfig

__all__ = ["Console"]


@define(eq=False)
class Console:
    """Use cases of operations."""

    manage_config: ManageConfig
    check_health: CheckHealth
    explain_route: ExplainRoute
    drain: Drain
