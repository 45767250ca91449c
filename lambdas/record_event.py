"""One entry for the ledger -> its number: the only writer, called synchronously by all other functions."""

from typing import Any

from lambdas import wiring
from lambdas.observability import note
from lifecycle.ledger import Entry
from lifecycle.settings import RecordEvent


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Write the entry, or find it written."""
    entry = Entry.from_plain(event)
    number, new = wiring.ledger_table(wiring.settings(RecordEvent).ledger_table).append(entry)
    note("ledger entry", subject=entry.subject, kind=entry.kind, number=number, new=new)
    return {"number": number, "new": new}
