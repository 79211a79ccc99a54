"""The control plane in one bundle: what the admin API and the command line hold. The data path never imports it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

if TYPE_CHECKING:
    from ccr.application.operations.check_health import CheckHealth
    from ccr.application.operations.drain import Drain
    from ccr.application.operations.explain_route import ExplainRoute
    from ccr.application.operations.fleet_status import FleetStatus
    from ccr.application.operations.learned import ManageLearned
    from ccr.application.operations.manage_config import ManageConfig
    from ccr.application.operations.models import ListKnownModels
    from ccr.application.operations.plugins import ListPlugins
    from ccr.application.operations.probes import RunProbes
    from ccr.application.operations.providers import ManageProviders

__all__ = ["Console"]


@define(eq=False)
class Console:
    """Use cases of operations."""

    manage_config: ManageConfig
    check_health: CheckHealth
    status: FleetStatus
    explain_route: ExplainRoute
    drain: Drain
    list_plugins: ListPlugins
    manage_providers: ManageProviders
    known_models: ListKnownModels
    run_probes: RunProbes
    manage_learned: ManageLearned
