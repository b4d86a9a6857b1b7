"""Whether a place on the network can be reached.

Synopsis:
    reach.answers("https://conda.anaconda.org/conda-forge/noarch/repodata.json.zst", 5.0)
"""

import threading
import urllib.request

PATIENCE = 5.0  # seconds for a channel to answer


def answers(url: str, seconds: float) -> bool:
    """Say whether an address answers in some seconds, the look-up of its name included."""
    answered = threading.Event()

    def ask() -> None:
        request = urllib.request.Request(url, method="HEAD")
        try:
            with urllib.request.urlopen(request, timeout=seconds):
                answered.set()
        except (OSError, ValueError):
            pass  # whatever the reason, it does not answer

    # A look-up of a name has no time limit of its own: the thread goes on alone then.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return answered.is_set()
