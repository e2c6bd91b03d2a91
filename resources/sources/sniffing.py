"""What bytes are, told by how they begin."""

import re


def web_page(start: bytes) -> str | None:
    """Of a web page its title in brackets, empty without one; None of what is no web page."""
    if not re.match(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html)\b", start, re.IGNORECASE):
        return None
    title = re.search(rb"<title[^>]*>([^<]{1,100})", start, re.IGNORECASE)
    return f" ({title[1].decode('utf-8', 'replace').strip()})" if title else ""
