"""Visitors of a story's pages, and what their pages say as plain text."""

from __future__ import annotations

import html
import re
from urllib.parse import urlsplit

from tests.gates.story import Story
from tests.web.browse import Visitor

VERSION = "/models/mortgage/versions/1"


def visit(story: Story, name: str) -> Visitor:
    """A browser in which `name` is signed in."""
    visitor = Visitor(story.live.url)
    visitor.post(urlsplit(story.live.sign_in_link(name)).path)
    return visitor


def said(text: str) -> str:
    """What a reader sees: without tags, blanks made one; a tag within a line parts no words."""
    flowing = re.sub(r"</?(code|strong)>", "", text)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", flowing)).split())


def hidden(text: str, action: str) -> dict[str, str]:
    """The hidden fields of the form that is sent to `action`."""
    form = text.partition(f'action="{action}"')[2].partition("</form>")[0]
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
