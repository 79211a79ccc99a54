"""The same, but the whole reply at once, with its usage; errors are exceptions."""

from __future__ import annotations

import asyncio

from ccr import Conversation, GatewayError, Reply, Role, Text, Turn, fold, open_gateway


async def ask(question: str, *, model: str) -> Reply:
    """Return the whole reply. Raises GatewayError."""
    conversation = Conversation(model=model, turns=(Turn(Role.USER, (Text(question),)),))
    async with open_gateway({"LOG": False, "Router": {"default": "demo,demo"}}) as gateway:
        return fold([event async for event in gateway.converse(conversation)])


async def main() -> None:
    """Ask twice; the second model does not exist."""
    reply = await ask("How are you?", model="demo,demo")
    print(reply.reason.value, reply.usage.output, "tokens")
    try:
        await ask("How are you?", model="nobody,nothing")
    except GatewayError as error:
        print(f"{error.kind}: {error.message}")


if __name__ == "__main__":
    asyncio.run(main())
