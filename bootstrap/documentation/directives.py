"""What Sphinx calls for the parts of docs/ that are made from schemas and parsers.

In a page:
    ```{schema} verdict
    ```
    ```{schema} config experiment
    ```
    ```{help} archive
    ```
"""

from typing import Any, ClassVar

import project
import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from documentation.command_help import help_of
from documentation.schema_table import table


class Schema(SphinxDirective):
    """The table of a schema, or of one definition in it."""

    required_arguments: ClassVar[int] = 1
    optional_arguments: ClassVar[int] = 1

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        name, start = (*self.arguments, "")[:2]
        file = project.ROOT / "workflow" / "schemas" / f"{name}.schema.yaml"
        self.env.note_dependency(str(file))
        text = table(yaml.safe_load(file.read_text("utf-8")), start)
        return self.parse_text_to_nodes(text)


class Help(SphinxDirective):
    """What a verb of `./run` prints for `--help`; without an argument, what `./run` prints."""

    optional_arguments: ClassVar[int] = 1

    def run(self) -> list[nodes.Node]:
        """Return it as it is."""
        text = help_of(self.arguments[0] if self.arguments else "")
        return [nodes.literal_block(text, text, language="text")]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register both."""
    app.add_directive("schema", Schema)
    app.add_directive("help", Help)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
