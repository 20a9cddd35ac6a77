"""The first tables, and the guards that make the history append-only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = "event is append-only"
GUARDS = {
    "sqlite": (
        f"CREATE TRIGGER event_no_update BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, '{APPEND_ONLY}'); END",
        f"CREATE TRIGGER event_no_delete BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, '{APPEND_ONLY}'); END",
    ),
    "postgresql": (
        f"CREATE FUNCTION event_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{APPEND_ONLY}'; END $$",
        "CREATE TRIGGER event_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON event "
        "FOR EACH STATEMENT EXECUTE FUNCTION event_refuse()",
    ),
}
UNGUARDS = {
    "sqlite": ("DROP TRIGGER event_no_update", "DROP TRIGGER event_no_delete"),
    "postgresql": ("DROP TRIGGER event_no_change ON event", "DROP FUNCTION event_refuse()"),
}


def upgrade() -> None:
    op.create_table(
        "counter",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counter")),
    )
    op.create_table(
        "done",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_done")),
    )
    op.create_table(
        "folder",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=False),
        sa.Column("last_uid", sa.BigInteger(), nullable=False),
        sa.Column("polled_at", sa.DateTime(), nullable=True),
        sa.Column("swept_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_folder")),
        sa.UniqueConstraint("name", "uidvalidity", name=op.f("uq_folder_name_uidvalidity")),
    )
    op.create_table(
        "note",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_note")),
    )
    op.create_table(
        "period",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("opened_at", sa.DateTime(), nullable=True),
        sa.Column("frozen_at", sa.DateTime(), nullable=True),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_period")),
        sa.UniqueConstraint("code", name=op.f("uq_period_code")),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("choice", sa.JSON(), nullable=False),
        sa.Column("on_site_date", sa.Date(), nullable=True),
        sa.Column("list_numbers", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
        sa.UniqueConstraint("code", name=op.f("uq_session_code")),
    )
    op.create_table(
        "unit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("short_names", sa.JSON(), nullable=False),
        sa.Column("head", sa.Text(), nullable=True),
        sa.Column("contact", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("remarks", sa.Text(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("platform_since", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit")),
        sa.UniqueConstraint("kind", "name", name=op.f("uq_unit_kind_name")),
    )
    op.create_table(
        "address",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("bounced_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_address_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address")),
        sa.UniqueConstraint("unit_id", "email", "role", name=op.f("uq_address_unit_id_email_role")),
    )
    with op.batch_alter_table("address") as table:
        table.create_index(op.f("ix_address_email"), ["email"], unique=False)
        table.create_index(op.f("ix_address_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "mail",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("content_key", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.DateTime(), nullable=False),
        sa.Column("fetched_at", sa.DateTime(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("disposition", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("handled_at", sa.DateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.Column("moved", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_mail_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail")),
        sa.UniqueConstraint("folder", "uidvalidity", "uid", name=op.f("uq_mail_folder_uidvalidity_uid")),
    )
    with op.batch_alter_table("mail") as table:
        table.create_index(op.f("ix_mail_content_key"), ["content_key"], unique=False)
        table.create_index("ix_mail_disposition_id", ["disposition", "id"], unique=False)
        table.create_index(op.f("ix_mail_message_id"), ["message_id"], unique=False)
        table.create_index("ix_mail_sender_received_at", ["sender", "received_at"], unique=False)
        table.create_index(op.f("ix_mail_sha256"), ["sha256"], unique=False)
        table.create_index(op.f("ix_mail_unit_id"), ["unit_id"], unique=False)
        table.create_index(
            "ix_mail_unmoved",
            ["folder", "id"],
            unique=False,
            sqlite_where=sa.text("NOT moved"),
            postgresql_where=sa.text("NOT moved"),
        )

    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("from_state", sa.Text(), nullable=True),
        sa.Column("to_state", sa.Text(), nullable=True),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("mail_id", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["mail_id"], ["mail.id"], name=op.f("fk_event_mail_id_mail")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    with op.batch_alter_table("event") as table:
        table.create_index("ix_event_about_id", ["about", "id"], unique=False)
        table.create_index(op.f("ix_event_mail_id"), ["mail_id"], unique=False)

    op.create_table(
        "filing",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mail_id", sa.Integer(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime(), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("document_name", sa.Text(), nullable=True),
        sa.Column("document", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["mail_id"], ["mail.id"], name=op.f("fk_filing_mail_id_mail")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_filing_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filing")),
    )
    with op.batch_alter_table("filing") as table:
        table.create_index(op.f("ix_filing_mail_id"), ["mail_id"], unique=False)
        table.create_index(op.f("ix_filing_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "letter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("to", sa.JSON(), nullable=False),
        sa.Column("cc", sa.JSON(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("in_reply_to", sa.Text(), nullable=True),
        sa.Column("mail_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("sent_at", sa.DateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("context", sa.JSON(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["mail_id"], ["mail.id"], name=op.f("fk_letter_mail_id_mail")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_letter_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter")),
        sa.UniqueConstraint("key", name=op.f("uq_letter_key")),
        sa.UniqueConstraint("message_id", name=op.f("uq_letter_message_id")),
    )
    with op.batch_alter_table("letter") as table:
        table.create_index(op.f("ix_letter_created_at"), ["created_at"], unique=False)
        table.create_index(op.f("ix_letter_kind"), ["kind"], unique=False)
        table.create_index(op.f("ix_letter_mail_id"), ["mail_id"], unique=False)
        table.create_index("ix_letter_state_due_at", ["state", "due_at"], unique=False)
        table.create_index(op.f("ix_letter_tag"), ["tag"], unique=False)
        table.create_index(op.f("ix_letter_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("letter_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(), nullable=False),
        sa.Column("sent_at", sa.DateTime(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["letter_id"], ["letter.id"], name=op.f("fk_delivery_letter_id_letter")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("letter_id", "address", name=op.f("uq_delivery_letter_id_address")),
    )
    with op.batch_alter_table("delivery") as table:
        table.create_index("ix_delivery_address_sent_at", ["address", "sent_at"], unique=False)
        table.create_index(op.f("ix_delivery_sent_at"), ["sent_at"], unique=False)
        table.create_index("ix_delivery_state_next_at", ["state", "next_at"], unique=False)

    op.create_table(
        "mention",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("letter_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["letter_id"], ["letter.id"], name=op.f("fk_mention_letter_id_letter")),
        sa.PrimaryKeyConstraint("number", "letter_id", name=op.f("pk_mention")),
    )
    op.create_table(
        "problem",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("state_since", sa.DateTime(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("reporting_unit", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("levels", sa.JSON(), nullable=False),
        sa.Column("sections_asked", sa.JSON(), nullable=False),
        sa.Column("remarks", sa.Text(), nullable=True),
        sa.Column("received_at", sa.DateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("mail_id", sa.Integer(), nullable=True),
        sa.Column("filing_id", sa.Integer(), nullable=True),
        sa.Column("item", sa.Integer(), nullable=False),
        sa.Column("lead_section_id", sa.Integer(), nullable=True),
        sa.Column("assist_section_ids", sa.JSON(), nullable=False),
        sa.Column("deadline", sa.Date(), nullable=True),
        sa.Column("session", sa.Text(), nullable=True),
        sa.Column("merged_into", sa.Text(), nullable=True),
        sa.Column("instruction", sa.Text(), nullable=True),
        sa.Column("handling", sa.JSON(), nullable=False),
        sa.Column("on_site_outcome", sa.Text(), nullable=True),
        sa.Column("on_site_date", sa.Date(), nullable=True),
        sa.Column("office_agreed", sa.Boolean(), nullable=False),
        sa.Column("satisfaction", sa.Text(), nullable=True),
        sa.Column("last_progress_at", sa.DateTime(), nullable=True),
        sa.Column("closed_at", sa.DateTime(), nullable=True),
        sa.Column("similar", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["filing_id"], ["filing.id"], name=op.f("fk_problem_filing_id_filing")),
        sa.ForeignKeyConstraint(
            ["lead_section_id"], ["unit.id"], name=op.f("fk_problem_lead_section_id_unit")
        ),
        sa.ForeignKeyConstraint(["mail_id"], ["mail.id"], name=op.f("fk_problem_mail_id_mail")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_problem_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_problem")),
        sa.UniqueConstraint("number", name=op.f("uq_problem_number")),
    )
    with op.batch_alter_table("problem") as table:
        table.create_index(op.f("ix_problem_lead_section_id"), ["lead_section_id"], unique=False)
        table.create_index(op.f("ix_problem_mail_id"), ["mail_id"], unique=False)
        table.create_index(op.f("ix_problem_session"), ["session"], unique=False)
        table.create_index(op.f("ix_problem_state"), ["state"], unique=False)
        table.create_index(op.f("ix_problem_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "question",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("suggestion", sa.Text(), nullable=True),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("mail_id", sa.Integer(), nullable=True),
        sa.Column("letter_id", sa.Integer(), nullable=True),
        sa.Column("answered_at", sa.DateTime(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["letter_id"], ["letter.id"], name=op.f("fk_question_letter_id_letter")),
        sa.ForeignKeyConstraint(["mail_id"], ["mail.id"], name=op.f("fk_question_mail_id_mail")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question")),
    )
    with op.batch_alter_table("question") as table:
        table.create_index(op.f("ix_question_about"), ["about"], unique=False)
        table.create_index(op.f("ix_question_letter_id"), ["letter_id"], unique=False)
        table.create_index(op.f("ix_question_mail_id"), ["mail_id"], unique=False)
        table.create_index(
            "ix_question_open",
            ["id"],
            unique=False,
            sqlite_where=sa.text("answered_at IS NULL"),
            postgresql_where=sa.text("answered_at IS NULL"),
        )

    op.create_table(
        "statistics_return",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("unit_name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("superseded", sa.Boolean(), nullable=False),
        sa.Column("received_at", sa.DateTime(), nullable=False),
        sa.Column("reported_on", sa.Date(), nullable=True),
        sa.Column("contact_name", sa.Text(), nullable=True),
        sa.Column("contact_phone", sa.Text(), nullable=True),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=True),
        sa.Column("mail_id", sa.Integer(), nullable=True),
        sa.Column("filing_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["filing_id"], ["filing.id"], name=op.f("fk_statistics_return_filing_id_filing")
        ),
        sa.ForeignKeyConstraint(["mail_id"], ["mail.id"], name=op.f("fk_statistics_return_mail_id_mail")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_statistics_return_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statistics_return")),
        sa.UniqueConstraint(
            "period", "unit_id", "version", name=op.f("uq_statistics_return_period_unit_id_version")
        ),
    )
    with op.batch_alter_table("statistics_return") as table:
        table.create_index(op.f("ix_statistics_return_mail_id"), ["mail_id"], unique=False)
        table.create_index(op.f("ix_statistics_return_period"), ["period"], unique=False)
        table.create_index(op.f("ix_statistics_return_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "measure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("problem_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("deadline", sa.Date(), nullable=True),
        sa.Column("completion", sa.Text(), nullable=True),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["problem_id"], ["problem.id"], name=op.f("fk_measure_problem_id_problem")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measure")),
    )
    with op.batch_alter_table("measure") as table:
        table.create_index(op.f("ix_measure_problem_id"), ["problem_id"], unique=False)
    for statement in GUARDS[op.get_context().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    for statement in UNGUARDS[op.get_context().dialect.name]:
        op.execute(statement)
    with op.batch_alter_table("measure") as table:
        table.drop_index(op.f("ix_measure_problem_id"))

    op.drop_table("measure")
    with op.batch_alter_table("statistics_return") as table:
        table.drop_index(op.f("ix_statistics_return_unit_id"))
        table.drop_index(op.f("ix_statistics_return_period"))
        table.drop_index(op.f("ix_statistics_return_mail_id"))

    op.drop_table("statistics_return")
    with op.batch_alter_table("question") as table:
        table.drop_index(
            "ix_question_open",
            sqlite_where=sa.text("answered_at IS NULL"),
            postgresql_where=sa.text("answered_at IS NULL"),
        )
        table.drop_index(op.f("ix_question_mail_id"))
        table.drop_index(op.f("ix_question_letter_id"))
        table.drop_index(op.f("ix_question_about"))

    op.drop_table("question")
    with op.batch_alter_table("problem") as table:
        table.drop_index(op.f("ix_problem_unit_id"))
        table.drop_index(op.f("ix_problem_state"))
        table.drop_index(op.f("ix_problem_session"))
        table.drop_index(op.f("ix_problem_mail_id"))
        table.drop_index(op.f("ix_problem_lead_section_id"))

    op.drop_table("problem")
    op.drop_table("mention")
    with op.batch_alter_table("delivery") as table:
        table.drop_index("ix_delivery_state_next_at")
        table.drop_index(op.f("ix_delivery_sent_at"))
        table.drop_index("ix_delivery_address_sent_at")

    op.drop_table("delivery")
    with op.batch_alter_table("letter") as table:
        table.drop_index(op.f("ix_letter_unit_id"))
        table.drop_index(op.f("ix_letter_tag"))
        table.drop_index("ix_letter_state_due_at")
        table.drop_index(op.f("ix_letter_mail_id"))
        table.drop_index(op.f("ix_letter_kind"))
        table.drop_index(op.f("ix_letter_created_at"))

    op.drop_table("letter")
    with op.batch_alter_table("filing") as table:
        table.drop_index(op.f("ix_filing_unit_id"))
        table.drop_index(op.f("ix_filing_mail_id"))

    op.drop_table("filing")
    with op.batch_alter_table("event") as table:
        table.drop_index(op.f("ix_event_mail_id"))
        table.drop_index("ix_event_about_id")

    op.drop_table("event")
    with op.batch_alter_table("mail") as table:
        table.drop_index(
            "ix_mail_unmoved", sqlite_where=sa.text("NOT moved"), postgresql_where=sa.text("NOT moved")
        )
        table.drop_index(op.f("ix_mail_unit_id"))
        table.drop_index(op.f("ix_mail_sha256"))
        table.drop_index("ix_mail_sender_received_at")
        table.drop_index(op.f("ix_mail_message_id"))
        table.drop_index("ix_mail_disposition_id")
        table.drop_index(op.f("ix_mail_content_key"))

    op.drop_table("mail")
    with op.batch_alter_table("address") as table:
        table.drop_index(op.f("ix_address_unit_id"))
        table.drop_index(op.f("ix_address_email"))

    op.drop_table("address")
    op.drop_table("unit")
    op.drop_table("session")
    op.drop_table("period")
    op.drop_table("note")
    op.drop_table("folder")
    op.drop_table("done")
    op.drop_table("counter")
