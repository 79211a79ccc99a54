"""``ccr preset``: a word of the ancestor's version 2 that we answer with the way round."""

from __future__ import annotations

from typing import NoReturn

import rich_click as click

from ccr.entrypoints.cli.output import CommandError
from ccr.entrypoints.service import EXIT_USAGE

__all__ = ["preset"]


@click.command(context_settings={"ignore_unknown_options": True}, hidden=True)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def preset(words: tuple[str, ...]) -> NoReturn:
    """Not here: presets are out of scope."""
    del words
    raise CommandError(
        "presets of the ancestor's version 2 are out of scope",
        "keep one configuration a file and choose it with CCR_CONFIG=/path/to/config.json",
        code=EXIT_USAGE,
    )
