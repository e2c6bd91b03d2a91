"""Job titles by their words, kept in the process, and asked there.

Not MariaDB's FULLTEXT and SQLite's FTS5, which would answer the same question in two ways. FULLTEXT's boolean mode, the
only one with beginnings of words, reads `C++` and `+-*"()~<>@` as operators and answers with a syntax error; InnoDB
leaves out words under three letters; FTS5 ranks otherwise, and would need a table kept in step with each release. The
14,000 titles with their words take 5 MB, answer in a millisecond or two, and rank alike on both databases.
"""

import math
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from heapq import nsmallest

from sqlalchemy import select

from api.database import Snapshot
from api.search.text import words
from warehouse import tables

SHOWN = 10
MOST_WORDS = 50
"""Further words of a question are not looked at."""
LITTLE = frozenset(["a", "au", "aux", "d", "de", "des", "du", "en", "et", "l", "la", "le", "les", "ou", "un", "une"])
"""Words that say nothing of a trade: not looked for where the question has others."""


class Titles:
    """The job titles of a release, and which of them have which word."""

    def __init__(self, titles: list[tuple[str, str]]) -> None:
        self.titles = titles
        self.firsts: list[str] = []
        having: dict[str, array[int]] = defaultdict(lambda: array("L"))
        self.sizes = array("H", (0 for _ in titles))
        for number, (_, label) in enumerate(titles):
            found = words(label)
            self.sizes[number] = len(found)
            self.firsts.append(found[0] if found else "")
            for word in set(found):
                having[word].append(number)
        self.having = dict(having)
        self.vocabulary = sorted(having)

    def search(self, text: str) -> list[tuple[str, str]]:
        """ROME and title of the ten that fit best; the last word may be the beginning of one.

        Best is what has the most of the words, a rare one counting more than one that many titles have; then what
        has the last word whole; then what begins like the question, is shorter, comes first in the alphabet.
        """
        every = list(dict.fromkeys(words(text)))[:MOST_WORDS]
        asked = [word for word in every if word not in LITTLE] or every
        if not asked:
            return []
        scores: dict[int, float] = defaultdict(float)
        for word in asked[:-1]:
            self._score(scores, set(self.having.get(word, ())))
        self._score(scores, {number for word in self._beginning_with(asked[-1]) for number in self.having[word]})
        whole = set(self.having.get(asked[-1], ()))

        def worst_last(number: int) -> tuple[float, bool, bool, int, str, str]:
            rome, label = self.titles[number]
            begins = self.firsts[number].startswith(asked[0])
            return (-scores[number], number not in whole, not begins, self.sizes[number], label, rome)

        return [self.titles[number] for number in nsmallest(SHOWN, scores, key=worst_last)]

    def _score(self, scores: dict[int, float], numbers: set[int]) -> None:
        if numbers:
            weight = math.log(1 + len(self.titles) / len(numbers))
            for number in numbers:
                scores[number] += weight

    def _beginning_with(self, start: str) -> Iterator[str]:
        for position in range(bisect_left(self.vocabulary, start), len(self.vocabulary)):
            if not self.vocabulary[position].startswith(start):
                return
            yield self.vocabulary[position]


def titles(snapshot: Snapshot) -> Titles:
    """The job titles of the release. Give it to `Snapshot.once`."""
    row = tables.romeogrs.c
    query = select(row.code_rome, row.ogr_label).where(row.deleted_at.is_(None)).order_by(row.ogr_label, row.code_rome)
    return Titles([(rome, label) for rome, label in snapshot.connection.execute(query)])
