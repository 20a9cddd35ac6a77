"""Forms pasted or typed into a mail's body: HTML tables, lines of label and value, drawn tables."""

from __future__ import annotations

from datetime import date

import pytest

from parsers import html
from parsers.content import Paragraph, Table
from parsers.read import read
from tests.forms import office_files as o
from tests.forms.reading import LIMITS, doubts, of_html, of_text, only, verdict

U = o.UNIT
ROW = {
    "unit": U,
    "party_branches": 3,
    "platforms": 1,
    "sessions_held": 2,
    "problems_solved": 5,
    "remarks": None,
}
PROBLEM = {
    "problem": o.PROBLEM,
    "details": o.DETAILS,
    "levels": ("section",),
    "sections": ("基建科",),
    "remarks": None,
}
S, V = o.STATISTICS_HEADINGS, (U, "3", "1", "2", "5", "")


def html_table(*rows: tuple[str, ...]) -> str:
    return (
        "<table>"
        + "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
        + "</table>"
    )


STATISTICS_HTML = {
    "pasted": f"<p>{o.STATISTICS_TITLE}</p><p>{o.STATISTICS_HEAD}</p>{html_table(S, V)}<p>{o.STATISTICS_NOTE}</p>",
    "in a layout table": f"<table><tr><td><p>{o.STATISTICS_TITLE}</p><p>{o.STATISTICS_HEAD}</p>{html_table(S, V)}</td></tr></table>",
    "in a mailer's frame": f"<table><tr><td>&nbsp;</td><td>{o.STATISTICS_TITLE}<br>{o.STATISTICS_HEAD}{html_table(S, V)}</td></tr></table>",
    "spans": f"<div>{o.STATISTICS_TITLE}</div><table><tr><td colspan='6'>{o.STATISTICS_HEAD}</td></tr><tr>"
    f"<td rowspan=2>{S[0]}</td><td colspan=2>建设</td><td colspan=2>活动</td><td rowspan=2>{S[5]}</td></tr><tr>"
    f"<td>{S[1]}</td><td>{S[2]}</td><td>{S[3]}</td><td>{S[4]}</td></tr><tr>"
    + "".join(f"<td><p class=MsoNormal><span>{v}</span></p></td>" for v in V)
    + "</tr></table>",
    "divs": "".join(f"<div>{line}</div>" for line in (o.STATISTICS_TITLE, o.STATISTICS_HEAD, *[f"{a}：{b}" for a, b in zip(S, V, strict=True)])),
    "breaks": "<br>".join((o.STATISTICS_TITLE, o.STATISTICS_HEAD, *[f"{a}：{b}" for a, b in zip(S, V, strict=True)])),
    "xml declaration": f"<?xml version='1.0' encoding='gb2312'?><html><body>{o.STATISTICS_TITLE}<br>{o.STATISTICS_HEAD}{html_table(S, V)}</body></html>",
}  # fmt: skip


@pytest.mark.parametrize("markup", STATISTICS_HTML.values(), ids=STATISTICS_HTML.keys())
def test_a_return_in_the_body_is_read(markup: str) -> None:
    form = only(of_html(markup))
    assert [dict(item) for item in form.items] == [ROW]
    assert form.fields["reported_on"] == date(2022, 1, 4)
    assert verdict(form) == "complete", form.findings


BOXES = {
    "glyphs": ("□", "☑"),
    "entities": ("&#9744;", "&#9745;"),
    "inputs": ("<input type=checkbox>", "<input type='checkbox' checked>"),
    "Wingdings 2 of Word": (
        "<span style='font-family:\"Wingdings 2\"'>£</span>",
        "<span lang=EN-US style='font-family:\"Wingdings 2\";mso-char-type:symbol'>R</span>",
    ),
    "face Wingdings": ("<font face=Wingdings>¨</font>", "<font face='Wingdings'>þ</font>"),
}


@pytest.mark.parametrize("boxes", BOXES.values(), ids=BOXES.keys())
def test_boxes_of_a_body_are_read(boxes: tuple[str, str]) -> None:
    level = f"{boxes[0]}市委教育工委书记<br>{o.HINT_SECRETARY}<br>{boxes[1]}市局相关科室，具体是<u>&nbsp;基建科&nbsp;</u>{o.HINT_SECTION}"
    row = (o.PROBLEM, o.DETAILS.replace("\n", "<br>"), level, "&nbsp;")
    form = only(
        of_html(f"<div>难点问题报告表</div><div>{o.PROBLEM_HEAD}</div>{html_table(o.PROBLEM_HEADINGS, row)}")
    )
    assert [dict(item) for item in form.items] == [PROBLEM]
    assert verdict(form) == "complete", form.findings


def test_what_a_body_hides_or_strikes_is_not_read() -> None:
    markup = (
        f"<style>p {{}}</style><script>1</script><div>{o.STATISTICS_TITLE}</div><div>{o.STATISTICS_HEAD}</div>"
        + html_table(S, (U, "3", "1", "<s>7</s>2", "<span style='display:none'>9</span>5", ""))
    )
    form = only(of_html(markup))
    assert form.items[0]["sessions_held"] == 2
    assert form.items[0]["problems_solved"] == 5
    assert "rows[0].sessions_held" in doubts(form)


LINES = f"""各位领导：
我校报告表如下：
难点问题报告表
填报单位（盖章）：{U}
主要负责人签字：{o.PRINCIPAL}
联系人及电话：{o.CONTACT} {o.PHONE}
难点问题：{o.PROBLEM}
具体内容及诉求：{o.DETAILS}
反馈层级：□市委教育工委书记  ☑市局相关科室，具体是 基建科
备注：无

此致
敬礼
"""

PROBLEM_TEXTS = {
    "lines": LINES,
    "numbered": LINES.replace("难点问题：", "1. 难点问题：")
    .replace("具体内容", "2. 具体内容")
    .replace("反馈层级", "3. 反馈层级")
    .replace("备注：", "4. 备注："),
    "half-width": LINES.replace("：", ":"),
    "bracketed": LINES.replace("难点问题：", "【难点问题】：").replace(
        "具体内容及诉求：", "【具体内容及诉求】："
    ),
    "levels below": LINES.replace(
        "反馈层级：□市委教育工委书记  ☑市局", "反馈层级：\n□市委教育工委书记\n☑市局"
    ),
    "details below": LINES.replace("具体内容及诉求：", "具体内容及诉求：\n"),
    "no title": LINES.replace("难点问题报告表\n", ""),
    "contact apart": LINES.replace(
        f"联系人及电话：{o.CONTACT} {o.PHONE}", f"联系人：{o.CONTACT}\n联系电话：{o.PHONE}"
    ),
    "windows line ends": LINES.replace("\n", "\r\n"),
    "blank lines": LINES.replace("\n", "\n\n"),
}


@pytest.mark.parametrize("text", PROBLEM_TEXTS.values(), ids=PROBLEM_TEXTS.keys())
def test_a_problem_typed_as_lines_is_read(text: str) -> None:
    form = only(of_text(text))
    assert [dict(item) for item in form.items] == [PROBLEM]
    assert dict(form.fields) == {
        "reporting_unit": U,
        "principal": o.PRINCIPAL,
        "contact_name": o.CONTACT,
        "contact_phone": o.PHONE,
    }
    assert verdict(form) == "complete", form.findings


def test_two_problems_typed_as_lines_are_two() -> None:
    second = (
        "难点问题：缺教师\n具体内容及诉求：缺3人。\n反馈层级：☑市委教育工委书记  □市局相关科室\n备注：急\n"
    )
    form = only(of_text(LINES.replace("备注：无\n", "备注：无\n" + second)))
    assert [item["problem"] for item in form.items] == [o.PROBLEM, "缺教师"]
    assert [item["levels"] for item in form.items] == [("section",), ("secretary",)]
    assert form.items[1]["remarks"] == "急"


def drawn(separator: str, *rows: tuple[str, ...]) -> str:
    return "\n".join(separator.join(row) for row in rows)


def aligned(*rows: tuple[str, ...]) -> str:
    widths = [max(html._width(row[column]) for row in rows) + 2 for column in range(len(rows[0]))]
    return "\n".join(
        "".join(
            cell + " " * (width - html._width(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    )


STATISTICS_TEXTS = {
    "lines": "\n".join((o.STATISTICS_TITLE, o.STATISTICS_HEAD, *[f"{a}：{b}" for a, b in zip(S, V, strict=True)])),
    "lines with units": f"{o.STATISTICS_TITLE}\n{o.STATISTICS_HEAD}\n单位名称：{U}\n党支部数：3个\n平台数：1个\n举办次数：2次\n解决问题数量：5件\n备注：无",
    "one line": f"{o.STATISTICS_TITLE}\n{o.STATISTICS_HEAD}\n单位名称：{U}，党支部数：3，平台数：1，举办次数：2，解决问题数量：5",
    "tabs": f"{o.STATISTICS_TITLE}\n{o.STATISTICS_HEAD}\n" + drawn("\t", S, V),
    "bars": f"{o.STATISTICS_TITLE}\n{o.STATISTICS_HEAD}\n| " + drawn(" | ", S, V).replace("\n", " |\n|---|---|---|---|---|---|\n| ") + " |",
    "full-width bars": f"{o.STATISTICS_TITLE}\n{o.STATISTICS_HEAD}\n" + drawn("｜", S, V),
    "box drawing": f"{o.STATISTICS_TITLE}\n{o.STATISTICS_HEAD}\n┌──┬──┐\n│" + drawn("│", S, V).replace("\n", "│\n├──┼──┤\n│") + "│\n└──┴──┘",
    "aligned": f"{o.STATISTICS_TITLE}\n{o.STATISTICS_HEAD}\n" + aligned(S, V),
}  # fmt: skip


@pytest.mark.parametrize("text", STATISTICS_TEXTS.values(), ids=STATISTICS_TEXTS.keys())
def test_a_return_typed_as_text_is_read(text: str) -> None:
    form = only(of_text(text + f"\n{o.STATISTICS_NOTE}\n"))
    assert [dict(item) for item in form.items] == [ROW]
    assert form.fields["contact_phone"] == o.PHONE
    assert verdict(form) == "complete", form.findings


def test_a_hole_in_an_aligned_table_is_a_doubt() -> None:
    text = f"{o.STATISTICS_TITLE}\n{o.STATISTICS_HEAD}\n" + aligned(S, (U, "3", "", "2", "5", "无"))
    form = only(of_text(text))
    assert form.items[0]["platforms"] is None
    assert verdict(form) != "complete"


PLAIN = {
    "question": "您好,我们学校没有单独的党支部,附件2还要报吗?",
    "prose": "我校现有党支部3个，建立平台1个，举办活动2次，解决问题5个。",
    "claim": "已报，请查收。联系人及电话：覃小雨 13812345678",
    "our reminder": "各校：请于1月5日前报送《“难点问题书记一线办”开展情况统计表》，填报单位、联系人及电话不得空缺。",
    "answer": "进展：围墙已修。\n存在问题：资金未到位。\n下一步：继续协调。",
    "empty": "",
}


@pytest.mark.parametrize("text", PLAIN.values(), ids=PLAIN.keys())
def test_a_letter_is_no_form(text: str) -> None:
    assert of_text(text) == ()
    assert of_html("<p>" + text.replace("\n", "</p><p>") + "</p>") == ()


def test_spans_of_a_table_stand_on_the_grid() -> None:
    content = html.html_content(
        "<table><tr><td rowspan=2>a</td><td colspan=2>b</td></tr><tr><td>c</td><td>d</td></tr></table>",
        LIMITS,
    )
    table = content.blocks[0]
    assert isinstance(table, Table)
    assert [(c.text, c.row, c.column, c.row_span, c.column_span) for c in table.cells] == [
        ("a", 0, 0, 2, 1), ("b", 0, 1, 1, 2), ("c", 1, 1, 1, 1), ("d", 1, 2, 1, 1)
    ]  # fmt: skip


@pytest.mark.parametrize("encoding", ["gbk", "utf-8", "gb18030"])
def test_a_body_in_bytes_is_decoded_whatever_it_declares(encoding: str) -> None:
    markup = "<html><head><meta charset='gb2312'></head><body><p>镕喆</p></body></html>".encode(encoding)
    block = html.html_content(markup, LIMITS).blocks[0]
    assert isinstance(block, Paragraph) and block.text == "镕喆"


@pytest.mark.parametrize(
    "markup",
    ["", "<", "<table>", "<table><tr><td rowspan=99999 colspan='x'>", "\0\0", "<p>" * 5000, b"\xff\xfe\x00"],
)
def test_broken_markup_is_no_crash(markup: str | bytes) -> None:
    assert html.html_content(markup, LIMITS).format == "html"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("我校有党支部3个，建立平台1个，举办活动2次，解决问题5个。荷塘小学 覃小雨", "uncertain"),
        ("填报单位：贵港市荷塘小学\n我校共三个党支部，平台一个，开展两次，解决了五个问题。", "uncertain"),
        ("各校：现报送“难点问题书记一线办”党建工作平台开展情况统计表，见附件2，共1页。", "no_form"),
        ("请问附件2的党支部数怎么填，平台数是填1还是2？举办次数呢？", "no_form"),
        ("收到，第2次活动3月5日开展，已办结3个问题，谢谢！", "no_form"),
    ],
)
def test_counts_told_in_sentences_are_for_a_person(text: str, told: str) -> None:
    raw = "From: a@example.com\nTo: b@example.com\nSubject: x\nContent-Type: text/plain; charset=utf-8\n\n"
    assert read((raw + text).encode(), "a.eml", LIMITS).verdict.value == told


def test_a_typed_report_is_quoted_with_the_punctuation_it_was_typed_with() -> None:
    text = (
        "填报单位：贵港市榕湖小学\n主要负责人：李四\n联系人：王五\n联系电话：13900001111\n难点问题：食堂面积不足\n"
        "具体内容及诉求：全校800人就餐，食堂仅100平方米（含后厨），请求扩建。\n反馈层级：书记\n备注：无"
    )
    mail = f"From: a@b.test\nContent-Type: text/plain; charset=utf-8\n\n{text}\n"
    form = only(read(mail.encode(), "信.eml", LIMITS).forms)
    assert form.items[0]["details"] == "全校800人就餐，食堂仅100平方米（含后厨），请求扩建。"
