"""Killed at any moment, or published over and over: what readers see stays whole."""

import multiprocessing
import random
import threading
import time
from pathlib import Path

from sqlalchemy import Engine

from tests.warehouse.making import done, jobs, one_look, regions
from warehouse.database import connect
from warehouse.release import Contents, history

KILLS = 100
RELEASES = 200
ROWS = 50


def both(folder: Path) -> list[list[Contents]]:
    return [[jobs(folder, n, rows=ROWS), regions(folder, n)] for n in (1, 2)]


def publish_for_ever(url: str, new: list[list[Contents]]) -> None:
    engine = connect(url)
    while True:
        for contents in new:
            done(engine, *contents)


def test_killed_at_any_moment_the_served_release_is_whole(
    warehouse: Engine, warehouse_url: str, tmp_path: Path
) -> None:
    new, rng = both(tmp_path), random.Random(3)
    done(warehouse, *new[0])
    warehouse.dispose()
    context, seen = multiprocessing.get_context("fork"), set()
    for _ in range(KILLS):
        process = context.Process(target=publish_for_ever, args=(warehouse_url, new))
        process.start()
        time.sleep(rng.uniform(0.01, 0.25))
        process.kill()
        process.join()
        look = one_look(warehouse)
        assert look in {(ROWS, 1, 1, 1), (ROWS, 2, 2, 2)}
        seen.add(look)
        assert set(history(warehouse, limit=1)[0].tables) == {"cities_jobs", "new_regions"}
    assert len(seen) == 2  # the kills were spread over releases that did happen
    last = one_look(warehouse)
    assert done(warehouse, *new[last[1] % 2]).id == history(warehouse)[0].id
    assert one_look(warehouse) != last


def test_readers_of_200_releases_see_no_error_and_no_mixture(
    warehouse: Engine, warehouse_url: str, tmp_path: Path
) -> None:
    new = both(tmp_path)
    done(warehouse, *new[0])
    stop, looks, errors = threading.Event(), [0, 0], list[Exception]()

    def read() -> None:
        reader = connect(warehouse_url)
        while not stop.is_set():
            try:
                look = one_look(reader)
                assert look in {(ROWS, 1, 1, 1), (ROWS, 2, 2, 2)}, look
                looks[look[1] - 1] += 1
            except Exception as error:
                errors.append(error)
        reader.dispose()

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(1, RELEASES):
        done(warehouse, *new[number % 2])
    stop.set()
    for thread in threads:
        thread.join()
    assert errors == []
    assert min(looks) > 0
    assert history(warehouse, limit=1)[0].id == RELEASES
