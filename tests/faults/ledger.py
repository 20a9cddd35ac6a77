"""What must be true when all is done: every mail one fate, every answer once."""

from __future__ import annotations

from collections import Counter

from tests.faults.running import Running
from tests.journeys.test_main_job import report
from tests.journeys.town import Town, directory, school_address


def mail_reports(town: Town, number: int, first: int = 0, schools: int = 20) -> list[str]:
    """Reports in the mailbox, each of another problem, by turns of the schools; their Message-IDs."""
    units = directory(town.schools)
    found = []
    for index in range(first, first + number):
        school = index % schools
        form = report(
            units[school].name, problem=f"难点{index}", details=f"第{index}号：{'急' * (index + 1)}"
        )
        raw = town.write(school_address(school), f"报送第{index}号", "请查收附件。", [form])
        found.append(_message_id(raw))
    return found


def _message_id(raw: bytes) -> str:
    line = next(line for line in raw.splitlines() if line.lower().startswith(b"message-id:"))
    return line.partition(b":")[2].strip().decode()


def all_done(town: Town, mails: int) -> bool:
    """Whether so many mails have their fate and every letter is sent."""
    rows = town.rows("mail")
    return (
        len(rows) >= mails
        and all(row["disposition"] != "pending" for row in rows)
        and all(letter["state"] == "sent" for letter in town.rows("letters"))
    )


def wait_until_done(running: Running, mails: int, seconds: float = 60) -> None:
    running.wait_until(lambda: all_done(running.town, mails), seconds, f"{mails} mails handled and answered")


def repeats(town: Town, answered: list[str], schools: int = 20) -> int:
    """How many letters came twice; AssertionError: a mail was not answered, or by two different letters."""
    letters = [letter for school in range(schools) for letter in town.letters_to(school_address(school))]
    copies = Counter(str(letter["Message-ID"]) for letter in letters)
    answers: dict[str, set[str]] = {}
    for letter in letters:
        answers.setdefault(str(letter["In-Reply-To"]), set()).add(str(letter["Message-ID"]))
    wrong = {mail: answers.get(mail, set()) for mail in answered if len(answers.get(mail, ())) != 1}
    assert not wrong, wrong
    return sum(copies.values()) - len(copies)


def each_filed_once(town: Town, number: int) -> None:
    """Every mail one row and one problem, no number given twice."""
    mails, problems = town.rows("mail"), town.rows("problems")
    fates = Counter(row["disposition"] for row in mails)
    assert fates == {"filed": number}, [row for row in mails if row["disposition"] != "filed"]
    assert len(problems) == len({row["number"] for row in problems}) == number
    assert len({row["problem"] for row in problems}) == number
