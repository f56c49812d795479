"""A strict reader of HTML pages: what browsers would mend is an error here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})
_EMPTY = frozenset({"path", "rect"})
"""Elements of drawings that may end at once; those of HTML may not."""


@dataclass
class Element:
    """An element with its attributes, the parts of all text in it, and its children."""

    name: str
    attributes: dict[str, str]
    parts: list[str] = field(default_factory=list)
    children: list[Element] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text in it."""
        return "".join(self.parts)

    def find(self, name: str, **attributes: str) -> list[Element]:
        """Return all descendants with a name and these attributes; `_` stands for `-`."""
        wanted = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
        found: list[Element] = []
        for child in self.children:
            if child.name == name and wanted.items() <= child.attributes.items():
                found.append(child)
            found += child.find(name, **attributes)
        return found

    def rows(self) -> list[list[str]]:
        """Return the texts of a table's cells, by its rows."""
        return [
            [cell.text.strip() for cell in row.children] for row in self.find("tr") if row.children
        ]


class _Reader(HTMLParser):
    """Builds the tree and complains about everything that is not balanced or said twice."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self._open = [self.root]

    def handle_decl(self, decl: str) -> None:
        """Take the document type, which comes first."""
        assert decl == "DOCTYPE html"
        assert not self.root.children

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        text = self.get_starttag_text() or ""
        names = Counter(name for name, _ in attrs)
        assert all(count == 1 for count in names.values()), f"{text}: an attribute twice"
        assert all(value is not None for _, value in attrs), f"{text}: an attribute without a value"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take an element without contents."""
        assert tag in _EMPTY, f"<{tag}/> does not end here for a browser"
        self.handle_starttag(tag, attrs)
        self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element, which must be this one."""
        assert self._open[-1].name == tag, f"</{tag}> within <{self._open[-1].name}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        """Add a text to all that it lies in."""
        for element in self._open:
            element.parts.append(data)

    def handle_comment(self, data: str) -> None:
        """Refuse comments."""
        raise AssertionError(f"a comment: {data}")

    def unknown_decl(self, data: str) -> None:
        """Refuse what is none of HTML's."""
        raise AssertionError(f"no HTML: {data}")

    def finish(self) -> Element:
        """Return the tree of a complete page."""
        self.close()
        assert len(self._open) == 1, f"<{self._open[-1].name}> is not closed"
        return self.root


def read_page(text: str) -> Element:
    """Parse a page; fail on unbalanced tags, duplicate attributes and invalid characters.

    A page begins with its document type.
    """
    assert text.startswith("<!DOCTYPE html>")
    assert not _odd(text), f"characters that no page may have: {_odd(text)}"
    reader = _Reader()
    reader.feed(text)
    root = reader.finish()
    ids = Counter(_ids(root))
    assert all(count == 1 for count in ids.values())
    return root


def _ids(element: Element) -> Iterable[str]:
    for child in element.children:
        if "id" in child.attributes:
            yield child.attributes["id"]
        yield from _ids(child)


def _odd(text: str) -> list[str]:
    return [sign for sign in text if (sign < " " and sign != "\n") or "\x7f" <= sign < "\xa0"]
