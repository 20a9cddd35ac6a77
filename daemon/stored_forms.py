"""Forms as they were read when they came: how they are kept in the database, and read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from typing import Any

from daemon.store import tables
from parsers.values import Finding, FindingKind, Form, Place, Severity, Value, plain


def finding_from_json(value: Mapping[str, Any]) -> Finding:
    """A finding as it was stored."""
    return Finding(
        value["field"],
        FindingKind(value["kind"]),
        Severity(value["severity"]),
        value["text"],
        value.get("where"),
    )


def finding_json(finding: Finding) -> dict[str, Any]:
    """A finding as it is stored and listed."""
    return {
        "field": finding.field,
        "kind": finding.kind.value,
        "severity": finding.severity.value,
        "text": finding.text,
        "where": finding.where,
    }


_PLACE = tuple(field.name for field in fields(Place))


def form_json(form: Form) -> dict[str, Any]:
    """The values of a form as a filing keeps them; `stored_form` makes the form of them again."""
    return {
        **{name: plain(value) for name, value in form.fields.items()},
        form.items_key: [{name: plain(value) for name, value in item.items()} for item in form.items],
        "places": {path: [getattr(place, name) for name in _PLACE] for path, place in form.places.items()},
        "identity": form.identity,
    }


def stored_form(filing: tables.Filing) -> Form:
    """The form as it was read when it came, out of its filing."""
    values = dict(filing.values)
    items_key = "rows" if "rows" in values else "problems"
    items = values.pop(items_key)
    places = values.pop("places", {})
    values.pop("numbers", None)
    identity = values.pop("identity", None)
    return Form(
        kind=filing.form,
        part=filing.part,
        format=filing.format,
        fields={name: _read_back(name, value) for name, value in values.items()},
        items_key=items_key,
        items=tuple({name: _read_back(name, value) for name, value in item.items()} for item in items),
        findings=tuple(finding_from_json(f) for f in filing.findings),
        places={path: Place(*place) for path, place in places.items()},
        document=filing.document,
        identity=identity,
    )


def _read_back(name: str, value: Any) -> Value:
    if name == "reported_on" and isinstance(value, str):
        return date.fromisoformat(value)
    return tuple(value) if isinstance(value, list) else value
