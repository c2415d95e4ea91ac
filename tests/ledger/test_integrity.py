"""What `state check` looks at covers the whole schema."""

from __future__ import annotations

from batchscan.ledger import Ledger
from batchscan.ledger.columns import COLUMNS
from tests.support.inside import connection_of
from tests.support.ledgers import REAL


def test_every_column_is_looked_at(tmp_path):
    ledger = Ledger.open(tmp_path, REAL)
    rows = (
        connection_of(ledger)
        .execute(
            "SELECT m.name, c.name, c.type FROM sqlite_master m, pragma_table_info(m.name) c"
            " WHERE m.type = 'table'"
        )
        .fetchall()
    )
    ledger.close()
    known = {
        (table, name, "REAL" if kind == "TIME" else kind)
        for table, columns in COLUMNS.items()
        for kind, names in columns.items()
        for name in names.split()
    }

    assert known == set(rows)
