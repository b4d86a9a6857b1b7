"""Any script: are its results the same when it runs again, and on what do they depend?

Imports `core`, `launch`, `hook`, `ledger`, `divergence`, `formats`, `content`, `contain` and
`repair`; Python 3.10 and later, standard library.
Begin reading at `checking`, then `one_run` and `answer`; `patching` tries changes of the script.
"""
