"""Sending: on a real server, and on one that answers whatever a server may answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage

import pytest

from daemon.connection import Security
from daemon.sender import (
    Deferred,
    Outcome,
    Refused,
    Sender,
    SenderSettings,
    Sent,
    Stage,
    Uncertain,
    check,
    meaning,
)
from tests.servers.mailstack import OFFICE, MailStack
from tests.servers.scripted_smtp import Act, ScriptedSmtp

SCHOOL = "office@school.test"


def letter(text: str = "收到。\n", subject: str = "回执") -> bytes:
    message = EmailMessage()
    message["From"] = OFFICE
    message["To"] = SCHOOL
    message["Subject"] = subject
    message["Message-ID"] = "<1@djb>"
    message.set_content(text)
    return message.as_bytes()


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
def test_a_letter_arrives_as_it_was_written(
    mail_stack: MailStack, sender_settings: SenderSettings, security: Security
) -> None:
    port = mail_stack.smtps_port if security is Security.TLS else mail_stack.submission_port
    mail_stack.add_person(SCHOOL)
    raw = b"Message-ID: <1@djb>\nSubject: dots\n\n.\n..two\nlast"
    with Sender(replace(sender_settings, port=port, security=security)) as sender:
        assert isinstance(sender.send(raw, SCHOOL), Sent)
        assert isinstance(sender.send(letter(), SCHOOL), Sent)
    arrived = [mail.replace(b"\r\n", b"\n") for mail in mail_stack.wait_for(SCHOOL, 2)]
    assert any(mail.endswith(raw + b"\n") for mail in arrived)


def test_an_address_that_does_not_exist_fails_that_letter_only(
    mail_stack: MailStack, sender_settings: SenderSettings
) -> None:
    mail_stack.add_person(SCHOOL)
    with Sender(sender_settings) as sender:
        outcome = sender.send(letter(), "nobody@school.test")
        assert isinstance(outcome, Refused)
        assert outcome.code == 550
        assert isinstance(sender.send(letter(), SCHOOL), Sent)


def test_a_wrong_password_stops_all_sending_and_is_explained(
    mail_stack: MailStack, sender_settings: SenderSettings
) -> None:
    with Sender(replace(sender_settings, password="wrong")) as sender:
        outcome = sender.send(letter(), SCHOOL)
    assert isinstance(outcome, Deferred)
    assert (outcome.code, outcome.everything, outcome.tell) == (535, True, True)
    assert outcome.remedy is not None
    assert "password_file" in outcome.remedy
    (step,) = check(replace(sender_settings, password="wrong"))
    assert (step.ok, step.remedy) == (False, outcome.remedy)
    (step,) = check(sender_settings)
    assert step.ok


def test_a_password_that_smtp_cannot_say_is_explained(scripted_settings: SenderSettings) -> None:
    with Sender(replace(scripted_settings, password="密码")) as sender:
        outcome = sender.send(letter(), SCHOOL)
    assert isinstance(outcome, Deferred)
    assert "非 ASCII" in outcome.text


def test_a_server_that_nobody_vouches_for_gets_no_password(
    mail_stack: MailStack, sender_settings: SenderSettings
) -> None:
    for port, security in (
        (mail_stack.smtps_port, Security.TLS),
        (mail_stack.submission_port, Security.STARTTLS),
    ):
        with Sender(replace(sender_settings, port=port, security=security, ca_file=None)) as sender:
            outcome = sender.send(letter(), SCHOOL)
        assert isinstance(outcome, Deferred)
        assert outcome.tell
        assert "证书未通过验证" in outcome.text


def test_many_letters_go_over_one_connection_until_it_has_carried_enough(
    scripted_smtp: ScriptedSmtp, scripted_settings: SenderSettings
) -> None:
    with Sender(replace(scripted_settings, letters_per_connection=3)) as sender:
        outcomes = [sender.send(letter(), SCHOOL) for _ in range(7)]
    assert all(isinstance(outcome, Sent) for outcome in outcomes)
    assert len(scripted_smtp.taken) == 7
    assert scripted_smtp.accepted == 3


def test_letters_are_spaced(scripted_settings: SenderSettings) -> None:
    slept: list[float] = []
    time = [100.0]

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        time[0] += seconds

    with Sender(replace(scripted_settings, seconds_between=2), sleep=sleep, clock=lambda: time[0]) as sender:
        for pause in (0.0, 0.5, 5.0):
            time[0] += pause
            sender.send(letter(), SCHOOL)
    assert slept == [1.5]


SAID = [
    # step, answer, outcome, properties
    ("CONNECT", "421 HL:ICC too many connections", Deferred, {"everything": True, "minutes": 5}),
    ("CONNECT", "554 DT:IP blocked", Deferred, {"everything": True, "tell": True}),
    ("MAIL", "421 HL:IFC frequency", Deferred, {"everything": True, "minutes": 5}),
    ("MAIL", "550 User has no permission", Deferred, {"everything": True, "tell": True}),
    ("MAIL", "553 Mail from must equal authorized user", Deferred, {"everything": True, "tell": True}),
    ("MAIL", "451 MI:SFQ quota", Deferred, {"everything": True, "minutes": 15}),
    ("RCPT", "450 MI:SFQ quota", Deferred, {"everything": True, "minutes": 15}),
    ("RCPT", "450 4.2.0 greylisted", Deferred, {"everything": False}),
    ("RCPT", "550 5.1.1 no such user", Refused, {}),
    ("RCPT", "554 MI:STC too many today", Deferred, {"everything": True, "tomorrow": True, "tell": True}),
    ("DATA", "451 4.3.0 later", Deferred, {"everything": False}),
    ("FINAL", "451 DT:SPM try again", Deferred, {"everything": False, "minutes": 2}),
    ("FINAL", "554 DT:SPM spam", Refused, {"pause": 60}),
    ("FINAL", "554 DT:SUM sender and From differ", Deferred, {"everything": True, "tell": True}),
    ("FINAL", "552 5.3.4 too big", Refused, {}),
    ("FINAL", "452 4.3.1 disk full", Deferred, {"everything": False}),
]


@pytest.mark.parametrize(
    ("step", "answer", "kind", "properties"), SAID, ids=[f"{s}-{a[:12]}" for s, a, _, _ in SAID]
)
def test_every_answer_of_a_server_is_read_for_what_to_do_next(
    scripted_smtp: ScriptedSmtp,
    scripted_sender: Sender,
    step: str,
    answer: str,
    kind: type[Outcome],
    properties: dict[str, int],
) -> None:
    scripted_smtp.script.next(step, answer)
    outcome = scripted_sender.send(letter(), SCHOOL)
    assert isinstance(outcome, kind)
    assert not isinstance(outcome, Sent | Uncertain)
    assert outcome.code == int(answer[:3])
    if isinstance(outcome, Refused):
        assert outcome.pause == (timedelta(minutes=properties["pause"]) if "pause" in properties else None)
    else:
        assert outcome.everything is properties["everything"]
        assert outcome.tell is properties.get("tell", False)
        assert outcome.tomorrow is properties.get("tomorrow", False)
        assert "minutes" not in properties or outcome.retry_after == timedelta(minutes=properties["minutes"])
    assert scripted_smtp.taken == []
    assert isinstance(scripted_sender.send(letter(), SCHOOL), Sent)
    assert len(scripted_smtp.taken) == 1


def test_too_many_letters_on_a_connection_are_mended_by_a_new_one(
    scripted_smtp: ScriptedSmtp, scripted_sender: Sender
) -> None:
    scripted_sender.send(letter(), SCHOOL)
    scripted_smtp.script.next("MAIL", "450 MI:DMC too many mails per connection")
    assert isinstance(scripted_sender.send(letter(), SCHOOL), Sent)
    assert scripted_smtp.accepted == 2
    scripted_smtp.script.next("RCPT", *["451 MI:DMC too many"] * 2)
    assert isinstance(scripted_sender.send(letter(), SCHOOL), Deferred)


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
def test_a_connection_that_had_died_meanwhile_is_made_anew(
    scripted_smtp: ScriptedSmtp, scripted_sender: Sender, step: str
) -> None:
    scripted_sender.send(letter(), SCHOOL)
    scripted_smtp.script.next(step, Act.DROP)
    assert isinstance(scripted_sender.send(letter(), SCHOOL), Sent)
    assert len(scripted_smtp.taken) == 2


@pytest.mark.parametrize("step", ["CONNECT", "EHLO", "AUTH", "MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("act", [Act.DROP, Act.HANG])
def test_a_drop_before_the_letter_is_out_leaves_it_surely_unsent(
    scripted_smtp: ScriptedSmtp, scripted_sender: Sender, step: str, act: Act
) -> None:
    scripted_smtp.script.next(step, act)
    outcome = scripted_sender.send(letter(), SCHOOL)
    assert isinstance(outcome, Deferred)
    assert outcome.everything
    assert isinstance(scripted_sender.send(letter(), SCHOOL), Sent)
    assert len(scripted_smtp.taken) == 1


@pytest.mark.parametrize(("act", "taken"), [(Act.DROP, 0), (Act.TAKE_AND_DROP, 1), (Act.HANG, 0)])
def test_a_drop_after_the_final_dot_is_said_to_be_uncertain(
    scripted_smtp: ScriptedSmtp, scripted_sender: Sender, act: Act, taken: int
) -> None:
    scripted_smtp.script.next("FINAL", act)
    assert isinstance(scripted_sender.send(letter(), SCHOOL), Uncertain)
    assert len(scripted_smtp.taken) == taken


def test_an_answer_that_is_none_is_uncertain_at_the_end_only(
    scripted_smtp: ScriptedSmtp, scripted_sender: Sender
) -> None:
    scripted_smtp.script.next("FINAL", "HTTP/1.1 200 OK")
    assert isinstance(scripted_sender.send(letter(), SCHOOL), Uncertain)
    scripted_smtp.script.next("MAIL", "HTTP/1.1 200 OK")
    assert isinstance(scripted_sender.send(letter(), SCHOOL), Deferred)


@pytest.mark.parametrize(
    ("extensions", "raw", "recipient", "options"),
    [
        (("8BITMIME", "SMTPUTF8"), "Subject: a\n\n中文\n", SCHOOL, "BODY=8BITMIME"),
        (("8BITMIME", "SMTPUTF8"), "Subject: 中文\n\na\n", SCHOOL, "SMTPUTF8 BODY=8BITMIME"),
        (("SIZE 1000",), "Subject: a\n\nb\n", SCHOOL, "SIZE=17"),
        (("SIZE 1000",), f"Subject: a\n\n{'b' * 2000}\n", SCHOOL, None),
        ((), "Subject: 中文\n\na\n", SCHOOL, None),
        ((), "Subject: a\n\nb\n", "校办@school.test", None),
        ((), "Subject: a\n\nb\n", "a@b\r\nRCPT TO:<c@d>", None),
        ((), "Subject: a\n\nb\n", "nobody", None),
    ],
)
def test_a_letter_is_given_as_the_server_can_take_it_or_not_at_all(
    scripted_smtp: ScriptedSmtp,
    scripted_sender: Sender,
    extensions: tuple[str, ...],
    raw: str,
    recipient: str,
    options: str | None,
) -> None:
    scripted_smtp.extensions = extensions
    outcome = scripted_sender.send(raw.encode(), recipient)
    if options is None:
        assert isinstance(outcome, Refused)
        assert scripted_smtp.taken == []
    else:
        (taken,) = scripted_smtp.taken
        assert (taken.options, taken.recipients) == (options, (recipient,))


def test_a_server_without_8bitmime_gets_seven_bits(
    scripted_smtp: ScriptedSmtp, scripted_sender: Sender
) -> None:
    scripted_smtp.extensions = ()
    raw = "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n中文\n"
    assert isinstance(scripted_sender.send(raw.encode(), SCHOOL), Sent)
    assert scripted_smtp.taken[0].raw.isascii()
    assert b"base64" in scripted_smtp.taken[0].raw


def test_a_user_name_is_said_as_it_stands(
    scripted_smtp: ScriptedSmtp, scripted_settings: SenderSettings
) -> None:
    with Sender(replace(scripted_settings, username="djb")) as sender:
        assert isinstance(sender.send(letter(), SCHOOL), Sent)
    assert not any("gmail" in command for command in scripted_smtp.commands)
    assert scripted_smtp.taken[0].sender == OFFICE


def test_no_connection_is_left_behind(
    scripted_smtp: ScriptedSmtp,
    scripted_settings: SenderSettings,
    settle: Callable[[Callable[[], object]], None],
) -> None:
    for act in (Act.DROP, Act.TAKE_AND_DROP):
        scripted_smtp.script.next("FINAL", act)
    scripted_smtp.script.next("AUTH", "454 4.7.0 later")
    with Sender(scripted_settings) as sender:
        for _ in range(6):
            sender.send(letter(), SCHOOL)
        assert scripted_smtp.open_connections <= 1
    settle(lambda: scripted_smtp.open_connections == 0)


def test_login_trouble_on_163_is_explained_with_the_authorisation_code() -> None:
    outcome, _ = meaning(Stage.LOGIN, 535, "Error: authentication failed", "授权码……")
    assert isinstance(outcome, Deferred)
    assert outcome.remedy == "授权码……"
