"""Pictures of people who have none: their initials on a colour of their own."""

import zlib
from html import escape

COLOURS = ("#36c5f0", "#2eb67d", "#ecb22e", "#e01e5a", "#4a154b", "#1264a3")


def avatar(name: str) -> str:
    """Draw a name as a square SVG."""
    initials = "".join(word[0] for word in name.split()[:2]).upper()
    colour = COLOURS[zlib.crc32(name[::-1].encode()) % len(COLOURS)]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 72 72" width="72" height="72">'
        f'<rect width="72" height="72" rx="12" fill="{colour}"/>'
        '<text x="36" y="46" font-family="sans-serif" font-size="28" fill="#fff" text-anchor="middle">'
        f"{escape(initials)}</text></svg>"
    )
