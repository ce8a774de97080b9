"""Reading a drawing back in tests: well-formed, and what stands where."""

from xml.etree import ElementTree
from xml.etree.ElementTree import Element

SVG = "{http://www.w3.org/2000/svg}"


def parse(drawing: str) -> Element:
    """The drawing's root; fails when the text is not well-formed."""
    return ElementTree.fromstring(drawing)


def with_class(root: Element, name: str) -> list[Element]:
    """Every element that carries this class, in the order of the drawing."""
    return [each for each in root.iter() if name in each.get("class", "").split()]


def texts(root: Element) -> list[str]:
    """Every text that is drawn; titles and descriptions are not."""
    return ["".join(each.itertext()) for each in root.iter(f"{SVG}text")]


def place(element: Element, name: str) -> float:
    return float(element.get(name, "nan"))
