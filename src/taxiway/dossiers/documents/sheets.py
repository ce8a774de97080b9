"""The sheets of a PDF: headings, questions, tables and drawn intervals. Imports fpdf2."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import TableBordersLayout, XPos, YPos
from fpdf.fonts import FontFace

from taxiway.dossiers.documents.contract import Grid, Interval
from taxiway.dossiers.documents.pdf import plain, span

FAMILY = "sans"
INK, SOFT, RULE, PAPER = (22, 24, 29), (92, 97, 107), (205, 208, 214), (255, 255, 255)
MARGIN_MM = 16.0
SHORT_CELL = 17  # characters that stay in one line, such as an interval
LONG_WORD = 34.0  # millimetres that a word is given so that it is not broken
AROUND_CELL = 2.5
QUESTION_MM, HEADING_MM = 32, 44  # room for one with the beginning of what follows it
LOOKS = {"pass": (30, 122, 70), "fail": (180, 40, 40), "inconclusive": (150, 100, 0)}


class Paper(FPDF):
    """An A4 document that is written from top to bottom."""

    def __init__(self, title: str, fonts: Path) -> None:
        super().__init__(format="A4")
        self.named = plain(title)
        for style, file in (("", "Regular"), ("B", "Semibold")):
            self.add_font(FAMILY, style, fonts / f"SourceSansPro-{file}.ttf")
        self.set_title(self.named)
        self.set_lang("en")
        self.set_margins(MARGIN_MM, MARGIN_MM, MARGIN_MM)
        self.set_auto_page_break(auto=True, margin=18)
        self.set_draw_color(*RULE)
        self.add_page()

    def footer(self) -> None:
        """What it is, and which page of how many."""
        self.set_y(-13)
        self.pen(8, SOFT)
        self.cell(self.epw / 2, 5, self.short(self.named, self.epw * 0.8))
        self.cell(self.epw / 2, 5, f"{self.page_no()} of {{nb}}", align="R")

    def pen(self, size: float, colour: tuple[int, int, int] = INK, *, bold: bool = False) -> None:
        self.set_font(FAMILY, "B" if bold else "", size)
        self.set_text_color(*colour)

    def flow(self, text: str, height: float) -> None:
        self.multi_cell(0, height, self.writable(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")

    def writable(self, text: str) -> str:
        """The text in letters that the font has."""
        has = self.fonts[FAMILY].cmap  # type: ignore[union-attr]  # a font of a file has one
        return "".join(letter if ord(letter) in has else "?" for letter in plain(text))

    def title_lines(self, title: str, answer: str, about: str) -> None:
        self.pen(18, bold=True)
        self.flow(title, 8)
        self.ln(1)
        self.pen(10)
        self.flow(f"{answer}.", 5)
        self.pen(9, SOFT)
        self.flow(about, 4.4)
        self.ln(2)

    def facts(self, pairs: Sequence[tuple[str, str]]) -> None:
        self.grid(Grid(["", ""], [[name, value] for name, value in pairs]), has_head=False)

    def heading(self, text: str) -> None:
        self.room_for(HEADING_MM)
        self.ln(4)
        self.start_section(self.writable(text))
        self.pen(13, bold=True)
        self.flow(text, 7)
        self.set_draw_color(*INK)
        self.line_across()
        self.set_draw_color(*RULE)

    def question(self, title: str, asks: str, state: str, word: str) -> None:
        """A question with the state of its answer on the right."""
        self.room_for(QUESTION_MM)
        self.ln(2.5)
        self.pen(10, bold=True)
        self.multi_cell(self.epw - 34, 5, self.writable(title), new_x=XPos.RIGHT, new_y=YPos.TOP, align="L")
        is_there = state not in ("missing", "gap", "outside")
        self.pen(9, INK if is_there else SOFT, bold=is_there)
        self.cell(34, 5, word, align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.pen(8.5, SOFT)
        self.flow(asks, 4.2)

    def say(self, text: str) -> None:
        self.pen(9.5)
        self.flow(text, 4.6)

    def soft(self, text: str) -> None:
        self.pen(8, SOFT)
        self.flow(text, 4)

    def line_across(self) -> None:
        self.line(self.l_margin, self.get_y(), self.l_margin + self.epw, self.get_y())

    def room_for(self, height: float) -> None:
        """Begins a page unless so much is left of this one."""
        if self.will_page_break(height):
            self.add_page()

    def grid(self, found: Grid, *, has_head: bool = True) -> None:
        self.ln(0.8)
        self.pen(8)
        widths = self.column_widths(found)
        head = FontFace(emphasis="", color=SOFT)
        with self.table(
            col_widths=widths,
            width=self.epw,
            text_align="LEFT",
            line_height=3.8,
            padding=(0.7, 1.5, 0.7, 0),
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            first_row_as_headings=has_head,
            headings_style=head,
        ) as table:
            for cells in [found.head, *found.rows] if has_head else found.rows:
                row = table.row()
                for cell in cells:
                    row.cell(self.writable(cell))
        self.ln(0.8)

    def column_widths(self, found: Grid) -> list[float]:
        """Millimetres: room for the longest word of each column, and what is left by the longest cell."""
        columns = [[self.writable(cell) for cell in column] for column in zip(found.head, *found.rows, strict=True)]
        wished = [max(map(self.get_string_width, column)) + AROUND_CELL for column in columns]
        least = [
            min(max((self.get_string_width(word) for cell in column for word in words(cell)), default=0.0), LONG_WORD)
            + AROUND_CELL
            for column in columns
        ]
        more = [max(wish - low, 0.0) for wish, low in zip(wished, least, strict=True)]
        spare = self.epw - sum(least)
        if spare <= 0 or not sum(more):
            return least  # the table stretches or shrinks them in proportion
        return [low + spare * each / sum(more) for low, each in zip(least, more, strict=True)]

    def intervals(self, drawn: Sequence[Interval]) -> None:
        """Each number with its interval on a scale of its own, and a stroke where good begins."""
        left, right = self.l_margin + 52, self.l_margin + self.epw - 40
        for each in drawn:
            self.room_for(6)
            y = self.get_y() + 2.6
            low, high = span([each])

            def at(value: float, low: float = low, high: float = high) -> float:
                return left + (right - left) * (value - low) / (high - low)

            self.pen(8)
            self.cell(50, 5, self.short(self.writable(each.name), 49))
            self.set_draw_color(*LOOKS.get(each.verdict, SOFT))
            self.set_line_width(0.6)
            if each.low is not None and each.high is not None:
                self.line(at(each.low), y, at(each.high), y)
            if each.value is not None:
                self.set_fill_color(*LOOKS.get(each.verdict, SOFT))
                self.circle(at(each.value), y, 0.9, style="F")
                self.set_fill_color(*PAPER)  # what cells of tables are filled with from then on
            self.set_draw_color(*INK)
            self.set_line_width(0.3)
            if each.asked is not None:
                self.line(at(each.asked), y - 2, at(each.asked), y + 2)
            self.set_line_width(0.2)
            self.set_draw_color(*RULE)
            self.set_xy(right + 3, self.get_y())
            self.cell(37, 5, numbers(each), new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def short(self, text: str, room: float) -> str:
        """As much of a text as fits into so many millimetres."""
        if self.get_string_width(text) <= room:
            return text
        while text and self.get_string_width(text + "…") > room:
            text = text[:-1]
        return text + "…"


def words(cell: str) -> list[str]:
    """What of a cell stays in one line: its words, or all of a short one."""
    return [cell] if len(cell) <= SHORT_CELL else cell.split()


def numbers(each: Interval) -> str:
    if each.value is None or each.low is None or each.high is None:
        return each.verdict
    return f"{each.value:.3g} [{each.low:.3g}, {each.high:.3g}]"
