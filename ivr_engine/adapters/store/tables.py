"""Every table, as SQLAlchemy Core.

Knows names, types and keys. Must not know rules. Money is a BIGINT of minor units (NUMERIC goes through floating point
on SQLite); times are a BIGINT of milliseconds since 1970 in UTC (SQLite has no time type that keeps a zone).
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

metadata: Final = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)
# SQLite numbers rows by itself only in a column of type INTEGER.
_RowNumber = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

bank_customer: Final = sa.Table(
    "bank_customer",
    metadata,
    sa.Column("number", sa.String(32), primary_key=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("language", sa.String(8), nullable=False),
    sa.Column("segment", sa.String(16), nullable=False, server_default="standard"),
    # A day as 1980-05-01; null where the bank does not know it, and of companies.
    sa.Column("born", sa.String(10), nullable=True),
)

# Rates are whole hundred-thousandths, for the reason that money is minor units.
bank_interest_rate: Final = sa.Table(
    "bank_interest_rate",
    metadata,
    sa.Column("product", sa.String(32), primary_key=True),
    sa.Column("term", sa.String(32), primary_key=True),
    sa.Column("percent_hundred_thousandths", sa.BigInteger, nullable=False),
    sa.Column("since", sa.String(10), nullable=False),
)

bank_exchange_rate: Final = sa.Table(
    "bank_exchange_rate",
    metadata,
    sa.Column("currency", sa.String(3), primary_key=True),
    sa.Column("buys_hundred_thousandths", sa.BigInteger, nullable=False),
    sa.Column("sells_hundred_thousandths", sa.BigInteger, nullable=False),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.CheckConstraint("buys_hundred_thousandths > 0", name="buys_above_nought"),
    sa.CheckConstraint("sells_hundred_thousandths > 0", name="sells_above_nought"),
)

bank_caller_list: Final = sa.Table(
    "bank_caller_list",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("caller_number", sa.String(64), primary_key=True),
)

# Where the bank has registered that a customer is written to: a mobile number for `sms`, and so on.
bank_address: Final = sa.Table(
    "bank_address",
    metadata,
    sa.Column("customer_number", sa.ForeignKey("bank_customer.number"), primary_key=True),
    sa.Column("medium", sa.String(8), primary_key=True),
    sa.Column("address", sa.String(200), nullable=False),
)

bank_pin: Final = sa.Table(
    "bank_pin",
    metadata,
    sa.Column("customer_number", sa.ForeignKey("bank_customer.number"), primary_key=True),
    # HMAC-SHA256 under a key that is never in this database.
    sa.Column("verification_value", sa.LargeBinary(32), nullable=False),
)

# No foreign key: attempts at numbers that no customer has are counted alike.
bank_pin_failures: Final = sa.Table(
    "bank_pin_failures",
    metadata,
    sa.Column("customer_number", sa.String(32), primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("last_at_ms", sa.BigInteger, nullable=False),
)

bank_pin_call: Final = sa.Table(
    "bank_pin_call",
    metadata,
    sa.Column("call_id", sa.String(64), primary_key=True),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
)

bank_account: Final = sa.Table(
    "bank_account",
    metadata,
    sa.Column("number", sa.String(32), primary_key=True),
    # Null for the bank's own accounts, whose kind is `house`.
    sa.Column("customer_number", sa.ForeignKey("bank_customer.number"), nullable=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("read_out_order", sa.Integer, nullable=False),
    sa.Column("booked_minor", sa.BigInteger, nullable=False),
    sa.Column("held_minor", sa.BigInteger, nullable=False),
    sa.Column("credit_line_minor", sa.BigInteger, nullable=False),
    sa.CheckConstraint("held_minor >= 0", name="held_not_negative"),
    sa.CheckConstraint("credit_line_minor >= 0", name="credit_line_not_negative"),
    # The last line of defence, should a rule above ever be wrong.
    sa.CheckConstraint("kind = 'house' OR booked_minor + credit_line_minor >= 0", name="not_overdrawn"),
    sa.Index("ix_bank_account_customer", "customer_number", "read_out_order"),
)

# No foreign key to accounts: a rejected posting may name one that does not exist.
bank_posting: Final = sa.Table(
    "bank_posting",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("debit", sa.String(32), nullable=False),
    sa.Column("credit", sa.String(32), nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("text", sa.String(140), nullable=False),
    sa.Column("outcome", sa.String(32), nullable=False),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
)

bank_entry: Final = sa.Table(
    "bank_entry",
    metadata,
    sa.Column("id", _RowNumber, primary_key=True, autoincrement=True),
    sa.Column("posting_id", sa.ForeignKey("bank_posting.id"), nullable=False),
    sa.Column("account_number", sa.ForeignKey("bank_account.number"), nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("balance_after_minor", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("posting_id", "account_number"),
    sa.Index("ix_bank_entry_account", "account_number", "id"),
)

call: Final = sa.Table(
    "call",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("unique_id", sa.String(150), nullable=False),
    sa.Column("engine_id", sa.String(64), nullable=False),
    sa.Column("caller_number", sa.String(64), nullable=False),
    sa.Column("dialled_number", sa.String(64), nullable=False),
    sa.Column("flow", sa.String(200), nullable=False),
    sa.Column("flow_hash", sa.String(64), nullable=False),
    sa.Column("language", sa.String(8), nullable=True),
    sa.Column("customer_number", sa.String(32), nullable=True),
    sa.Column("started_at_ms", sa.BigInteger, nullable=False),
    sa.Column("answered_at_ms", sa.BigInteger, nullable=True),
    sa.Column("ended_at_ms", sa.BigInteger, nullable=True),
    sa.Column("end_reason", sa.String(64), nullable=True),
    sa.Index("ix_call_started", "started_at_ms"),
    sa.Index(
        "ix_call_open",
        "engine_id",
        postgresql_where=sa.text("ended_at_ms IS NULL"),
        sqlite_where=sa.text("ended_at_ms IS NULL"),
    ),
)

# No foreign key: after a long outage a call's first row may have been dropped while its steps were kept.
call_step: Final = sa.Table(
    "call_step",
    metadata,
    sa.Column("call_id", sa.String(64), primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at_ms", sa.Integer, nullable=False),
    sa.Column("flow", sa.String(200), nullable=False),
    sa.Column("step", sa.String(200), nullable=False),
    sa.Column("kind", sa.String(64), nullable=False),
    sa.Column("outcome", sa.String(64), nullable=False),
    sa.Column("took_ms", sa.Integer, nullable=False),
    # What the flow calls it, and one of self_service, human, abandoned_task: whether callers are served is measured.
    sa.Column("milestone", sa.String(64), nullable=True),
    sa.Column("milestone_kind", sa.String(32), nullable=True),
)

# What waits to be sent to customers. The id follows from the call and the content: a repeat is the same message. A
# gateway takes rows that are due with FOR UPDATE SKIP LOCKED. The text is wiped when the message has expired.
outbox_message: Final = sa.Table(
    "outbox_message",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("call_id", sa.String(64), nullable=False),
    sa.Column("customer_number", sa.String(32), nullable=False),
    sa.Column("medium", sa.String(8), nullable=False),
    sa.Column("message", sa.String(60), nullable=False),
    sa.Column("language", sa.String(8), nullable=False),
    sa.Column("address", sa.String(200), nullable=False),
    sa.Column("heading", sa.String(400), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("next_at_ms", sa.BigInteger, nullable=False),
    sa.Column("expires_at_ms", sa.BigInteger, nullable=False),
    sa.Index(
        "ix_outbox_message_due",
        "medium",
        "next_at_ms",
        postgresql_where=sa.text("state = 'waiting'"),
        sqlite_where=sa.text("state = 'waiting'"),
    ),
    sa.Index("ix_outbox_message_call", "call_id"),
    sa.Index("ix_outbox_message_customer", "customer_number", "created_at_ms"),
    sa.Index("ix_outbox_message_expires", "expires_at_ms"),
)

# A one-time code as a keyed value; the key is never in this database. The code itself is in no row but its message's.
step_up_code: Final = sa.Table(
    "step_up_code",
    metadata,
    sa.Column("message_id", sa.String(64), primary_key=True),
    sa.Column("call_id", sa.String(64), nullable=False),
    sa.Column("customer_number", sa.String(32), nullable=False),
    sa.Column("verification_value", sa.LargeBinary(32), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("sent_at_ms", sa.BigInteger, nullable=False),
    sa.Index("ix_step_up_code_call", "call_id", "sent_at_ms"),
    sa.Index("ix_step_up_code_customer", "customer_number", "sent_at_ms"),
)

service_case: Final = sa.Table(
    "service_case",
    metadata,
    sa.Column("number", sa.String(12), primary_key=True),
    sa.Column("id", sa.String(64), nullable=False),
    sa.Column("call_id", sa.String(64), nullable=False),
    sa.Column("customer_number", sa.String(32), nullable=True),
    sa.Column("kind", sa.String(64), nullable=False),
    sa.Column("data", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("opened_at_ms", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("id"),
    sa.Index("ix_service_case_customer", "customer_number", "opened_at_ms"),
)

call_note: Final = sa.Table(
    "call_note",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("call_id", sa.String(64), nullable=False),
    sa.Column("customer_number", sa.String(32), nullable=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("noted_at_ms", sa.BigInteger, nullable=False),
    sa.Index("ix_call_note_call", "call_id"),
    sa.Index("ix_call_note_customer", "customer_number", "noted_at_ms"),
)

# What an agent sees of a call that is offered; wiped after a time that is set.
call_screen: Final = sa.Table(
    "call_screen",
    metadata,
    sa.Column("call_id", sa.String(64), primary_key=True),
    sa.Column("customer_number", sa.String(32), nullable=True),
    sa.Column("data", sa.Text, nullable=False),
    sa.Column("shown_at_ms", sa.BigInteger, nullable=False),
    sa.Index("ix_call_screen_shown", "shown_at_ms"),
)

# A voice message: what was said is a file of this id; who called may have shown any number, or none.
voice_message: Final = sa.Table(
    "voice_message",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("call_id", sa.String(64), nullable=False),
    sa.Column("box", sa.String(64), nullable=False),
    sa.Column("caller_number", sa.String(64), nullable=False),
    sa.Column("customer_number", sa.String(32), nullable=True),
    sa.Column("milliseconds", sa.Integer, nullable=False),
    sa.Column("recorded_at_ms", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("done_at_ms", sa.BigInteger, nullable=True),
    sa.Index("ix_voice_message_state", "state", "recorded_at_ms"),
)

callback_request: Final = sa.Table(
    "callback_request",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("call_id", sa.String(64), nullable=False),
    sa.Column("queue", sa.String(64), nullable=False),
    sa.Column("number", sa.String(32), nullable=False),
    sa.Column("customer_number", sa.String(32), nullable=True),
    sa.Column("asked_at_ms", sa.BigInteger, nullable=False),
    # The place that is kept: when the caller had entered the queue, or asked.
    sa.Column("queued_at_ms", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("done_at_ms", sa.BigInteger, nullable=True),
    # One open wish for one number, whichever engine notes it.
    sa.Index(
        "ix_callback_request_waiting",
        "number",
        unique=True,
        postgresql_where=sa.text("state = 'waiting'"),
        sqlite_where=sa.text("state = 'waiting'"),
    ),
    sa.Index("ix_callback_request_state", "state", "queued_at_ms"),
)

survey_answer: Final = sa.Table(
    "survey_answer",
    metadata,
    sa.Column("call_id", sa.String(64), primary_key=True),
    sa.Column("question", sa.String(64), primary_key=True),
    sa.Column("answer", sa.BigInteger, nullable=False),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
)
