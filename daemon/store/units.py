"""Questions about the directory, and the one way in which a directory workbook is taken over: whole.

A unit is known by its kind and name. One that left the directory becomes inactive and keeps its history;
addresses that the office confirmed (`learned`) stay through every import.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from daemon import model
from daemon.model import UnitKind
from daemon.store.statements import insert_into, rows_changed, table_of
from daemon.store.tables import Address, Counter, Unit

AS_UNIT: Final = "unit"
AS_HEAD: Final = "head"
LEARNED: Final = "learned"
_VERSION: Final = "directory"
"""The counter of the directory's changes."""


def unit_value(row: Unit) -> model.Unit:
    """The unit as the rules see it."""
    return model.Unit(
        id=row.id,
        kind=UnitKind(row.kind),
        name=row.name,
        short_names=tuple(row.short_names),
        head=row.head,
        head_addresses=_addresses(row, AS_HEAD),
        contact=row.contact,
        phone=row.phone,
        addresses=_addresses(row, AS_UNIT),
        learned_addresses=_addresses(row, LEARNED),
        order=row.position,
    )


def _addresses(row: Unit, role: str) -> tuple[str, ...]:
    return tuple(address.email for address in row.addresses if address.role == role)


def units(session: Session, *, inactive: bool = False) -> list[model.Unit]:
    """The units of the directory in its order; with `inactive`, also those that left it."""
    return [unit_value(row) for row in _rows(session, inactive=inactive)]


def _rows(session: Session, *, inactive: bool) -> list[Unit]:
    found = select(Unit) if inactive else select(Unit).where(Unit.active)
    return list(session.scalars(found.order_by(Unit.position, Unit.id)))


def unit(session: Session, unit_id: int) -> Unit | None:
    """The row of a unit."""
    return session.get(Unit, unit_id)


def units_by_address(session: Session, email: str) -> list[model.Unit]:
    """Every active unit that an address belongs to."""
    owners = select(Address.unit_id).where(Address.email == email.strip().lower())
    found = select(Unit).where(Unit.active, Unit.id.in_(owners))
    return [unit_value(row) for row in session.scalars(found.order_by(Unit.position, Unit.id))]


def unit_by_address(session: Session, email: str) -> model.Unit | None:
    """The active unit that an address belongs to; None if it is nobody's, or that of several."""
    found = units_by_address(session, email)
    return found[0] if len(found) == 1 else None


def unit_by_name(session: Session, kind: UnitKind, name: str) -> Unit | None:
    """The row of the unit of exactly this name."""
    return session.scalars(select(Unit).where(Unit.kind == kind.value, Unit.name == name)).one_or_none()


def remarks(session: Session) -> dict[str, str]:
    """The 备注 of the active units that have one, by name."""
    rows = session.execute(select(Unit.name, Unit.remarks).where(Unit.active, Unit.remarks.is_not(None)))
    return {name: remark for name, remark in rows if remark}


def directory_version(session: Session) -> int:
    """A number that grows whenever units or their addresses change."""
    return session.scalar(select(Counter.value).where(Counter.name == _VERSION)) or 0


def _note_change(session: Session) -> None:
    first = insert_into(session, Counter).values(name=_VERSION, value=1)
    session.execute(first.on_conflict_do_update(index_elements=["name"], set_={"value": Counter.value + 1}))


def learn_address(session: Session, unit_id: int, email: str) -> bool:
    """Remember an address that the office confirmed as a unit's; False if it was the unit's already."""
    wanted = email.strip().lower()
    row = session.get_one(Unit, unit_id)
    if any(address.email == wanted for address in row.addresses):
        return False
    row.addresses.append(Address(email=wanted, role=LEARNED, position=len(row.addresses)))
    session.flush()
    _note_change(session)
    return True


def schools_with_platform(session: Session) -> dict[int, date]:
    """The schools that named a platform of their own, each since when."""
    rows = session.execute(select(Unit.id, Unit.platform_since).where(Unit.platform_since.is_not(None)))
    return {unit_id: since for unit_id, since in rows if since}


def note_platform(session: Session, unit_id: int, since: date | None) -> None:
    """What the returns that stand say of a school's platform; None: it has none."""
    session.connection().execute(_NOTE_PLATFORM, {"unit": unit_id, "since": since})


_NOTE_PLATFORM = (
    update(table_of(Unit))
    .where(table_of(Unit).c.id == bindparam("unit"))
    .values(platform_since=bindparam("since"))
)


def mark_bounced(session: Session, email: str, at: datetime) -> int:
    """How many directory addresses are now known to return mail for good."""
    return rows_changed(
        session,
        update(Address)
        .where(Address.email == email.lower(), Address.bounced_at.is_(None))
        .values(bounced_at=at),
    )


def clear_bounce(session: Session, email: str) -> bool:
    """Whether an address that returned mail is taken for sound again, because mail came from it."""
    return session.connection().execute(_CLEAR, {"email_": email.lower()}).rowcount > 0


_CLEAR = (
    update(table_of(Address))
    .where(table_of(Address).c.email == bindparam("email_"), table_of(Address).c.bounced_at.is_not(None))
    .values(bounced_at=None)
)


def bounced_addresses(session: Session) -> dict[str, datetime]:
    """Every directory address that returns mail, and since when."""
    rows = session.execute(select(Address.email, Address.bounced_at).where(Address.bounced_at.is_not(None)))
    return {email: since for email, since in rows if since}


# ---------------------------------------------------------------- taking over a directory workbook


@dataclass(frozen=True, slots=True)
class Change:
    """A unit as it was and as it is now."""

    old: model.Unit
    new: model.Unit


@dataclass(frozen=True, slots=True)
class Difference:
    """What a directory workbook changes."""

    added: tuple[model.Unit, ...] = ()
    changed: tuple[Change, ...] = ()
    removed: tuple[model.Unit, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def difference(known: Iterable[model.Unit], wanted: Iterable[model.Unit]) -> Difference:
    """What changes when the units of the directory become `wanted`; ids and learned addresses stay."""
    before = {(unit.kind, unit.name): unit for unit in known}
    after = {(unit.kind, unit.name): unit for unit in wanted}
    changed = (
        Change(old, replace(after[key], id=old.id, learned_addresses=_still_learned(old, after[key])))
        for key, old in before.items()
        if key in after
    )
    return Difference(
        added=tuple(unit for key, unit in after.items() if key not in before),
        changed=tuple(
            change for change in changed if replace(change.new, order=change.old.order) != change.old
        ),
        removed=tuple(unit for key, unit in before.items() if key not in after),
    )


def _still_learned(old: model.Unit, new: model.Unit) -> tuple[str, ...]:
    return tuple(a for a in old.learned_addresses if a not in (*new.addresses, *new.head_addresses))


def apply_directory(
    session: Session, wanted: Sequence[model.Unit], notes: Mapping[str, str] | None = None
) -> Difference:
    """Makes the directory be these units, whole, and gives what changed. `notes` are the 备注 by name."""
    rows = {(UnitKind(row.kind), row.name): row for row in _rows(session, inactive=True)}
    known = [unit_value(row) for row in rows.values() if row.active]
    named = {(unit.kind, unit.name) for unit in wanted}
    for key, known_row in rows.items():
        known_row.active = key in named
    for unit in wanted:
        row = rows.get((unit.kind, unit.name)) or _new_row(session, unit)
        _write_unit(row, unit, (notes or {}).get(unit.name))
    session.flush()
    _note_change(session)
    changes = difference(known, wanted)
    ids = {(UnitKind(row.kind), row.name): row.id for row in _rows(session, inactive=False)}
    added = tuple(replace(unit, id=ids[unit.kind, unit.name]) for unit in changes.added)
    return replace(changes, added=added)


def _new_row(session: Session, unit: model.Unit) -> Unit:
    row = Unit(kind=unit.kind.value, name=unit.name, active=True)
    session.add(row)
    return row


def _write_unit(row: Unit, unit: model.Unit, remark: str | None) -> None:
    row.short_names = list(unit.short_names)
    row.head, row.contact, row.phone = unit.head, unit.contact, unit.phone
    row.remarks = remark
    row.position = unit.order
    known = {(address.email, address.role): address for address in row.addresses}
    kept: list[Address] = []
    for position, (email, role) in enumerate(_wanted_addresses(row, unit)):
        address = known.get((email, role)) or Address(email=email, role=role)
        address.position = position
        # A directory that was gone through is taken at its word again.
        address.bounced_at = None
        kept.append(address)
    row.addresses = kept


def _wanted_addresses(row: Unit, unit: model.Unit) -> Iterator[tuple[str, str]]:
    yield from ((email, AS_UNIT) for email in dict.fromkeys(unit.addresses))
    yield from ((email, AS_HEAD) for email in dict.fromkeys(unit.head_addresses))
    given = {*unit.addresses, *unit.head_addresses}
    yield from ((email, LEARNED) for email in _addresses(row, LEARNED) if email not in given)
