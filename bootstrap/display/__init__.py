"""Shows a user how far things are, and asks.

Begin with `progress`, by which whoever installs notes how far it is, and `screen`, which shows it.
May import: nothing.
"""
