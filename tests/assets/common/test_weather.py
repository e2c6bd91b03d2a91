import pandas as pd
import pytest

from assets.common.weather import mean_temperature, stations_with_temperature

SHEET = """FICHE CLIMATOLOGIQUE;
Statistiques 1981-2010 et records;
La température la plus élevée (°C);
;16.1;18.8;24.1;27.7;31.9;36.8;40.4;39.5;34.6;28.2;20.9;16.9;40.4;
Température moyenne (Moyenne en °C);
Statistiques établies sur la période 1981-2010;
;1;2;3;4;5;6;7;8;9;10;11;-12;99.9;
"""


def test_the_mean_of_the_twelve_months_not_of_the_year() -> None:
    assert mean_temperature(SHEET) == pytest.approx((66 - 12) / 12)


def test_a_sheet_without_temperatures_has_no_mean() -> None:
    assert mean_temperature("Température moyenne\nDonnées non disponibles\n") is None
    assert mean_temperature("") is None


def test_the_period_line_may_be_missing_and_decimals_may_have_commas() -> None:
    assert mean_temperature("Température moyenne\n;1,5;1,5;1,5;1,5;1,5;1,5;1,5;1,5;1,5;1,5;1,5;1,5;9\n") == 1.5


def test_stations_get_back_their_zero_and_their_sheet() -> None:
    stations = pd.DataFrame({"station": ["1089001", "75114001"], "latitude": [45.9, 48.8], "longitude": [5.3, 2.3]})
    found = stations_with_temperature(stations, {"FICHECLIM_01089001.data": 11.5, "FICHECLIM_1.data": None})
    assert found["sheet"].tolist() == ["FICHECLIM_01089001.data", "FICHECLIM_75114001.data"]
    assert found["temperature"][0] == 11.5
    assert pd.isna(found["temperature"][1])
