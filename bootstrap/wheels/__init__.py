"""Wheels: fetched by pip, kept below their sha256, installed by uv or pip.

Begin with `store`. The post-deploy scripts carry all of it but `host_pip`, which is for the tools;
so it needs the standard library alone.
May import: cache, display, locks.
"""
