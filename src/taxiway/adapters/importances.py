"""The importances of a model's features as a small figure, whatever library they come from."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

MOST_SHOWN = 30
ROW, LEFT, WIDTH = 20, 190, 640


def draw_importances(names: Sequence[str], values: Sequence[float], *, title: str) -> str:
    """Horizontal bars as SVG text, the largest first; at most 30 features."""
    found = sorted(zip(names, map(float, values), strict=True), key=lambda pair: -abs(pair[1]))[:MOST_SHOWN]
    most = max((abs(value) for _, value in found), default=0.0) or 1.0
    height = 30 + ROW * len(found)
    rows = []
    for place, (name, value) in enumerate(found):
        y = 30 + ROW * place
        bar = (WIDTH - LEFT - 80) * abs(value) / most
        short = name if len(name) <= 26 else name[:25] + "…"
        rows.append(
            f'<text x="{LEFT - 8}" y="{y + 12}" text-anchor="end">{escape(short)}<title>{escape(name)}</title></text>'
            f'<rect x="{LEFT}" y="{y + 1}" width="{bar:.1f}" height="14" fill="#3b6ea5"/>'
            f'<text x="{LEFT + bar + 6:.1f}" y="{y + 12}">{value:.4g}</text>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        f'role="img" font-family="sans-serif" font-size="12" fill="#222"><title>{escape(title)}</title>'
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>'
        f'<text x="8" y="18" font-weight="bold">{escape(title)}</text>{"".join(rows)}</svg>'
    )
