"""The small parent of ``ccr start``: lock, port, workers, readiness, drain. Standard library and a few own modules.

It holds the home's lock and a claim on the port, starts the workers, starts a dead one again, and ends them in order:
readiness fails first (through the fleet), then after ``drain_wait`` they are told to stop, and have ``drain_timeout``
for their streams. A second signal ends at once. SIGHUP reloads (in a terminal it stops).
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

from attrs import define, field

from ccr.adapters.system.daemon import Lock, PortTakenError, check_port, claim_port, free_port, port_owner
from ccr.adapters.system.fleet import FleetHub
from ccr.entrypoints.service import EXIT_CONFIG, EXIT_FAILED, EXIT_OK, Service

__all__ = ["Supervisor", "main"]

_READY_SECONDS = 60.0
"""A cold start on a slow machine takes a few seconds; after this it will not come."""
_POLL = 0.05
_KILL_GRACE = 5.0
"""Seconds between the end of drain_timeout and SIGKILL: replies are cut and the application closes in them."""
_SOON = 10.0
"""A worker that dies within this many seconds of its start died of the start."""
_MOST_DEATHS = 5


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


@define(eq=False)
class _Worker:
    """A process of ours and what we know of it."""

    number: int
    process: subprocess.Popen[bytes]
    started: float
    pipe: int
    """Our end of its standard input: closed when we end, however we end."""
    deaths: int = 0


@define(eq=False)
class Supervisor:
    """Runs the workers of one service until a signal; ``command`` starts one."""

    service: Service
    command: tuple[str, ...] = (sys.executable, "-P", "-m", "ccr.entrypoints.worker")
    say: Callable[[str], None] = _say
    hub: FleetHub = field(init=False)
    workers: list[_Worker] = field(factory=list)
    _stop: asyncio.Event = field(factory=asyncio.Event)
    _now: asyncio.Event = field(factory=asyncio.Event)
    _exit: int = EXIT_OK
    _was_ready: bool = False
    _tasks: set[asyncio.Task[list[object]]] = field(factory=set)

    def __attrs_post_init__(self) -> None:
        self.hub = FleetHub(self.service.files[2])

    async def run(self) -> int:
        """Serve until stopped; returns the exit code."""
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, self.stop)
        # A closed terminal hangs up on those who live in it; without one SIGHUP has its customary meaning.
        loop.add_signal_handler(signal.SIGHUP, self.stop if sys.stdin.isatty() else self._reload)
        await self.hub.open()
        try:
            for number in range(self.service.workers):
                self.workers.append(self._spawn(number))
            announce = asyncio.create_task(self._announce())
            watches = [asyncio.create_task(self._watch(worker)) for worker in self.workers]
            await self._stop.wait()
            announce.cancel()
            await self._end()
            for task in watches:
                task.cancel()
        finally:
            self._kill()
            await self.hub.close()
        return self._exit

    def stop(self) -> None:
        """Begin to end; when it has begun, end at once."""
        if self._stop.is_set():
            self._now.set()
        self._stop.set()

    def _reload(self) -> None:
        task = asyncio.ensure_future(self.hub.ask("reload"))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ------------------------------------------------------------------------------------------ workers

    def _spawn(self, number: int, deaths: int = 0) -> _Worker:
        inner, outer = os.pipe()
        os.set_inheritable(outer, False)
        process = subprocess.Popen(
            self.command,
            stdin=inner,
            env={**os.environ, "CCR_WATCH_PARENT": "1"},
            # Ctrl-C goes to the terminal's whole group; the workers drain when we say so.
            process_group=0,
        )
        os.close(inner)
        return _Worker(number, process, time.monotonic(), outer, deaths)

    async def _watch(self, worker: _Worker) -> None:
        """Start a worker again when it dies, until it dies too often."""
        while not self._stop.is_set():
            code = worker.process.poll()
            if code is None:
                await asyncio.sleep(_POLL * 4)
                continue
            os.close(worker.pipe)
            soon = time.monotonic() - worker.started < _SOON
            deaths = worker.deaths + 1 if soon else 1
            if code == EXIT_CONFIG or not self._was_ready or deaths > _MOST_DEATHS:
                self._give_up(code, deaths)
                return
            self.say(
                f"ccr: worker {worker.number + 1} ended unexpectedly ({_describe(code)}); starting another"
            )
            await asyncio.sleep(0.1 * 2**deaths)
            fresh = self._spawn(worker.number, deaths)
            self.workers[worker.number] = worker = fresh

    def _give_up(self, code: int, deaths: int) -> None:
        if code != EXIT_CONFIG:
            when = "while it started" if deaths == 1 else f"{deaths} times in a row"
            self.say(
                f"ccr: the server ended {when} ({_describe(code)}); what it said stands above and in the log"
            )
        self._exit = EXIT_CONFIG if code == EXIT_CONFIG else EXIT_FAILED
        self._stop.set()

    async def _announce(self) -> None:
        """Wait for readiness, then print how to use the service and tell systemd."""
        until = time.monotonic() + _READY_SECONDS
        while not await asyncio.to_thread(_is_ready, self.service.reach, self.service.port):
            if time.monotonic() > until:
                self.say(f"ccr: the server was not ready within {_READY_SECONDS:.0f} s; see its log")
                self._exit = EXIT_FAILED
                self._stop.set()
                return
            await asyncio.sleep(_POLL)
        self._was_ready = True
        if self.service.banner:
            sys.stdout.write(self.service.banner + "\n")
            sys.stdout.flush()
        _notify_systemd()

    # ---------------------------------------------------------------------------------------------- end

    async def _end(self) -> None:
        living = [worker for worker in self.workers if worker.process.poll() is None]
        if not living:
            return
        await self._or_now(self.hub.ask("drain"))
        await self._or_now(asyncio.sleep(self.service.drain_wait))
        for seconds in (self.service.drain_timeout, _KILL_GRACE):
            # The first signal lets replies end, the second one cuts them but closes what is open in order.
            for worker in living:
                with contextlib.suppress(ProcessLookupError):
                    worker.process.terminate()
            await self._or_now(self._ended(seconds))

    async def _or_now(self, waiting: Awaitable[object]) -> None:
        """Wait for that, or for a second signal."""
        work = asyncio.ensure_future(waiting)
        hurry = asyncio.ensure_future(self._now.wait())
        await asyncio.wait({work, hurry}, return_when=asyncio.FIRST_COMPLETED)
        for task in (work, hurry):
            task.cancel()
        await asyncio.gather(work, hurry, return_exceptions=True)

    async def _ended(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        for worker in self.workers:
            # In a thread, and in slices: a thread that waits for ever would keep this process from ending.
            while time.monotonic() < until and worker.process.poll() is None:
                await asyncio.to_thread(_wait, worker.process)

    def _kill(self) -> None:
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.process.kill()
            worker.process.wait()


def _wait(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_POLL * 4)


def _describe(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return f"signal {signal.Signals(-code).name}"
    return f"signal {-code}"


def _is_ready(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _notify_systemd() -> None:
    """Say READY=1 where systemd listens (Type=notify)."""
    import socket

    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.connect("\0" + address[1:] if address.startswith("@") else address)
        notify.sendall(b"READY=1")


def taken(service: Service) -> str:
    """Say who has the port and what to do, in two lines."""
    owner = port_owner(service.port)
    free = free_port(service.host, service.port)
    use = f"`ccr start --port {free}`" if free else "another PORT"
    return (
        f"ccr: port {service.port} of {service.host} is taken by {owner or 'another process'}.\n"
        f"Next step: stop that process, or use a free port: {use} (or PORT in the configuration)."
    )


def _check(service: Service) -> str:
    """What is in the way of listening, empty when nothing is."""
    try:
        check_port(service.host, service.port)
    except PortTakenError:
        return taken(service)
    except OSError as error:
        return f"ccr: cannot listen on {service.host}:{service.port}: {error.strerror}. Next step: change HOST or PORT."
    return ""


def main() -> int:
    """Hold lock and port, then run; every way to fail is a sentence on standard error and an exit code."""
    service = Service.from_environment()
    lock_path, pid_file, _ = service.files
    lock = Lock(lock_path)
    try:
        if not lock.acquire():
            _say(
                f"ccr: already running from this home (pid {lock.holder or 'unknown'}). Next step: `ccr status`."
            )
            return EXIT_FAILED
    except OSError as error:
        _say(
            f"ccr: cannot write {lock_path}: {error.strerror}. Next step: make it writable, or set CCR_HOME."
        )
        return EXIT_FAILED
    claim = claim_port(service.port)
    trouble = taken(service) if claim is None else _check(service)
    if trouble:
        _say(trouble)
        return EXIT_FAILED
    pid_file.write_text(str(os.getpid()), "ascii")
    service.facts_file.write_text(service.to_environment(), "utf-8")
    try:
        return asyncio.run(_run(service))
    except OSError as error:
        _say(f"ccr: {error.filename or service.fleet}: {error.strerror}")
        return EXIT_FAILED
    finally:
        for file in (pid_file, service.facts_file):
            with contextlib.suppress(OSError):
                file.unlink()
        lock.release()


async def _run(service: Service) -> int:
    return await Supervisor(service).run()


if __name__ == "__main__":
    sys.exit(main())
