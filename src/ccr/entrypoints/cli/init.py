"""``ccr init``."""

from __future__ import annotations

import rich_click as click

from ccr.entrypoints import bootstrap
from ccr.entrypoints.cli.output import CommandError, emit

__all__ = ["init"]


@click.command()
def init() -> None:
    """Write a commented first configuration; one that is there stays untouched."""
    place = bootstrap.paths()
    try:
        written = bootstrap.write_first(place)
    except bootstrap.NotWritableError as error:
        raise CommandError(str(error), "set CCR_HOME to a directory that you may write") from error
    emit(f"Wrote {place.config}" if written else f"{place.config} is there already; it was not touched")
    emit("Next step: `ccr config edit` to add a provider, or `ccr start` to try the built-in demo")
