"""The criteria by which readers choose a city, and what an opportunity is: the one description of both."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

OPPORTUNITY_BELOW = 4
"""A ROME is an opportunity in a basin where its `ind_t` is below this: the web tier's reading of the classes 1 to 5."""

Condition = tuple[str, Callable[[Any, Any], Any], float]


@dataclass(frozen=True)
class Criterion:
    """A criterion, with the web tier's labels, and the conditions on columns of `cities` that meet it."""

    key: str
    label: str
    tag: str
    icon: str
    weight: int
    sub_label: str | None
    conditions: tuple[Condition, ...]

    def met(self, columns: Any) -> Any:
        """Whether it is met, column by column: of a DataFrame a boolean Series, of a SQL table a condition.

        An unknown value (NULL) meets no condition.
        """
        return reduce(operator.and_, (compare(columns[name], bound) for name, compare, bound in self.conditions))


CRITERIA = (
    Criterion("side-sea", "Mer", "environment", "waves", 4, None, (("distance_from_sea", operator.le, 30),)),
    Criterion("mountain", "Montagne", "environment", "terrain", 4, None, (("z_moyen", operator.ge, 600),)),
    Criterion(
        "campagne", "Campagne", "environment", "nature", 4, None,
        (("distance_from_sea", operator.ge, 30), ("population", operator.le, 20), ("z_moyen", operator.le, 600)),
    ),
    Criterion(
        "small-city", "Petite ville", "city", "person", 5, "moins de 20 000 habitants",
        (("population", operator.le, 20),),
    ),
    Criterion(
        "medium-city", "Ville moyenne", "city", "people_alt", 5, "entre 20 000 habitants et 50 000 habitants",
        (("population", operator.gt, 20), ("population", operator.lt, 50)),
    ),
    Criterion(
        "big-city", "Grande ville", "city", "groups", 5, "entre 50 000 habitants et 200 000 habitants",
        (("population", operator.ge, 50), ("population", operator.lt, 200)),
    ),
    Criterion(
        "extra-big-city", "Métropole", "city", "apartment", 5, "plus de 200 000 habitants",
        (("population", operator.ge, 200),),
    ),
)  # fmt: skip
"""In the order in which they are shown. Population in thousands, altitude in m, distance in km."""
