"""What an app's first page says about itself, for bundles without a manifest."""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser

READ_BYTES = 256 * 1024  # the head is near the top; what comes later is not read


@dataclass
class IndexPage:
    """The title, icon (a path as written), language, description and theme colour; empty where not said."""

    title: str = ""
    icon: str = ""
    lang: str = ""
    description: str = ""
    theme_color: str = ""


def read_index_page(start: bytes) -> IndexPage:
    """What the first bytes of an HTML page say."""
    parser = _HeadParser()
    parser.feed(start[:READ_BYTES].decode("utf-8", errors="replace").replace("\x00", ""))
    page = parser.page
    page.title = " ".join(page.title.split())
    return page


class _HeadParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = IndexPage()
        self._in_title = False
        self._svg_depth = 0  # an inline SVG has titles of its own

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: (value or "").strip() for name, value in attrs}
        match tag:
            case "html":
                self.page.lang = self.page.lang or given.get("lang", "")
            case "svg":
                self._svg_depth += 1
            case "title" if not self._svg_depth:
                self._in_title = not self.page.title
            case "link":
                self._take_icon(given)
            case "meta":
                self._take_meta(given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        elif tag == "svg":
            self._svg_depth = max(0, self._svg_depth - 1)

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.page.title += data

    def _take_icon(self, given: dict[str, str]) -> None:
        relations = given.get("rel", "").lower().split()
        is_better = "apple-touch-icon" in relations  # bigger, and never transparent
        if given.get("href") and (is_better or ("icon" in relations and not self.page.icon)):
            self.page.icon = given["href"]

    def _take_meta(self, given: dict[str, str]) -> None:
        name, content = given.get("name", "").lower(), given.get("content", "")
        if name == "description":
            self.page.description = self.page.description or content
        elif name == "theme-color":
            self.page.theme_color = self.page.theme_color or content
