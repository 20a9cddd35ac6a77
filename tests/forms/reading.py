"""What the readers make of a file, in a shape that is easy to compare."""

from __future__ import annotations

from parsers import extract, html, sheet, word
from parsers.content import Content, Limits
from parsers.values import Form

LIMITS = Limits()


def of_word(data: bytes) -> tuple[Form, ...]:
    return extract.forms(word.content(data, LIMITS), "附件.docx")


def of_xlsx(data: bytes) -> tuple[Form, ...]:
    return extract.forms(sheet.xlsx_content(data, LIMITS), "附件.xlsx")


def of_csv(data: bytes) -> tuple[Form, ...]:
    return extract.forms(sheet.csv_content(data, LIMITS), "附件.csv")


def of_html(markup: str) -> tuple[Form, ...]:
    return extract.forms(html.html_content(markup, LIMITS), "正文")


def of_text(text: str) -> tuple[Form, ...]:
    return extract.forms(html.text_content(text, LIMITS), "正文")


def of(content: Content) -> tuple[Form, ...]:
    return extract.forms(content, "附件")


def only(forms: tuple[Form, ...]) -> Form:
    assert len(forms) == 1, [form.kind for form in forms]
    return forms[0]


def verdict(form: Form) -> str:
    """`uncertain`, `incomplete` or `complete`, as one form by itself gives it."""
    if form.uncertain:
        return "uncertain"
    return "incomplete" if form.incomplete else "complete"


def doubts(form: Form) -> set[str]:
    """Fields with an error or an uncertain finding."""
    return {f.field for f in form.findings if f.severity.value == "error" or f.kind.value == "uncertain"}
