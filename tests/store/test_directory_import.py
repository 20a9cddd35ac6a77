"""Taking over a directory workbook: whole, with its difference, forgetting nothing that the office taught."""

from __future__ import annotations

from dataclasses import replace

from daemon.model import Unit, UnitKind
from daemon.store import questions
from daemon.store.engine import Store
from tests.store.samples import BANYAN, BASICS, DIRECTORY, LOTUS, NOW


def _import(store: Store, *units: Unit) -> questions.Difference:
    with store.transaction() as session:
        return questions.apply_directory(session, units)


def test_the_first_import_adds_everybody(store: Store) -> None:
    difference = _import(store, *DIRECTORY)
    assert [unit.name for unit in difference.added] == [unit.name for unit in DIRECTORY]
    assert all(unit.id for unit in difference.added)
    with store.reading() as session:
        assert [replace(unit, id=0) for unit in questions.units(session)] == list(DIRECTORY)


def test_the_same_workbook_again_changes_nothing(store: Store) -> None:
    _import(store, *DIRECTORY)
    assert not _import(store, *DIRECTORY)
    assert not _import(store, *(replace(unit, order=9 - unit.order) for unit in DIRECTORY))


def test_a_change_shows_the_old_and_the_new(store: Store) -> None:
    _import(store, *DIRECTORY)
    moved = replace(LOTUS, contact="陆老师", addresses=("new@lotus.example",))
    [change] = _import(store, moved, BANYAN, BASICS).changed
    assert (change.old.contact, change.new.contact) == ("覃老师", "陆老师")
    assert change.old.addresses == LOTUS.addresses
    assert change.new.addresses == ("new@lotus.example",)
    with store.reading() as session:
        assert questions.unit_by_address(session, "office@lotus.example") is None


def test_a_school_that_leaves_keeps_its_identity_and_may_come_back(store: Store) -> None:
    before = {unit.name: unit.id for unit in _import(store, *DIRECTORY).added}
    assert [unit.name for unit in _import(store, LOTUS, BASICS).removed] == [BANYAN.name]
    with store.reading() as session:
        assert questions.unit_by_address(session, "a@banyan.example") is None
        assert BANYAN.name not in [unit.name for unit in questions.units(session)]
        assert BANYAN.name in [unit.name for unit in questions.units(session, inactive=True)]
    [back] = _import(store, *DIRECTORY).added
    assert back.id == before[BANYAN.name]


def test_an_address_that_the_office_confirmed_outlives_every_import(store: Store) -> None:
    ids = {unit.name: unit.id for unit in _import(store, *DIRECTORY).added}
    with store.transaction() as session:
        assert questions.learn_address(session, ids[BANYAN.name], "Teacher@QQ.example")
        assert not questions.learn_address(session, ids[BANYAN.name], "teacher@qq.example")
    assert not _import(store, *DIRECTORY)
    with store.reading() as session:
        found = questions.unit_by_address(session, "teacher@qq.example")
        assert found is not None
        assert found.learned_addresses == ("teacher@qq.example",)
    _import(store, LOTUS, replace(BANYAN, addresses=("a@banyan.example", "teacher@qq.example")), BASICS)
    with store.reading() as session:
        found = questions.unit_by_address(session, "teacher@qq.example")
        assert found is not None
        assert found.learned_addresses == ()


def test_an_address_of_two_schools_is_nobodys_for_certain(store: Store) -> None:
    shared = Unit(0, UnitKind.SCHOOL, "贵港市青山小学", addresses=("a@banyan.example",))
    _import(store, BANYAN, shared)
    with store.reading() as session:
        assert questions.unit_by_address(session, "a@banyan.example") is None
        assert len(questions.units_by_address(session, "a@banyan.example")) == 2


def test_a_bounce_is_forgotten_when_the_school_writes_or_the_directory_is_renewed(store: Store) -> None:
    _import(store, *DIRECTORY)
    with store.transaction() as session:
        assert questions.mark_bounced(session, "wei@lotus.example", NOW) == 2
        assert questions.bounced_addresses(session) == {"wei@lotus.example": NOW}
        assert questions.clear_bounce(session, "wei@lotus.example")
        assert not questions.clear_bounce(session, "wei@lotus.example")
        questions.mark_bounced(session, "a@banyan.example", NOW)
    _import(store, *DIRECTORY)
    with store.reading() as session:
        assert questions.bounced_addresses(session) == {}
