"""Errors: the kinds that are shown to a user as a sentence.

Synopsis:
    raise UserError("Expected `epochs` to be at least 1. Received 0. Set it to 1 or more.")
    raise CouldNotRun("Expected to write a.npy. Received from the system: No space left. …")
"""


class UserError(Exception):
    """A mistake that the user can mend; its text is the whole message.

    The text is one sentence or a few short ones: what was expected, what was
    received, what to do. Whoever catches it prints the text alone and exits
    with its `status`; any other exception is a bug and keeps its traceback.
    """

    status = 2


class CouldNotRun(UserError):
    """Nothing is wrong with what was asked: room, a right, the network or a program was lacking."""

    status = 4
