"""A conda channel built here: used only where no other answers, or `channel=local` asks for it.

Begin with `renders`. Only `environments.channel` may import it, and `fetch_ahead` its `debian`.
May import: conda, display, locks, project, tools, wheels.
"""
