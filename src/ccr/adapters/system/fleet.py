"""The meeting point of all workers: a Unix socket (mode 0600) of the parent, one JSON value a line.

A member greets with ``{"hello": pid}``. The hub asks ``{"id": n, "do": word, "with": {...}}``, the member answers
``{"id": n, "is": value}`` (or ``"error"``). A member asks all members, itself included, with ``{"ask": n, "do": word,
"with": {...}}`` and gets ``{"asked": n, "are": [values]}``. Words: ``status``, ``drain``, ``reload``.

The command line, which is no member, asks the parent itself with ``{"renew": {...}}`` and gets ``{"renewing": true}``.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import inspect
import itertools
import json
import os
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import define, field

from ccr.domain.errors import GatewayError

__all__ = ["FleetHub", "FleetMember", "Handler", "reachable"]

Handler = Callable[..., Any]
"""Takes the arguments of a command by name; returns a plain JSON value, or an awaitable of one."""

_LINE_LIMIT = 4 * 1024 * 1024
"""A status of a worker with thousands of targets still fits; more is a fault."""
_ANSWER_SECONDS = 2.0
_REJOINS = 50
_REJOIN_SECONDS = 0.2
"""Ten seconds in all; a parent that has really gone takes its workers along sooner."""
_SOCKET_BYTES = 100
"""The kernel takes 107 bytes of path for a Unix socket."""


def reachable(path: Path) -> Path:
    """Return the path itself, or where it is too long for a socket its stand-in in a private temporary directory.

    Raises PermissionError when somebody else has made that directory.
    """
    if len(os.fsencode(path)) <= _SOCKET_BYTES:
        return path
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"ccr-{os.getuid()}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(errno.EPERM, "belongs to somebody else", str(folder))
    return folder / path.name


@define(eq=False)
class _Line:
    """One connection, both ways; answers are matched to questions by their number."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    numbers: itertools.count[int] = field(factory=lambda: itertools.count(1))
    waiting: dict[int, asyncio.Future[Any]] = field(factory=dict)

    def send(self, message: Mapping[str, object]) -> None:
        if not self.writer.is_closing():
            self.writer.write(json.dumps(message, default=str).encode() + b"\n")

    async def ask(self, key: str, word: str, arguments: Mapping[str, object]) -> Any:
        """Send a numbered question and wait for its answer. Raises TimeoutError, ConnectionError."""
        number = next(self.numbers)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.waiting[number] = answer
        try:
            self.send({key: number, "do": word, "with": dict(arguments)})
            async with asyncio.timeout(_ANSWER_SECONDS * (1 if key == "id" else 2)):
                return await answer
        finally:
            del self.waiting[number]

    def answered(self, number: object, value: object) -> None:
        waiting = self.waiting.get(number) if isinstance(number, int) else None
        if waiting is not None and not waiting.done():
            waiting.set_result(value)

    async def messages(self, take: Callable[[dict[str, Any]], None]) -> None:
        """Read until the other side goes; what is not a JSON object ends the connection."""
        with contextlib.suppress(OSError, ValueError, asyncio.IncompleteReadError):
            while line := await self.reader.readline():
                message = json.loads(line)
                if isinstance(message, dict):
                    take(message)
        for waiting in self.waiting.values():
            if not waiting.done():
                waiting.set_exception(ConnectionResetError("the other side of the fleet's socket has gone"))

    def close(self) -> None:
        self.writer.close()


@define(eq=False)
class FleetHub:
    """The parent's side. ``pids`` are the workers that are connected now, ``members`` counts their connections.

    ``renew`` answers the command line.
    """

    path: Path
    renew: Callable[[Mapping[str, object]], bool] | None = None
    _server: asyncio.Server | None = None
    _lines: dict[_Line, int] = field(factory=dict)
    _open: dict[_Line, asyncio.Task[None]] = field(factory=dict)
    _tasks: set[asyncio.Task[None]] = field(factory=set)

    async def open(self) -> None:
        """Listen. Raises OSError."""
        path = reachable(self.path)
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        mask = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._serve, path, limit=_LINE_LIMIT)
        finally:
            os.umask(mask)

    async def close(self) -> None:
        """Stop listening and forget the members."""
        if self._server is not None:
            self._server.close()
        for line in list(self._open):
            line.close()
        if self._open:
            await asyncio.wait(set(self._open.values()), timeout=_ANSWER_SECONDS)
        with contextlib.suppress(OSError):
            reachable(self.path).unlink()

    @property
    def members(self) -> int:
        return len(self._lines)

    @property
    def pids(self) -> set[int]:
        return set(self._lines.values())

    async def ask(self, word: str, **arguments: object) -> list[Any]:
        """Ask every member; the answers of those who answered in time."""
        questions = [asyncio.ensure_future(line.ask("id", word, arguments)) for line in self._lines]
        answers = await asyncio.gather(*questions, return_exceptions=True)
        return [answer for answer in answers if not isinstance(answer, BaseException)]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line, task = _Line(reader, writer), asyncio.current_task()
        assert task is not None
        self._open[line] = task

        def take(message: dict[str, Any]) -> None:
            if "hello" in message:
                self._lines[line] = int(message["hello"])
            elif "ask" in message:
                _keep(self._tasks, self._pass_on(line, message))
            elif "renew" in message:
                wanted = message["renew"]
                allowed = self.renew is not None and isinstance(wanted, dict) and self.renew(wanted)
                line.send({"renewing": allowed})
            else:
                line.answered(message.get("id"), message.get("is"))

        try:
            await line.messages(take)
        finally:
            self._lines.pop(line, None)
            self._open.pop(line, None)
            line.close()

    async def _pass_on(self, line: _Line, message: dict[str, Any]) -> None:
        answers = await self.ask(str(message.get("do")), **message.get("with", {}))
        line.send({"asked": message["ask"], "are": answers})


@define(eq=False)
class FleetMember:
    """A worker's side, and the :class:`~ccr.application.ports.fleet.Fleet` of its process.

    ``handlers`` maps a word to what this worker does or says. Without a hub (no ``path``, or nobody listens there)
    the fleet is this worker alone.
    """

    path: Path | None
    handlers: dict[str, Handler] = field(factory=dict)
    _line: _Line | None = None
    _tasks: set[asyncio.Task[None]] = field(factory=set)

    async def open(self) -> None:
        """Join the fleet, if there is one."""
        if self.path is None:
            return
        try:
            reader, writer = await asyncio.open_unix_connection(reachable(self.path), limit=_LINE_LIMIT)
        except OSError:
            return
        self._line = _Line(reader, writer)
        self._line.send({"hello": os.getpid()})
        _keep(self._tasks, self._listen(self._line))

    async def close(self) -> None:
        """Leave it."""
        if self._line is not None:
            self._line.close()
            self._line = None
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def gather(self, question: str) -> Sequence[Mapping[str, object]]:
        """Ask every worker; answers of those that answered in time, at least our own."""
        answers = await self._ask(question, {})
        return [answer for answer in answers if isinstance(answer, Mapping)]

    async def tell(self, command: str, **arguments: object) -> None:
        """Command every worker."""
        await self._ask(command, arguments)

    async def _ask(self, word: str, arguments: Mapping[str, object]) -> Sequence[Any]:
        if self._line is not None:
            with contextlib.suppress(TimeoutError, ConnectionError):
                answers: list[Any] = await self._line.ask("ask", word, arguments)
                return answers
        return [await self._do(word, arguments)]

    async def _listen(self, line: _Line) -> None:
        def take(message: dict[str, Any]) -> None:
            if "asked" in message:
                line.answered(message["asked"], message.get("are", []))
            else:
                _keep(self._tasks, self._answer(line, message))

        try:
            await line.messages(take)
        finally:
            line.close()
        if self._line is line:
            self._line = None
            await self._rejoin()

    async def _rejoin(self) -> None:
        """The parent has become its successor (``ccr restart``), which opens a hub in the same place."""
        for _ in range(_REJOINS):
            await asyncio.sleep(_REJOIN_SECONDS)
            await self.open()
            if self._line is not None:
                return

    async def _answer(self, line: _Line, message: dict[str, Any]) -> None:
        value = await self._do(str(message.get("do")), message.get("with", {}))
        line.send({"id": message.get("id"), "is": value})

    async def _do(self, word: str, arguments: Mapping[str, object]) -> object:
        handler = self.handlers.get(word)
        if handler is None:
            return None
        try:
            value = handler(**arguments)
            return await value if inspect.isawaitable(value) else value
        except GatewayError as error:
            return {"error": error.message}


def _keep(tasks: set[asyncio.Task[None]], work: Awaitable[None]) -> None:
    """Run it beside, and hold on to it until it ends."""
    task = asyncio.ensure_future(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
