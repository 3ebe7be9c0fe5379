"""A badge: one word about one subject, as a small picture without script or outside parts."""

from html import escape

from flows_registry.evidence.words import headline, standing
from flows_registry.verdict import Certification

__all__ = ["badge"]

_COLOURS = {"good": "#1a7f4b", "bad": "#b3261e", "open": "#8a5a00", "part": "#4a5568"}
_LABEL = "flows"
_LETTER, _ROOM = 6.6, 12.0


def badge(certification: Certification) -> bytes:
    """The badge as SVG."""
    word = headline(certification)
    left, right = _width(_LABEL), _width(word)
    whole = left + right
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="20" role="img" \
aria-label="{_LABEL}: {escape(word)}">
<title>{_LABEL}: {escape(word)}</title>
<clipPath id="r"><rect width="{whole}" height="20" rx="4"/></clipPath>
<g clip-path="url(#r)">
<rect width="{left}" height="20" fill="#24292f"/>
<rect x="{left}" width="{right}" height="20" fill="{_COLOURS[standing(certification)]}"/>
</g>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">
<text x="{left / 2:g}" y="14" textLength="{left - _ROOM:g}">{_LABEL}</text>
<text x="{left + right / 2:g}" y="14" textLength="{right - _ROOM:g}">{escape(word)}</text>
</g>
</svg>
""".encode()


def _width(text: str) -> int:
    return round(len(text) * _LETTER + _ROOM)
