"""What the templates use is what docs/engine.md says of them, no more and no less."""

import json

from local.closed_set import FILE
from scripts.engine_doc import plain
from scripts.template_uses import uses_of
from tests.infrastructure.world import Assembly


def test_the_templates_use_what_the_document_lists(assembly: Assembly, production: Assembly) -> None:
    used = plain(uses_of([*assembly.templates.values(), *production.templates.values()]))
    assert used == json.loads(FILE.read_bytes())["templates"], "run `python -m scripts.engine_doc`"
