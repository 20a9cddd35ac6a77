"""Forms as they were read when they came, out of the database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from daemon.store import tables
from parsers.values import Finding, FindingKind, Form, Place, Severity, Value


def finding_from_json(value: Mapping[str, Any]) -> Finding:
    """A finding as it was stored."""
    return Finding(
        value["field"],
        FindingKind(value["kind"]),
        Severity(value["severity"]),
        value["text"],
        value.get("where"),
    )


def stored_form(filing: tables.Filing) -> Form:
    """The form as it was read when it came, out of its filing."""
    values = dict(filing.values)
    items_key = "rows" if "rows" in values else "problems"
    items = values.pop(items_key)
    places = values.pop("places", {})
    values.pop("numbers", None)
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
    )


def _read_back(name: str, value: Any) -> Value:
    if name == "reported_on" and isinstance(value, str):
        return date.fromisoformat(value)
    return tuple(value) if isinstance(value, list) else value
