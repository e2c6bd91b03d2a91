"""What files are, told by their names, and bytes by how they begin."""

import re

NO_INPUT = re.compile(
    r"(?:^|/)(?:[.~#]|__MACOSX/)[^/]*$|[~#]$|\.(?:part|partial|filepart|crdownload|download|tmp|temp|swp|bak|lock)$",
    re.IGNORECASE,
)
"""Names of hidden files, of what an editor keeps beside a file, and of downloads that are not whole."""


def web_page(start: bytes) -> str | None:
    """Of a web page its title in brackets, empty without one; None of what is no web page."""
    if not re.match(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html)\b", start, re.IGNORECASE):
        return None
    title = re.search(rb"<title[^>]*>([^<]{1,100})", start, re.IGNORECASE)
    return f" ({title[1].decode('utf-8', 'replace').strip()})" if title else ""
