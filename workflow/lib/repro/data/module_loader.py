"""Module loader: modules run from the source that is there.

Synopsis:
    pack = module("present_pack", home / "workflow/scripts/pack.py")
"""

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType


class SourceLoader(SourceFileLoader):
    """Compiles the source that is there, and looks at no `__pycache__`.

    Python takes a compiled file for that of a source with the same time and size, whatever it
    says: then another code would run than the one whose digest is recorded.
    """

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def module(name: str, file: Path) -> ModuleType:
    """Runs a file as a module that no other finds by its name.

    Raises:
        Exception: whatever the file raises.
    """
    loader = SourceLoader(name, str(file))
    spec = spec_from_file_location(name, file, loader=loader)
    assert spec is not None
    made = module_from_spec(spec)
    loader.exec_module(made)
    return made
