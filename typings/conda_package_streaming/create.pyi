import tarfile
from contextlib import AbstractContextManager
from os import PathLike

def conda_builder(
    stem: str, path: str | PathLike[str], *, compression_level: int | None = None
) -> AbstractContextManager[tarfile.TarFile]: ...
