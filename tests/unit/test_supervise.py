"""A child that is waited for: its end is seen, whoever its signal went to."""

import subprocess

from samples import Fresh

# The child has ended, and the signal is gone, before it is waited for.
TAKEN = """
import os, signal, threading
from repro.launch import supervise

threading.Thread(target=threading.Event().wait, daemon=True).start()
look = supervise._ended

def first(child):
    supervise._ended = look
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    while signal.SIGCHLD in signal.sigpending():
        pass
    return None

supervise._ended = first
with supervise.signals_held() as before:
    status = supervise.waited(lambda: os._exit(7), before)
print(status, flush=True)
os._exit(0)
"""


def test_the_end_of_a_child_is_seen_though_another_thread_took_its_signal(fresh: Fresh) -> None:
    done: subprocess.CompletedProcess[str] = fresh(TAKEN)
    assert (done.returncode, done.stdout) == (0, "7\n"), done.stderr
