"""What is remembered, and by whom it is asked."""

from __future__ import annotations

from typing import Any

from dependency_injector import containers, providers

from ccr.adapters.config.file_store import FileConfigStore
from ccr.adapters.identity.single_key import SingleKey
from ccr.adapters.routing.session_files import SessionFiles
from ccr.adapters.store.learned import LearnedFile
from ccr.adapters.system.fleet import FleetMember
from ccr.adapters.tokens.counter import TokenCounter

__all__ = ["State"]


class State(containers.DeclarativeContainer):
    """Configuration, identity, counting, the fleet."""

    paths: providers.Dependency[Any] = providers.Dependency()
    environ: providers.Dependency[Any] = providers.Dependency()
    clock: providers.Dependency[Any] = providers.Dependency()
    faults: providers.Dependency[Any] = providers.Dependency()

    config_store = providers.Singleton(FileConfigStore.of, paths, environ)
    identity = providers.Singleton(SingleKey, None)
    counter = providers.Singleton(TokenCounter)
    session_routers = providers.Singleton(SessionFiles, paths.provided.home, paths.provided.claude_projects)
    learned = providers.Singleton(LearnedFile, paths.provided.learned_file, clock, faults)
    fleet = providers.Singleton(FleetMember, paths.provided.socket)
