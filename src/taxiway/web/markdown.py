"""Markdown that people wrote, as HTML that can do no harm: no raw HTML, no pictures from elsewhere, no scripts."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.renderer import RendererProtocol
    from markdown_it.token import Token
    from markdown_it.utils import EnvType, OptionsDict

LONGEST = 100_000
MOST_NESTED = 20


@cache
def parser() -> MarkdownIt:
    """CommonMark with tables. Raw HTML is shown as the text it is; links lead to the web, to mail and to our pages."""
    from markdown_it import MarkdownIt  # slow to import, and needed by the first text that is shown

    made = MarkdownIt("commonmark", {"html": False, "maxNesting": MOST_NESTED}).enable(["table", "strikethrough"])
    made.disable("image")
    made.add_render_rule("link_open", open_link)
    made.add_render_rule("heading_open", lower_heading)
    made.add_render_rule("heading_close", lower_heading)
    return made


def render_markdown(text: str) -> Markup:
    """The text as HTML, its headings below those of a page's panels."""
    cut = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return Markup(parser().render(cut))  # noqa: S704 - the parser escapes everything that is not its own


def open_link(self: RendererProtocol, tokens: list[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    """A link that tells the other side nothing of where it was followed."""
    tokens[index].attrSet("rel", "noopener noreferrer nofollow")
    return self.renderToken(tokens, index, options, env)  # type: ignore[attr-defined, no-any-return]  # the HTML renderer has it


def lower_heading(self: RendererProtocol, tokens: list[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    level = min(int(tokens[index].tag[1:]) + 2, 6)
    tokens[index].tag = f"h{level}"
    return self.renderToken(tokens, index, options, env)  # type: ignore[attr-defined, no-any-return]  # the HTML renderer has it
