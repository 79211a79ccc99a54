"""Probes of pictures and documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.application.operations.probing.materials import WEATHER, after_tool, document, picture, said, user
from ccr.application.operations.probing.talking import says
from ccr.application.operations.probing.verdicts import Finding, Probe
from ccr.domain.conversation import Text
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from ccr.application.operations.probing.asking import Asker
    from ccr.domain.models import ModelProfile

__all__ = ["SEEING"]

_COLOUR = "What is the colour of this square? One word."


def _blind(profile: ModelProfile) -> str:
    return "" if profile.images else "its profile says that it sees no pictures"


def _paperless(profile: ModelProfile) -> str:
    return "" if profile.documents else "its profile says that it reads no documents"


async def _image(ask: Asker) -> Finding:
    return says(await ask(said(user(picture(), _COLOUR))), "red")


async def _image_result(ask: Asker) -> Finding:
    turns = after_tool((Text("A picture of the sky:"), picture()), _COLOUR)
    return says(await ask(evolve(said(*turns), tools=(WEATHER,))), "red")


async def _document(ask: Asker) -> Finding:
    asked = said(user(document(), "What is the code word in this document? One word."))
    return says(await ask(asked), "pelican")


SEEING = (
    Probe("image", "a picture is seen", _image, _blind),
    Probe("tool_result_image", "a picture in a tool's result is seen", _image_result, _blind),
    Probe("document", "a PDF is read", _document, _paperless),
)
