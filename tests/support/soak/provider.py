"""The provider that fails (tests/support/faulty), in a process of its own. Prints its port and runs until its input ends.

python -m tests.support.soak.provider
"""

from __future__ import annotations

import asyncio
import sys

from tests.support.faulty.server import FaultyProvider


async def _serve() -> None:
    async with FaultyProvider() as provider:
        sys.stdout.write(f"{provider.port}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve())
