"""Data Docs: the page that Great Expectations makes of a validation, complete in itself."""

import re
from functools import cache
from typing import Any


def data_docs(results: Any, title: str) -> str:
    """The library's own page (HTML) of a result, without what it would fetch from outside hosts."""
    renderer, view = _page_makers()
    page = view.render(renderer.render(results))
    for outside in _OUTSIDE:
        page = re.sub(outside, "", page, flags=re.DOTALL)
    return re.sub(r"<title>.*?</title>", f"<title>{title}</title>{_STYLE}", page, count=1, flags=re.DOTALL)


@cache
def _page_makers() -> tuple[Any, Any]:
    """The library's renderer and view, made once: the view keeps its compiled templates (2 ms a page, not 55)."""
    from great_expectations.render import renderer, view

    return renderer.ValidationResultsPageRenderer(), view.DefaultJinjaPageView()  # type: ignore[attr-defined]


_OUTSIDE = (
    r"<script[^>]*\ssrc=.https?:.*?</script>",
    r"<(?:link|img)[^>]*https?:[^>]*>",
    r"url\('https?:[^)]*'\)",
    r"<footer.*?</footer>",
)

_STYLE = """<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem }
table { border-collapse: collapse; margin: .5rem 0 }
td, th { border: 1px solid #ccc; padding: .3rem .6rem; text-align: left }
</style>"""
