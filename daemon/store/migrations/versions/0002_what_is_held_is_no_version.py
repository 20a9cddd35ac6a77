"""A return that is held takes no version away from those that are filed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

COLUMNS = ["period", "unit_id", "version"]
CONSTRAINT = "uq_statistics_return_period_unit_id_version"
INDEX = "uq_statistics_return_version"


def upgrade() -> None:
    filed = sa.text("state != 'held'")
    with op.batch_alter_table("statistics_return") as table:
        table.drop_constraint(op.f(CONSTRAINT), type_="unique")
        table.create_index(INDEX, COLUMNS, unique=True, sqlite_where=filed, postgresql_where=filed)


def downgrade() -> None:
    # The older program wants every version once, so what was filed and what was held are numbered anew, by age.
    op.execute(
        "UPDATE statistics_return SET version = (SELECT count(*) FROM statistics_return AS older "
        "WHERE older.period = statistics_return.period AND older.unit_id = statistics_return.unit_id "
        "AND older.id <= statistics_return.id) WHERE unit_id IS NOT NULL"
    )
    with op.batch_alter_table("statistics_return") as table:
        table.drop_index(INDEX)
        table.create_unique_constraint(op.f(CONSTRAINT), COLUMNS)
