"""The small parent of ``ccr start``: lock, port, workers, readiness, drain. Standard library and a few own modules.

It holds the home's lock, a claim on the port and the listening sockets, starts the workers, starts a dead one again, and
ends them in order: readiness fails first (through the fleet), then after ``drain_wait`` they are told to stop, and have
``drain_timeout`` for their streams. A second signal ends at once. SIGHUP reloads (in a terminal it stops).

``ccr restart`` makes it its own successor (``takeover.py``): new workers are started on the same sockets, and only when
they are ready the old ones are told to stop. If they do not get ready, the old ones stay.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from attrs import define, field

from ccr.adapters.system.fleet import FleetHub
from ccr.adapters.system.listeners import close_all
from ccr.adapters.system.processes import describe_exit, resident
from ccr.domain.value import evolve
from ccr.entrypoints.premises import NoRoomError, Premises, say
from ccr.entrypoints.readiness import is_ready, notify_systemd
from ccr.entrypoints.service import EXIT_CONFIG, EXIT_FAILED, EXIT_OK, Service
from ccr.entrypoints.takeover import STOPS, Inherited, Renewal, replace_program
from ccr.entrypoints.workers import Worker, adopt, ended, kill, spawn, terminate

__all__ = ["Supervisor", "main"]

_READY_SECONDS = 60.0
"""A cold start on a slow machine takes a few seconds; after this it will not come."""
_POLL = 0.05
_KILL_GRACE = 5.0
"""Seconds between the end of drain_timeout and SIGKILL: replies are cut and the application closes in them."""
_CUT_SECONDS = 1.0
_SOON = 10.0
"""A worker that dies within this many seconds of its start died of the start."""
_MOST_DEATHS = 5
_WEIGH_SECONDS = 2.0
"""Between two looks at a worker's memory. After a replacement a minute passes, so that a limit below what a worker needs
does not keep the machine busy.
"""
_COMMAND = (sys.executable, "-P", "-m", "ccr.entrypoints.worker")


@define(eq=False)
class Supervisor:
    """Runs the workers of one service until a signal.

    ``listeners``: a socket for each worker, or one for all. ``old``: workers of the program before us, who serve until
    ours are ready; ``leaving``: those who have been told to end. ``before``: the service of the old ones.
    """

    service: Service
    listeners: Sequence[socket.socket]
    old: list[Worker] = field(factory=list)
    leaving: list[Worker] = field(factory=list)
    before: Service | None = None
    old_listeners: Sequence[socket.socket] = ()
    refused: str = ""
    """Why there can be no new workers."""
    command: tuple[str, ...] = _COMMAND
    say: Callable[[str], None] = say
    hub: FleetHub = field(init=False)
    workers: list[Worker] = field(factory=list)
    renewal: Renewal | None = field(default=None, init=False)
    """What to become; None = the end."""
    _stop: asyncio.Event = field(factory=asyncio.Event)
    _now: asyncio.Event = field(factory=asyncio.Event)
    _exit: int = EXIT_OK
    _was_ready: bool = False
    _tasks: set[asyncio.Task[object]] = field(factory=set)
    _watches: list[asyncio.Task[None]] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.hub = FleetHub(self.service.files[2], renew=self.renew)

    async def run(self) -> int:
        """Serve until stopped, or until somebody else is to go on (``renewal``); returns the exit code."""
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, self.stop)
        # A closed terminal hangs up on those who live in it; without one SIGHUP has its customary meaning.
        loop.add_signal_handler(signal.SIGHUP, self.stop if sys.stdin.isatty() else self._reload)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
        await self.hub.open()
        try:
            if self.leaving:
                self._keep(self._see_off(self.leaving))
            if self.refused:
                self._old_stay(self.refused, EXIT_FAILED)
            else:
                self._man([self._spawn(number) for number in range(self.service.workers)])
                self._keep(self._announce())
            await self._stop.wait()
            if self.renewal is None:
                await self._end()
            await self._settle()
        finally:
            if self.renewal is None:
                kill([*self.workers, *self.old, *self.leaving])
            await self.hub.close()
        # Whoever is impatient now would find a program without handlers, and it would not end in order.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
        return self._exit

    def stop(self) -> None:
        """Begin to end; when it has begun, end at once."""
        if self._stop.is_set():
            self._now.set()
        self._stop.set()

    def renew(self, message: Mapping[str, object]) -> bool:
        """Make room for a successor, who goes on with everything; False where there is nothing to go on with."""
        if self._stop.is_set() or not self._was_ready or self.old:
            return False
        try:
            self.renewal = Renewal.from_message(message)
        except (ValueError, KeyError, TypeError):
            return False
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
        # The answer goes out first.
        asyncio.get_running_loop().call_later(_POLL, self._stop.set)
        return True

    def _reload(self) -> None:
        self._keep(self.hub.ask("reload"))

    def _keep(self, work: Awaitable[object]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _settle(self) -> None:
        """Nothing of ours goes on beside the end."""
        tasks = [*self._watches, *self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # ------------------------------------------------------------------------------------------ workers

    def _spawn(self, number: int, deaths: int = 0) -> Worker:
        listener = self.listeners[number % len(self.listeners)]
        return spawn(self.command, self.service, listener, number, deaths)

    def _man(self, workers: list[Worker]) -> None:
        self.workers = workers
        self._watches = [asyncio.create_task(self._watch(worker)) for worker in workers]

    async def _watch(self, worker: Worker) -> None:
        """Start a worker again when it dies, until it dies too often."""
        while not self._stop.is_set():
            code = worker.process.poll()
            if code is None:
                worker = await self._replaced(worker) if self._is_too_big(worker) else worker
                await asyncio.sleep(_POLL * 4)
                continue
            worker.close()
            soon = time.monotonic() - worker.started < _SOON
            deaths = worker.deaths + 1 if soon else 1
            if code == EXIT_CONFIG or not self._was_ready or deaths > _MOST_DEATHS:
                self._give_up(code, deaths)
                return
            self.say(
                f"ccr: worker {worker.number + 1} ended unexpectedly ({describe_exit(code)}); starting another"
            )
            await asyncio.sleep(0.1 * 2**deaths)
            fresh = self._spawn(worker.number, deaths)
            self.workers[worker.number] = worker = fresh

    def _is_too_big(self, worker: Worker) -> bool:
        now = time.monotonic()
        if not self.service.most_memory or not self._was_ready or now - worker.weighed < _WEIGH_SECONDS:
            return False
        worker.weighed = now
        return resident(worker.process.pid) > self.service.most_memory

    async def _replaced(self, worker: Worker) -> Worker:
        """Put a new worker in the place of one that holds too much; the old one ends its replies. Returns who serves."""
        megabytes = self.service.most_memory // 1024 // 1024
        self.say(
            f"ccr: worker {worker.number + 1} holds more than {megabytes} MB; starting another in its place"
        )
        fresh = self._spawn(worker.number)
        try:
            joined = await self._joined(fresh)
        except asyncio.CancelledError:
            kill([fresh])
            raise
        if not joined:
            self.say("ccr: the new worker did not get ready; the old one stays")
            kill([fresh])
            worker.weighed = time.monotonic() + _READY_SECONDS
            return worker
        fresh.weighed = time.monotonic() + _READY_SECONDS
        self.workers[worker.number] = fresh
        self.leaving.append(worker)
        self._keep(self._see_off([worker]))
        return fresh

    async def _joined(self, worker: Worker) -> bool:
        """Wait until a worker has said hello to the fleet, which it does when it can serve."""
        for _ in range(int(_READY_SECONDS / _POLL)):
            if worker.process.pid in self.hub.pids or not worker.living:
                break
            await asyncio.sleep(_POLL)
        return worker.process.pid in self.hub.pids

    def _give_up(self, code: int, deaths: int) -> None:
        when = "while it started" if deaths == 1 else f"{deaths} times in a row"
        why = f"the server ended {when} ({describe_exit(code)}); what it said stands above and in the log"
        if self._old_stay(why, code):
            return
        if code != EXIT_CONFIG:
            self.say(f"ccr: {why}")
        self._exit = EXIT_CONFIG if code == EXIT_CONFIG else EXIT_FAILED
        self._stop.set()

    async def _announce(self) -> None:
        """Wait for readiness, then print how to use the service, tell systemd, and let the old workers go."""
        until = time.monotonic() + _READY_SECONDS
        while not await self._are_ready():
            if time.monotonic() > until:
                why = f"the server was not ready within {_READY_SECONDS:.0f} s; see its log"
                if not self._old_stay(why, EXIT_FAILED):
                    self.say(f"ccr: {why}")
                    self._exit = EXIT_FAILED
                    self._stop.set()
                return
            await asyncio.sleep(_POLL)
        self._was_ready = True
        if self.service.banner:
            sys.stdout.write(self.service.banner + "\n")
            sys.stdout.flush()
        notify_systemd()
        if self.before is not None:
            old, self.old = self.old, []
            self.leaving += old
            self._keep(self._see_off(old))
            write_facts(self.service)

    async def _are_ready(self) -> bool:
        # Old workers answer at the same port: ours have said hello to the fleet when they can serve.
        if self.before is not None and not {worker.process.pid for worker in self.workers} <= self.hub.pids:
            return False
        return await asyncio.to_thread(is_ready, self.service.reach, self.service.port)

    async def _see_off(self, old: Sequence[Worker]) -> None:
        """Let old workers end their replies; new requests come to ours meanwhile."""
        for seconds in (self.service.drain_timeout, _KILL_GRACE):
            terminate(old)
            # Whoever connects where nobody accepts any more should be told so.
            close_all(self.old_listeners)
            await ended(old, seconds)
        kill(old)
        self.leaving = [worker for worker in self.leaving if worker not in old]

    def _old_stay(self, why: str, code: int) -> bool:
        """Give up the new workers and keep the old; False where there are none."""
        if self.before is None or not self.old:
            return False
        for task in self._watches:
            task.cancel()
        kill(self.workers)
        if self.old_listeners:
            close_all(self.listeners)
            self.listeners = self.old_listeners
            self.old_listeners = ()
        self.say(f"ccr: {why}; the gateway that ran goes on")
        refused = evolve(self.before, token=self.service.token, trouble=why, trouble_code=code)
        self.service, self.before, self._was_ready = evolve(self.before, banner=""), None, True
        old, self.old = self.old, []
        self._man(old)
        write_facts(refused)
        return True

    # ---------------------------------------------------------------------------------------------- end

    async def _end(self) -> None:
        everybody = [*self.workers, *self.old, *self.leaving]
        if not any(worker.living for worker in everybody):
            return
        await self._or_now(self.hub.ask("drain"))
        await self._or_now(asyncio.sleep(self.service.drain_wait))
        for seconds in (self.service.drain_timeout, _KILL_GRACE):
            terminate(everybody)
            # Nobody accepts any more: who connects now should be told so, and not wait for the last reply to end.
            close_all([*self.listeners, *self.old_listeners])
            await self._or_now(ended(everybody, seconds))
        # At once, too, leaves the time to say so: a reply that is cut has an error event and an end.
        await ended(everybody, _CUT_SECONDS)

    async def _or_now(self, waiting: Awaitable[object]) -> None:
        """Wait for that, or for a second signal."""
        work = asyncio.ensure_future(waiting)
        hurry = asyncio.ensure_future(self._now.wait())
        await asyncio.wait({work, hurry}, return_when=asyncio.FIRST_COMPLETED)
        for task in (work, hurry):
            task.cancel()
        await asyncio.gather(work, hurry, return_exceptions=True)


def write_facts(service: Service) -> None:
    """Say where we really listen; replaced as a whole, because somebody may be reading."""
    file = service.facts_file
    fresh = Path(f"{file}.new")
    fresh.touch(0o600)
    fresh.write_text(service.to_environment(), "utf-8")
    fresh.replace(file)


def main() -> int:
    """Hold lock and port, then run; every way to fail is a sentence on standard error and an exit code."""
    service, inherited = Service.from_environment(), Inherited.taken()
    premises = Premises()
    try:
        while True:
            made = _move_in(premises, service, inherited)
            if made is None:
                return EXIT_FAILED
            code = asyncio.run(made.run())
            if made.renewal is None:
                return code
            service, inherited = made.renewal.service, _handed_over(premises, made)
            try:
                replace_program(made.renewal, inherited)
            except OSError as error:
                say(f"ccr: cannot start {made.renewal.command[0]}: {error.strerror}; this program goes on")
    except OSError as error:
        say(f"ccr: {error.filename or service.fleet}: {error.strerror}")
        return EXIT_FAILED
    finally:
        premises.leave()


def _move_in(premises: Premises, service: Service, inherited: Inherited | None) -> Supervisor | None:
    """Prepare to serve; None when it cannot be, which has been said."""
    if inherited is None:
        if not premises.take(service):
            return None
        service.files[1].touch(0o600)
        service.files[1].write_text(str(os.getpid()), "ascii")
        write_facts(service)
        return Supervisor(service, premises.listeners)
    refused, old_listeners = "", list[socket.socket]()
    try:
        old_listeners += premises.take_over(service, inherited)
    except NoRoomError as error:
        refused = str(error).removeprefix("ccr: ")
    except OSError as error:
        refused = f"cannot listen on {service.host}:{service.port}: {error.strerror}"
    workers = [(adopt(worker), worker.leaving) for worker in inherited.workers]
    return Supervisor(
        service,
        premises.listeners,
        old=[worker for worker, leaving in workers if not leaving],
        leaving=[worker for worker, leaving in workers if leaving],
        before=inherited.before,
        old_listeners=old_listeners,
        refused=refused,
    )


def _handed_over(premises: Premises, made: Supervisor) -> Inherited:
    return premises.handed_over(
        made.service,
        made.listeners,
        [
            *(worker.inherited(leaving=False) for worker in made.workers if worker.living),
            *(worker.inherited(leaving=True) for worker in made.leaving if worker.living),
        ],
    )


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
