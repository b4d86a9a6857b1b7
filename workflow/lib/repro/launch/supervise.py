"""Supervise: one process that is waited for, gets each signal once, and ends with its parent.

Synopsis:
    with signals_held() as before:
        status = waited(lambda: os.execve(…), before)
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from repro.core.errors import UserError
from repro.launch.isolation import die_with

_HELD = {
    signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2,
    signal.SIGCHLD,
}  # fmt: skip
_PACE = 1.0  # seconds between two looks at a child


@contextmanager
def signals_held() -> Generator[set[signal.Signals]]:
    """Keeps signals waiting, so that none ends this process before it has cleared up.

    Yields those that were held before.
    """
    # By default it is ignored, and then some systems throw it away although it is awaited.
    handler = signal.signal(signal.SIGCHLD, _noticed)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)
    try:
        yield {signal.Signals(number) for number in before}
    finally:
        signal.signal(signal.SIGCHLD, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def waited(work: Callable[[], NoReturn], before: set[signal.Signals]) -> int:
    """Does some work in a child and waits until it has ended, while signals are held.

    The child leads a session of its own, so what a terminal or a scheduler sends to the whole group
    reaches this process alone, which hands it on: the child sees it once. It holds the signals
    `before`. Returns its exit status; 128 + n where signal n ended it.
    """
    child = os.fork()
    if child == 0:
        _become(work, before)
    while (status := _ended(child)) is None:
        number, _ = next_signal()
        if number != signal.SIGCHLD:
            os.kill(child, number)
    return status


def start_without_signals(thread: threading.Thread) -> None:
    """Starts a thread that takes no signal: each is for the main thread, which may wait for it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    thread.start()
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def busy(count: int) -> Generator[None]:
    """So many processes that do nothing but keep a processor busy, until the end."""
    parent, children = os.getpid(), list[int]()
    try:
        for _ in range(count):
            child = os.fork()
            if child == 0:
                die_with(parent)
                while os.getppid() == parent:
                    pass
                os._exit(0)
            children.append(child)
        yield
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def next_signal() -> tuple[int, bool]:
    """The next signal held, and whether the system sent it by itself, to the whole group.

    At times it gives SIGCHLD though none came: another thread, by which signals are not held, may
    have taken the one that tells of a child's end, so whoever waits for that looks again.
    """
    if not hasattr(signal, "sigtimedwait"):  # macOS: only what is typed is ever sent as SIGINT
        number = signal.sigwait(_HELD)
        return number, number in (signal.SIGINT, signal.SIGQUIT)
    received = signal.sigtimedwait(_HELD, _PACE)
    if received is None:
        return signal.SIGCHLD, False
    return received.si_signo, received.si_code > 0


def _noticed(number: int, frame: FrameType | None) -> None:
    del number, frame


def _become(work: Callable[[], NoReturn], mask: set[signal.Signals]) -> NoReturn:
    status = 1
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        work()
    except UserError as error:
        print(error, file=sys.stderr)
        status = error.status
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _ended(child: int) -> int | None:
    done, status = os.waitpid(child, os.WNOHANG)
    if done == 0:
        return None
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code
