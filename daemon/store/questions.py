"""Every question that the daemon asks the database, under one roof.

Each is written where its subject is: mails, letters, problems, returns, units, sessions, what was asked,
what is done. Nobody outside of `daemon.store` writes a query.
"""

from __future__ import annotations

from daemon.store.asked import (
    answer_question as answer_question,
)
from daemon.store.asked import (
    open_question_count as open_question_count,
)
from daemon.store.asked import (
    open_questions as open_questions,
)
from daemon.store.asked import (
    open_questions_about as open_questions_about,
)
from daemon.store.asked import (
    question as question,
)
from daemon.store.asked import (
    question_of_letter as question_of_letter,
)
from daemon.store.asked import (
    questions_of_mail as questions_of_mail,
)
from daemon.store.letters import (
    Due as Due,
)
from daemon.store.letters import (
    NewLetter as NewLetter,
)
from daemon.store.letters import (
    add_letters as add_letters,
)
from daemon.store.letters import (
    answers_since as answers_since,
)
from daemon.store.letters import (
    answers_to as answers_to,
)
from daemon.store.letters import (
    cancel_letter as cancel_letter,
)
from daemon.store.letters import (
    claim_deliveries as claim_deliveries,
)
from daemon.store.letters import (
    failed_since as failed_since,
)
from daemon.store.letters import (
    letter as letter,
)
from daemon.store.letters import (
    letter_by_key as letter_by_key,
)
from daemon.store.letters import (
    letter_by_message_ids as letter_by_message_ids,
)
from daemon.store.letters import (
    letter_counts as letter_counts,
)
from daemon.store.letters import (
    letters_about as letters_about,
)
from daemon.store.letters import (
    letters_by_tag as letters_by_tag,
)
from daemon.store.letters import (
    next_due as next_due,
)
from daemon.store.letters import (
    overdue_deliveries as overdue_deliveries,
)
from daemon.store.letters import (
    raw_letter as raw_letter,
)
from daemon.store.letters import (
    record_bounced as record_bounced,
)
from daemon.store.letters import (
    record_failed as record_failed,
)
from daemon.store.letters import (
    record_retry as record_retry,
)
from daemon.store.letters import (
    record_sent as record_sent,
)
from daemon.store.letters import (
    release_claims as release_claims,
)
from daemon.store.letters import (
    sent_since as sent_since,
)
from daemon.store.letters import (
    state_of as state_of,
)
from daemon.store.letters import (
    written_since as written_since,
)
from daemon.store.mails import (
    NewMail as NewMail,
)
from daemon.store.mails import (
    add_filing as add_filing,
)
from daemon.store.mails import (
    add_mails as add_mails,
)
from daemon.store.mails import (
    archived_digests as archived_digests,
)
from daemon.store.mails import (
    begin_handling as begin_handling,
)
from daemon.store.mails import (
    earlier_twin as earlier_twin,
)
from daemon.store.mails import (
    filings_of as filings_of,
)
from daemon.store.mails import (
    folder as folder,
)
from daemon.store.mails import (
    known_uids as known_uids,
)
from daemon.store.mails import (
    known_uidvalidities as known_uidvalidities,
)
from daemon.store.mails import (
    last_poll as last_poll,
)
from daemon.store.mails import (
    mail as mail,
)
from daemon.store.mails import (
    mail_by_message_id as mail_by_message_id,
)
from daemon.store.mails import (
    mail_counts as mail_counts,
)
from daemon.store.mails import (
    mail_with_bytes as mail_with_bytes,
)
from daemon.store.mails import (
    mails_from_since as mails_from_since,
)
from daemon.store.mails import (
    mails_to_move as mails_to_move,
)
from daemon.store.mails import (
    mails_with_ids as mails_with_ids,
)
from daemon.store.mails import (
    mark_moved as mark_moved,
)
from daemon.store.mails import (
    oldest_pending as oldest_pending,
)
from daemon.store.mails import (
    pending_mails as pending_mails,
)
from daemon.store.mails import (
    record_poll as record_poll,
)
from daemon.store.mails import (
    set_filing_outcome as set_filing_outcome,
)
from daemon.store.mails import (
    settle_mail as settle_mail,
)
from daemon.store.memory import (
    do_once as do_once,
)
from daemon.store.memory import (
    done as done,
)
from daemon.store.memory import (
    done_keys as done_keys,
)
from daemon.store.memory import (
    drop_note as drop_note,
)
from daemon.store.memory import (
    note as note,
)
from daemon.store.memory import (
    note_taken_at as note_taken_at,
)
from daemon.store.memory import (
    set_note as set_note,
)
from daemon.store.numbers import (
    code_source as code_source,
)
from daemon.store.numbers import (
    counter_name as counter_name,
)
from daemon.store.numbers import (
    four_letter_code as four_letter_code,
)
from daemon.store.numbers import (
    next_number as next_number,
)
from daemon.store.problems import (
    NewEvent as NewEvent,
)
from daemon.store.problems import (
    NewProblem as NewProblem,
)
from daemon.store.problems import (
    add_events as add_events,
)
from daemon.store.problems import (
    add_problems as add_problems,
)
from daemon.store.problems import (
    apply_changes as apply_changes,
)
from daemon.store.problems import (
    deadlines_between as deadlines_between,
)
from daemon.store.problems import (
    events_of as events_of,
)
from daemon.store.problems import (
    events_of_mail as events_of_mail,
)
from daemon.store.problems import (
    open_problems as open_problems,
)
from daemon.store.problems import (
    problem as problem,
)
from daemon.store.problems import (
    problem_counts as problem_counts,
)
from daemon.store.problems import (
    problem_rows as problem_rows,
)
from daemon.store.problems import (
    problem_value as problem_value,
)
from daemon.store.problems import (
    problems as problems,
)
from daemon.store.problems import (
    problems_of_mail as problems_of_mail,
)
from daemon.store.problems import (
    problems_of_section as problems_of_section,
)
from daemon.store.problems import (
    solved_between as solved_between,
)
from daemon.store.problems import (
    waiting_for_a_session as waiting_for_a_session,
)
from daemon.store.returns import (
    add_return as add_return,
)
from daemon.store.returns import (
    ensure_period as ensure_period,
)
from daemon.store.returns import (
    freeze_period as freeze_period,
)
from daemon.store.returns import (
    latest_return as latest_return,
)
from daemon.store.returns import (
    next_version as next_version,
)
from daemon.store.returns import (
    opened_periods as opened_periods,
)
from daemon.store.returns import (
    period as period,
)
from daemon.store.returns import (
    periods as periods,
)
from daemon.store.returns import (
    return_counts as return_counts,
)
from daemon.store.returns import (
    returns_of as returns_of,
)
from daemon.store.returns import (
    returns_of_mail as returns_of_mail,
)
from daemon.store.returns import (
    returns_of_unit as returns_of_unit,
)
from daemon.store.returns import (
    schools_without_return as schools_without_return,
)
from daemon.store.returns import (
    standing as standing,
)
from daemon.store.returns import (
    supersede as supersede,
)
from daemon.store.sessions import (
    latest_session as latest_session,
)
from daemon.store.sessions import (
    running_sessions as running_sessions,
)
from daemon.store.sessions import (
    session_by_code as session_by_code,
)
from daemon.store.sessions import (
    sessions as sessions,
)
from daemon.store.units import (
    Change as Change,
)
from daemon.store.units import (
    Difference as Difference,
)
from daemon.store.units import (
    apply_directory as apply_directory,
)
from daemon.store.units import (
    bounced_addresses as bounced_addresses,
)
from daemon.store.units import (
    clear_bounce as clear_bounce,
)
from daemon.store.units import (
    difference as difference,
)
from daemon.store.units import (
    learn_address as learn_address,
)
from daemon.store.units import (
    mark_bounced as mark_bounced,
)
from daemon.store.units import (
    remarks as remarks,
)
from daemon.store.units import (
    set_platform_since as set_platform_since,
)
from daemon.store.units import (
    unit as unit,
)
from daemon.store.units import (
    unit_by_address as unit_by_address,
)
from daemon.store.units import (
    unit_by_name as unit_by_name,
)
from daemon.store.units import (
    unit_value as unit_value,
)
from daemon.store.units import (
    units as units,
)
from daemon.store.units import (
    units_by_address as units_by_address,
)
