"""France Travail's APIs: a token per scope, the ROME for the batch, and what the web tier asks live.

An unknown scope fails the whole token, so each API has a token of its own. Addresses, scopes and the version of the
ROME API are settings: the service has changed its name, its hosts and its routes before.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from resources.clients.http import Bearer, Http, Pace
from resources.errors import NoCredentialsError, ServiceError
from resources.settings import Settings

TOKEN_SECONDS = 15 * 60
"""A token is used at most so long; the service says how long it lasts (about 1,500 s)."""

SPARE_SECONDS = 30
"""A token that ends within this time is not used any more."""

KILOMETRES = 30
"""How far around the commune offers and companies are looked for, as the old system did."""

SKILL_LISTS = ("competencesMobiliseesPrincipales", "competencesMobilisees", "competencesMobiliseesEmergentes")


@dataclass(frozen=True)
class Rome:
    """What the API knows of a ROME code: its titles (OGR code, label) and its skills."""

    titles: list[tuple[int, str]]
    skills: list[str]


class FranceTravail:
    """A client of the APIs, with the application's credentials. Threads may share it."""

    def __init__(self, settings: Settings, http: Http) -> None:
        self._settings = settings
        self._http = http
        self._tokens: dict[str, tuple[str, float]] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        self._rome_pace = Pace(settings.pace)

    @property
    def has_credentials(self) -> bool:
        """Whether the credentials are set."""
        return bool(self._settings.ft_client_id and self._settings.ft_client_secret)

    def token(self, scope: str) -> str:
        """A token of a scope, asked for once and kept until it ends; callers that wait for it get the same one.

        Raises NoCredentialsError, and ServiceError when the service refuses.
        """
        with self._lock:
            lock = self._locks.setdefault(scope, threading.Lock())
        with lock:
            token, ends = self._tokens.get(scope, ("", 0.0))
            if time.monotonic() >= ends:
                token, seconds = self._new_token(scope)
                self._tokens[scope] = token, time.monotonic() + min(seconds, TOKEN_SECONDS) - SPARE_SECONDS
            return token

    def _new_token(self, scope: str) -> tuple[str, float]:
        secret = self._settings.ft_client_secret
        if not self._settings.ft_client_id or secret is None:
            raise NoCredentialsError(
                "France Travail's APIs need credentials: set MOBIVILLE_FT_CLIENT_ID and MOBIVILLE_FT_CLIENT_SECRET to "
                "those of an application at https://francetravail.io"
            )
        form = {
            "grant_type": "client_credentials",
            "client_id": self._settings.ft_client_id,
            "client_secret": secret.get_secret_value(),
            "scope": scope,
        }
        # The secret is in the body: it follows no redirect.
        url, service = self._settings.ft_token_url, "France Travail (token)"
        status, found = self._http.json("POST", url, service, data=form, allow_redirects=False)
        if 300 <= status < 400:
            raise ServiceError(f"{service} has moved: see MOBIVILLE_FT_TOKEN_URL", status=status)
        if not isinstance(found, dict) or "access_token" not in found:
            raise ServiceError(
                f"{service} refuses the credentials or the scope `{scope}` (status {status}): look at the application "
                "at https://francetravail.io, which must be subscribed to the API",
                status=status,
            )
        return str(found["access_token"]), _number(found, "expires_in") or TOKEN_SECONDS

    def _ask(self, method: str, path: str, scope: str, **request: Any) -> Any:
        """The JSON of an API's answer; None for 204 and 404. A token that the API does not take is asked anew, once."""
        service = f"France Travail {path.partition('/')[0]}"
        url = f"{self._settings.ft_api_url}/{path}"
        headers = {"Accept": "application/json"}  # without it, some of the APIs answer XML
        for last in (False, True):
            token = self.token(scope)
            status, found = self._http.json(method, url, service, auth=Bearer(token), headers=headers, **request)
            if status != 401 or last:
                break
            self._forget(scope, token)
        if status == 404:
            return None
        if not 200 <= status < 300:
            what = {401: "takes no token", 403: f"is not open to the application: subscribe it (scope `{scope}`)"}
            raise ServiceError(f"{service} {what.get(status, 'refused the request')} (status {status})", status=status)
        return found

    def _forget(self, scope: str, token: str) -> None:
        """Drop a token, unless another thread has got a new one since."""
        with self._lock:
            if self._tokens.get(scope, ("", 0.0))[0] == token:
                del self._tokens[scope]

    # ROME

    def rome(self, code: str) -> Rome | None:
        """Titles and skills of a ROME code; None for a code that the API does not know."""
        if self._settings.ft_rome == "1":
            return self._rome_of_version_1(code)
        found = self._ask_rome(f"rome-metiers/v1/metiers/metier/{quote(code, safe='')}")
        if found is None:
            return None
        skills = [item for name in SKILL_LISTS for item in _listed(found, name)]
        return Rome(_titles(_listed(found, "appellations", needed=True)), _labels(skills))

    def _rome_of_version_1(self, code: str) -> Rome | None:
        """A skill gives its label and, where it has one, that of its `noeudCompetence`."""
        titles = self._ask_rome(f"rome/v1/metier/{quote(code, safe='')}/appellation")
        if titles is None:
            return None
        skills = self._ask_rome(f"rome/v1/metier/{quote(code, safe='')}/competence") or []
        nodes = [skill["noeudCompetence"] for skill in _dicts(skills) if isinstance(skill.get("noeudCompetence"), dict)]
        return Rome(_titles(_dicts(titles)), _labels([*_dicts(skills), *nodes]))

    def _ask_rome(self, path: str) -> Any:
        self._rome_pace.wait()
        return self._ask("GET", path, self._settings.ft_scope_rome)

    # What the web tier asks live

    def offers(self, romes: Sequence[str], communes: Sequence[str], *, count_only: bool = False) -> dict[str, Any]:
        """Offers d'emploi v2 around communes: `resultats` (150 at most; none with `count_only`) and `totalOffres`, the
        sum of the numbers of offers per kind of contract.
        """
        params = {"codeROME": ",".join(romes)} if romes else {}
        params |= {"commune": ",".join(communes), "distance": str(KILOMETRES)} if communes else {}
        params |= {"range": "0-0"} if count_only else {}
        path = "offresdemploi/v2/offres/search"
        found = self._ask("GET", path, self._settings.ft_scope_offers, params=params)
        kinds = [item for item in _listed(found, "filtresPossibles") if item.get("filtre") == "typeContrat"]
        total = sum(int(_number(count, "nbResultats") or 0) for kind in kinds for count in _listed(kind, "agregation"))
        return {"resultats": [] if count_only else _listed(found, "resultats"), "totalOffres": total}

    def salaries(self, rome: str) -> tuple[float, float] | None:
        """The least and the most of the monthly salaries (EUR) of a ROME's family, in France, in the last period."""
        path = "stats-offres-demandes-emploi/v1/indicateur/salaire-rome-fap/NAT/FR"
        periods = _listed(
            self._ask("GET", path, self._settings.ft_scope_market, params={"codeRome": rome}), "valeursParPeriode"
        )
        if not periods:
            return None
        last = max(periods, key=lambda period: str(period.get("codePeriode", "")))
        amounts = [_number(item, "valeurPrincipaleMontant") for item in _listed(last, "salaireValeurMontant")]
        known = [amount for amount in amounts if amount]
        return (min(known), max(known)) if known else None

    def tension(self, rome: str, kind: str, territory: str) -> float | None:
        """Tension of a ROME in a territory (kind: BASBMO or DEP), last year: the indicator PERSPECTIVE."""
        return self._indicator(
            "stats-offres-demandes-emploi/v1/indicateur/stat-perspective-employeur",
            self._settings.ft_scope_market,
            _criteria(rome, kind, territory, "ANNEE", "TYPE_TENSION"),
            "valeurPrincipaleNombre",
            "PERSPECTIVE",
        )

    def hiring_rate(self, rome: str, basin: str) -> float | None:
        """Percent of a basin's job seekers in a ROME who found work within six months, last quarter."""
        return self._indicator(
            "stats-perspectives-retour-emploi/v1/indicateur/stat-acces-emploi",
            self._settings.ft_scope_hiring,
            _criteria(rome, "BASBMO", basin, "TRIMESTRE", "DUREEEMP"),
            "valeurSecondaireTaux",
        )

    def _indicator(
        self, path: str, scope: str, criteria: dict[str, Any], value: str, nomenclature: str | None = None
    ) -> float | None:
        periods = _listed(self._ask("POST", path, scope, json=criteria), "listeValeursParPeriode")
        found = (p for p in periods if nomenclature is None or p.get("codeNomenclature") == nomenclature)
        return next((_number(period, value) for period in found), None)

    def companies(self, romes: Sequence[str], commune: str, *, by_distance: bool) -> dict[str, Any]:
        """La Bonne Boîte v2 around a commune: `companies_count` and `companies`, ten at most, as it has them, beside
        the names that version 1 had for the same.
        """
        params = {"rome": list(romes), "citycode": commune, "distance": KILOMETRES, "page": 1, "page_size": 10}
        params |= {"sort_by": "distance", "sort_direction": "asc"} if by_distance else {}
        found = self._ask("GET", "labonneboite/v2/recherche", self._settings.ft_scope_companies, params=params)
        return {
            "companies_count": int(_number(found, "hits") or 0),
            "companies": [*map(_company, _listed(found, "items"))],
        }


def _company(item: dict[str, Any]) -> dict[str, Any]:
    place = item.get("location") if isinstance(item.get("location"), dict) else {}
    least, most = item.get("headcount_min"), item.get("headcount_max")
    return {
        **item,
        "name": item.get("office_name") or item.get("company_name"),
        "naf_text": item.get("naf_label"),
        "lat": place.get("lat") if place else None,
        "lon": place.get("lon") if place else None,
        "headcount_text": f"{least} à {most} salariés" if least is not None and most is not None else None,
    }


def _criteria(rome: str, kind: str, territory: str, period: str, nomenclature: str) -> dict[str, Any]:
    return {
        "codeTypeTerritoire": kind,
        "codeTerritoire": territory,
        "codeTypeActivite": "ROME",
        "codeActivite": rome,
        "codeTypePeriode": period,
        "codeTypeNomenclature": nomenclature,
        "dernierePeriode": True,
        "sansCaracteristiques": True,
    }


def _dicts(found: Any) -> list[dict[str, Any]]:
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _listed(found: Any, name: str, *, needed: bool = False) -> list[dict[str, Any]]:
    """The objects under a name of an answer. Raises ServiceError for a needed name that is not there."""
    if needed and not (isinstance(found, dict) and isinstance(found.get(name), list)):
        raise ServiceError(f"France Travail answered without `{name}`: its API has changed, see MOBIVILLE_FT_ROME")
    return _dicts(found.get(name)) if isinstance(found, dict) else []


def _titles(items: list[dict[str, Any]]) -> list[tuple[int, str]]:
    codes = [(_number(item, "code"), item.get("libelle")) for item in items]
    return sorted({(int(code), str(label)) for code, label in codes if code is not None and label})


def _labels(items: list[dict[str, Any]]) -> list[str]:
    return sorted({str(item["libelle"]) for item in items if item.get("libelle")})


def _number(item: Any, name: str) -> float | None:
    try:
        return float(item[name])
    except (TypeError, KeyError, ValueError):
        return None
