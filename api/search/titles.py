"""Job titles by their words, kept in the process, and asked there.

Not MariaDB's FULLTEXT and SQLite's FTS5, which would answer the same question in two ways. FULLTEXT's boolean mode, the
only one with beginnings of words, reads `C++` and `+-*"()~<>@` as operators and answers with a syntax error; InnoDB
leaves out words under three letters; FTS5 ranks otherwise, and would need a table kept in step with each release.
"""

import csv
import re
from bisect import bisect_left
from collections import defaultdict
from pathlib import Path

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA
from sqlalchemy import Connection, select

from api.search.packed import Array
from api.search.text import fold, words
from warehouse import tables
from warehouse.codes import ROME

SHOWN = 10
MOST_WORDS = 50
"""Further words of a question are not looked at."""
LITTLE = frozenset(["a", "au", "aux", "d", "de", "des", "du", "en", "et", "l", "la", "le", "les", "ou", "un", "une"])
"""Words that say nothing of a trade: not looked for where the question has others."""

SYNONYMS = {
    row["asked"]: row["title"]
    for row in csv.DictReader((Path(__file__).parent / "synonyms.csv").read_text(encoding="utf-8").splitlines())
}
"""What people call a trade, and words of the titles that it has in the archive; folded."""
ENDINGS = re.compile("(?<=....)(?:euses?|eurs?|rices?|[ie]eres?|[ie]ers?|iennes?|iens?|ages?|e?s|x|e)$")
"""What is left without them is what words of one family begin with: soudeuses, soudage."""
LEAST_LETTERS, LIKENESS = 5, 0.8
"""A word of as many letters may be mistyped: one letter in five is wrong, missing, too many or in another's place."""


class Titles:
    """The job titles of a release by label, and which of them have which word."""

    def __init__(self, titles: list[tuple[str, str]]) -> None:
        self.listed = titles
        self.titles = sorted(titles, key=lambda title: (title[1], title[0]))
        having: dict[str, list[int]] = defaultdict(list)
        firsts, sizes = [], []
        for number, (_, label) in enumerate(self.titles):
            found = words(label)
            sizes.append(len(found))
            firsts.append(found[0] if found else "")
            for word in set(found):
                having[word].append(number)
        self.vocabulary = sorted(having)
        self.having = [np.array(having[word], np.int32) for word in self.vocabulary]
        position = {word: number for number, word in enumerate(self.vocabulary)}
        self.firsts = np.array([position.get(word, -1) for word in firsts], np.int32)
        # what comes first where all else is equal: the shorter, then the alphabet
        self.places = np.argsort(np.lexsort((np.arange(len(titles)), np.array(sizes, np.int32))))

    @classmethod
    def read(cls, connection: Connection) -> "Titles":
        """The titles of table `romeogrs`, listed by code."""
        row = tables.romeogrs.c
        query = select(row.code_rome, row.ogr_label).where(row.deleted_at.is_(None))
        found = connection.execute(query.order_by(row.code_rome, row.code_ogr))
        return cls([(rome, label) for rome, label in found])

    def search(self, text: str) -> list[tuple[str, str]]:
        """ROME and title of the ten that fit best; the last word may be the beginning of one.

        A ROME code has its own titles. Titles with every word come first. Where none has them, those that are known by
        the other name (SYNONYMS); then those with words of the same family, or that were mistyped.
        """
        code = fold(text).strip().upper()
        if re.fullmatch(ROME, code):
            return [self.titles[n] for n in np.argsort(self.places).tolist() if self.titles[n][0] == code][:SHOWN]
        every = list(dict.fromkeys(words(text)))[:MOST_WORDS]
        asked = [word for word in every if word not in LITTLE] or every
        meant = SYNONYMS.get(" ".join(every))
        by_other_name = self._best(words(meant)) if meant and not self._have_all(asked) else []
        return list(dict.fromkeys(by_other_name + self._best(asked)))[:SHOWN]

    def _have_all(self, asked: list[str]) -> bool:
        """Whether a title has all the words, whole."""
        having = [set(self._having(*self._whole(word)).tolist()) for word in asked]
        return bool(set.intersection(*having))

    def _best(self, asked: list[str]) -> list[tuple[str, str]]:
        """The titles that fit words best.

        Best is what has the most of the words, a rare one counting more than one that many titles have; then what
        has the last word whole; then what begins like the question, is shorter, comes first in the alphabet.
        """
        if not asked:
            return []
        scores = np.zeros(len(self.titles))
        for word in asked[:-1]:
            self._score(scores, self._having(*self._nearest(word, self._whole(word))))
        self._score(scores, self._having(*self._nearest(asked[-1], self._beginning(asked[-1]))))
        found = np.flatnonzero(scores)
        _, worse = np.unique(-scores[found], return_inverse=True)
        last = np.isin(found, self._having(*self._whole(asked[-1])))
        first, end = self._beginning(asked[0])
        begins = (self.firsts[found] >= first) & (self.firsts[found] < end)
        best = np.lexsort((self.places[found], ~begins, ~last, worse))[:SHOWN]
        return [self.titles[number] for number in found[best].tolist()]

    def _score(self, scores: Array, numbers: Array) -> None:
        if len(numbers):
            scores[numbers] += np.log(1 + len(self.titles) / len(numbers))

    def _having(self, first: int, end: int) -> Array:
        """The titles that have one of the words from `first` to before `end`, each once."""
        if end - first == 1:
            return self.having[first]
        return np.unique(np.concatenate([np.empty(0, np.int32), *self.having[first:end]]))

    def _nearest(self, word: str, known: tuple[int, int]) -> tuple[int, int]:
        """The words that are meant: those known, else of the same family, else the likeliest for one mistyped."""
        first, end = known
        if first == end and (stem := ENDINGS.sub("", word)) != word:
            first, end = self._beginning(stem)
        if first == end and len(word) >= LEAST_LETTERS:
            scorer = OSA.normalized_similarity
            if found := process.extractOne(word, self.vocabulary, scorer=scorer, score_cutoff=LIKENESS):
                first, end = self._whole(found[0])
        return first, end

    def _whole(self, word: str) -> tuple[int, int]:
        first = bisect_left(self.vocabulary, word)
        return first, first + (self.vocabulary[first : first + 1] == [word])

    def _beginning(self, start: str) -> tuple[int, int]:
        return bisect_left(self.vocabulary, start), bisect_left(self.vocabulary, start + "\U0010ffff")
