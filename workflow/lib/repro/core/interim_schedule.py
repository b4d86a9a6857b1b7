"""Looks: at how many seeds is looked, where a plan adds them; fixed before any run is made.

Synopsis:
    counts(budget=32)               # (8, 16, 32)
"""

LEAST = 5
"""Fewer pairs of runs than this show nothing with 5 % error."""
EARLIEST = 8
"""The first look where there are several: fewer runs show nothing with the error left to them."""


def counts(budget: int) -> tuple[int, ...]:
    """The numbers of seeds at which is looked: the budget, and half as many before each, from 8 on.

    Args:
        budget: the most seeds that may be run.

    Returns:
        The numbers, the smallest first.

    Example:
        >>> counts(16), counts(10)
        ((8, 16), (10,))
    """
    found = [budget]
    while found[0] // 2 >= EARLIEST:
        found.insert(0, found[0] // 2)
    return tuple(found)
