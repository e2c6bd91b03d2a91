import pandas as pd

from assets.helps import helps_table


def test_aids_keep_their_order_and_have_no_view_yet() -> None:
    records = pd.DataFrame({"title": ["b", "a"], "slug": ["b", "a"]})
    table = helps_table(records)
    assert table["title"].tolist() == ["b", "a"]
    assert table["count_vue"].tolist() == [0, 0]
