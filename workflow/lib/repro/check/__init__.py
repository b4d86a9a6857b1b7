"""Any script: are its results the same when it runs again, and on what do they depend?

Imports `core`, `launch`, `hook`, `ledger`, `divergence`, `formats`, `content` and `contain`; Python
3.10 and later, standard library. Begin reading at `checking`, then `one_run` and `answer`.
"""
