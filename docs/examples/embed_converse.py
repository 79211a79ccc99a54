"""Ask a model through the gateway, inside a program of your own: no server, no port."""

from __future__ import annotations

import asyncio

from ccr import Conversation, Role, Text, TextDelta, ToolInputDelta, Turn, open_gateway

# The shape of config.json. The built-in provider `demo` needs no key and no network.
CONFIG = {"LOG": False, "Router": {"default": "demo,demo"}}


async def main() -> None:
    """Print the reply as it comes."""
    hello = Conversation(model="demo,demo", turns=(Turn(Role.USER, (Text("Hello, gateway"),)),))
    async with open_gateway(CONFIG) as gateway:
        async for event in gateway.converse(hello):
            match event:
                case TextDelta(text) | ToolInputDelta(text):
                    print(text, end="")
                case _:
                    pass
    print()


if __name__ == "__main__":
    asyncio.run(main())
