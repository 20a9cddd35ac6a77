"""Whom a letter goes to: a unit at its address, or everybody whom a party of the workflow means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from daemon.desk import Desk
from daemon.model import LetterKind, Unit, UnitKind
from daemon.problems import LetterOrder, Party
from daemon.store import tables


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a letter goes to."""

    unit: Unit | None
    name: str
    to: tuple[str, ...]


TO_NAMES: Mapping[UnitKind, str] = {
    UnitKind.SECRETARY: "书记同志",
    UnitKind.COMMITTEE_OFFICE: "工委办",
    UnitKind.BUREAU_OFFICE: "市教育局办公室",
    UnitKind.COMMITTEE: "市委教育工委",
}


OFFICE_PARTIES: Mapping[Party, UnitKind] = {
    Party.COMMITTEE_OFFICE: UnitKind.COMMITTEE_OFFICE,
    Party.BUREAU_OFFICE: UnitKind.BUREAU_OFFICE,
    Party.SECRETARY: UnitKind.SECRETARY,
}


def recipient(unit: Unit) -> Recipient:
    """A unit at its contact's address; an office at all of its addresses."""
    if unit.kind in TO_NAMES:
        return Recipient(unit, TO_NAMES[unit.kind], unit.addresses)
    return Recipient(unit, unit.name, unit.addresses[:1])


def office(desk: Desk, kind: UnitKind) -> Recipient | None:
    """The office of a kind, if the directory has one."""
    found = next(iter(desk.directory.of_kind(kind)), None)
    return recipient(found) if found else None


def recipients(desk: Desk, row: tables.Problem, order: LetterOrder, party: Party) -> list[Recipient]:
    """Everybody whom a party means for this problem."""
    if party in OFFICE_PARTIES:
        found = office(desk, OFFICE_PARTIES[party])
        return [found] if found else []
    units = [desk.directory.unit(number) for number in _unit_ids(row, order, party)]
    known = [recipient(unit) for unit in units if unit is not None]
    if party in (Party.SCHOOL_HEAD, Party.LEAD_HEAD):
        return [replace(one, to=one.unit.head_addresses) for one in known if one.unit is not None]
    if order.kind is LetterKind.VISIT_INVITATION:
        # To the visit come the heads themselves: section heads and the schools' party secretaries.
        return [replace(one, to=(*one.to, *one.unit.head_addresses)) for one in known if one.unit is not None]
    if party is Party.SENDER and row.mail_id is not None:
        mail = desk.session.get(tables.Mail, row.mail_id)
        sender = (mail.sender,) if mail and mail.sender else ()
        return [replace(one, to=sender or one.to) for one in known]
    return known


def _unit_ids(row: tables.Problem, order: LetterOrder, party: Party) -> Sequence[int | None]:
    match party:
        case Party.SCHOOL | Party.SCHOOL_HEAD | Party.SENDER:
            return (row.unit_id,)
        case Party.LEAD_SECTION | Party.LEAD_HEAD:
            return (row.lead_section_id,)
        case Party.ASSIST_SECTIONS:
            return tuple(order.facts.get("sections", row.assist_section_ids))
        case Party.FORMER_SECTION:
            return (order.facts.get("former_section_id"),)
        case _:
            return ()
