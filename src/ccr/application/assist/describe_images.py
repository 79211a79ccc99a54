"""Pictures in words, for a model that cannot see: described once by one that can, and remembered."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from hashlib import sha256
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from attrs import define, field

from ccr.domain.conversation import (
    Conversation,
    FileRef,
    Image,
    Inline,
    Role,
    Text,
    ToolResult,
    Turn,
)
from ccr.domain.errors import ClientGoneError, GatewayError
from ccr.domain.fidelity import Loss
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ccr.application.assist.side_call import SideCall
    from ccr.application.catalog.targets import Target
    from ccr.application.exchange.job import Job
    from ccr.domain.conversation import ContentBlock, ResultPart
    from ccr.domain.models import ModelRef

__all__ = ["ImageDescriber"]

_AT_ONCE = 4
"""Descriptions under way for one request: a screen full of pictures shall not use up the vision model's rate limit."""
_LONGEST = 8000
"""Characters of a description that are kept, about 2000 tokens."""
_MAX_TOKENS = 4096
"""Room for a description and for what a model thinks before it."""

_PROMPT = (
    "Describe this image for a colleague who cannot see it and has to work with it. Write down all text in it word for "
    "word (code, error messages, numbers, labels), then say what it shows: layout, elements and their state, colours "
    "where they mean something, relations in diagrams. Answer with the description alone."
)

_Key: TypeAlias = "tuple[bytes, ModelRef]"


@define(eq=False)
class ImageDescriber:
    """:class:`ccr.application.exchange.seams.Adapter`.

    The ``image`` target of the routes in force describes. The same bytes have the same description for as long as the
    process lives (``kept`` of them), so that a conversation is written alike in every request and prefix caches hold.

    Args:
        side_call: asks the model.
        seconds: for one description.
        kept: descriptions remembered; 1000 are 8 MB at most.
    """

    emulates: ClassVar[Loss] = Loss("image", "described")

    side_call: SideCall
    seconds: float = 60.0
    kept: int = 1000
    _known: OrderedDict[_Key, str] = field(factory=OrderedDict, init=False, repr=False)

    def wants(self, job: Job, target: Target, conversation: Conversation) -> bool:
        """Whether there are images that the target cannot see, or shall not, and somebody who can."""
        if job.decision.exact or _sees(job, target):
            return False
        vision = job.vision
        if vision is None or vision == target.ref:
            return False
        return next(_images(conversation), None) is not None

    async def adapt(
        self, job: Job, target: Target, conversation: Conversation
    ) -> tuple[Conversation, tuple[Loss, ...]]:
        """Return the conversation with descriptions in the place of images.

        An image that nobody could describe stays for the dialect to leave out. Raises ClientGoneError.
        """
        vision = job.vision
        if vision is None:
            return conversation, ()
        try:
            self.side_call.allow(job, vision)
            if not job.catalog.target(vision).destination.profile.images:
                return conversation, ()
        except GatewayError:
            return conversation, ()
        texts = await self._described(job, vision, conversation)
        if not texts and not target.destination.profile.images:
            return conversation, ()
        scribe = _Scribe(vision, texts, is_forced=target.destination.profile.images)
        return scribe.rewritten(conversation), (self.emulates,)

    async def _described(self, job: Job, vision: ModelRef, conversation: Conversation) -> Mapping[_Key, str]:
        """Return what is known of the images in a conversation, after asking about those that are new."""
        wanted = {_key(image, vision): image for image in _images(conversation)}
        new = {key: image for key, image in wanted.items() if key not in self._known}
        slots = asyncio.Semaphore(_AT_ONCE)

        async def ask(key: _Key, image: Image) -> None:
            async with slots:
                text = await self._description(job, vision, image)
            if text:
                self._known[key] = text

        if new:
            await asyncio.gather(*(ask(key, image) for key, image in new.items()))
            if job.call.disconnect.gone:
                raise ClientGoneError("the client closed the connection")
        found = {key: self._known[key] for key in wanted if key in self._known}
        for key in found:
            self._known.move_to_end(key)
        while len(self._known) > self.kept:
            self._known.popitem(last=False)
        return found

    async def _description(self, job: Job, vision: ModelRef, image: Image) -> str:
        """Ask for one description; empty if it fails: the request goes on without."""
        said = Conversation(
            model=vision.model,
            turns=(Turn(Role.USER, (Image(image.source), Text(_PROMPT))),),
            max_tokens=_MAX_TOKENS,
        )
        try:
            reply = await self.side_call(job, vision, said, purpose="image", seconds=self.seconds)
        except GatewayError:
            return ""
        text = "\n".join(block.text for block in reply.blocks if isinstance(block, Text))
        return text.strip()[:_LONGEST]


def _sees(job: Job, target: Target) -> bool:
    """Whether images may go there as they are. Anthropic's own models see, whatever the configuration forces."""
    destination = target.destination
    is_forced = job.catalog.policy.describe_images and not destination.is_anthropic
    return destination.profile.images and not is_forced


@define(eq=False)
class _Scribe:
    """Puts texts in the place of images, numbered in the order in which they stand."""

    vision: ModelRef
    texts: Mapping[_Key, str]
    is_forced: bool
    number: int = 0

    def rewritten(self, conversation: Conversation) -> Conversation:
        """Return the conversation; turns without images stay the same objects."""
        return evolve(conversation, turns=tuple(map(self._turn, conversation.turns)))

    def _turn(self, turn: Turn) -> Turn:
        if not any(_of_block(block) for block in turn.blocks):
            return turn
        return evolve(turn, blocks=tuple(map(self._block, turn.blocks)), source=None)

    def _block(self, block: ContentBlock) -> ContentBlock:
        if isinstance(block, Image):
            return self._image(block)
        if isinstance(block, ToolResult) and _of_block(block):
            parts: tuple[ResultPart, ...] = tuple(
                self._image(part) if isinstance(part, Image) else part for part in block.content
            )
            return evolve(block, content=parts)
        return block

    def _image(self, image: Image) -> Image | Text:
        self.number += 1
        text = "" if isinstance(image.source, FileRef) else self.texts.get(_key(image, self.vision), "")
        if text:
            return Text(f"[Image #{self.number}: {text}]", image.cache)
        if self.is_forced:
            return Text(f"[Image #{self.number}: it could not be described]", image.cache)
        return image


def _images(conversation: Conversation) -> Iterator[Image]:
    """Yield the images that can be shown to another model: not those in a file kept by one provider."""
    for turn in conversation.turns:
        for block in turn.blocks:
            yield from (image for image in _of_block(block) if not isinstance(image.source, FileRef))


def _of_block(block: ContentBlock) -> tuple[Image, ...]:
    if isinstance(block, Image):
        return (block,)
    if isinstance(block, ToolResult):
        return tuple(part for part in block.content if isinstance(part, Image))
    return ()


def _key(image: Image, vision: ModelRef) -> _Key:
    source = image.source
    if isinstance(source, Inline):
        text = f"{source.encoding}\0{source.media_type}\0{source.data}"
    else:
        text = f"url\0{getattr(source, 'url', '')}"
    return sha256(text.encode("utf-8", "surrogatepass")).digest(), vision
