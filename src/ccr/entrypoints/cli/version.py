"""``ccr version``."""

from __future__ import annotations

import platform

import rich_click as click

from ccr import __version__
from ccr.entrypoints.cli.output import emit, emit_json

__all__ = ["version"]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def version(*, as_json: bool) -> None:
    """Which version this is."""
    if as_json:
        emit_json({"version": __version__, "python": platform.python_version()})
    else:
        emit(f"ccr {__version__}")
