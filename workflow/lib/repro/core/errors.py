"""Errors: the one kind that is shown to a user as a sentence.

Synopsis:
    raise UserError("Expected `epochs` to be at least 1. Received 0. Set it to 1 or more.")
"""


class UserError(Exception):
    """A mistake that the user can mend; its text is the whole message.

    The text is one sentence or a few short ones: what was expected, what was
    received, what to do. Whoever catches it prints the text alone and exits
    with status 2; any other exception is a bug and keeps its traceback.

    Example:
        >>> raise UserError("Expected a file at data.csv. Received none. Correct `path`.")
        Traceback (most recent call last):
        repro.core.errors.UserError: Expected a file at data.csv. Received none. Correct `path`.
    """
