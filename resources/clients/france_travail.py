"""France Travail's APIs: tokens, the ROME for the batch, and live data for the read API.

Each API has a token of its own, because one unknown scope makes the request for a token fail. Addresses, scopes and the
version of the ROME API are settings: the service has changed its name, its hosts and its routes before.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from resources.clients.http import Bearer, Http, RateLimiter
from resources.errors import NoCredentialsError, ServiceError
from resources.settings import Settings

TOKEN_SECONDS = 15 * 60
"""A token is used for at most so long; the service says when it expires (after about 1,500 s)."""

SPARE_SECONDS = 30
"""A token that expires within this time is renewed."""

KILOMETRES = 30
"""The radius around a commune for offers and companies, as in the old system."""

SKILL_LISTS = ("competencesMobiliseesPrincipales", "competencesMobilisees", "competencesMobiliseesEmergentes")


@dataclass(frozen=True)
class Rome:
    """A ROME code in the API: its titles (OGR code, label) and the labels of its skills, both sorted."""

    titles: list[tuple[int, str]]
    skills: list[str]


class FranceTravail:
    """A client of the APIs, with the application's credentials. Threads can share it."""

    def __init__(self, settings: Settings, http: Http) -> None:
        self._settings = settings
        self._http = http
        self._tokens: dict[str, tuple[str, float]] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        self._rome_limiter = RateLimiter(settings.pace)

    @property
    def has_credentials(self) -> bool:
        """Whether the credentials are set."""
        return bool(self._settings.ft_client_id and self._settings.ft_client_secret)

    def token(self, scope: str) -> str:
        """A token of a scope, requested once and shared by all threads until it expires.

        Raises NoCredentialsError if no credentials are set, ServiceError if the service refuses.
        """
        with self._lock:
            lock = self._locks.setdefault(scope, threading.Lock())
        with lock:
            token, expires = self._tokens.get(scope, ("", 0.0))
            if time.monotonic() >= expires:
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
        # The body holds the secret, so redirects are not followed.
        url, service = self._settings.ft_token_url, "France Travail (token)"
        status, found = self._http.json("POST", url, service, data=form, allow_redirects=False)
        if 300 <= status < 400:
            raise ServiceError(f"{service} has moved: see MOBIVILLE_FT_TOKEN_URL", status=status)
        if not isinstance(found, dict) or "access_token" not in found:
            raise ServiceError(
                f"{service} refuses the credentials or the scope `{scope}` (status {status}): check that the "
                "application at https://francetravail.io is subscribed to the API",
                status=status,
            )
        return str(found["access_token"]), _number(found, "expires_in") or TOKEN_SECONDS

    def _request(self, method: str, path: str, scope: str, **arguments: Any) -> Any:
        """The JSON of an API's response; None for 204 and 404. A token that the API rejects is renewed once."""
        service = f"France Travail {path.partition('/')[0]}"
        url = f"{self._settings.ft_api_url}/{path}"
        headers = {"Accept": "application/json"}  # without it, some of the APIs send XML
        for last_try in (False, True):
            token = self.token(scope)
            status, found = self._http.json(method, url, service, auth=Bearer(token), headers=headers, **arguments)
            if status != 401 or last_try:
                break
            self._forget(scope, token)
        if status == 404:
            return None
        if not 200 <= status < 300:
            what = {
                401: "rejects the token",
                403: f"refuses the application: subscribe it to the API (scope `{scope}`)",
            }
            raise ServiceError(f"{service} {what.get(status, 'refused the request')} (status {status})", status=status)
        return found

    def _forget(self, scope: str, token: str) -> None:
        """Drop a token, unless another thread has renewed it."""
        with self._lock:
            if self._tokens.get(scope, ("", 0.0))[0] == token:
                del self._tokens[scope]

    # ROME

    def rome(self, code: str) -> Rome | None:
        """Titles and skills of a ROME code; None if the API does not know it."""
        if self._settings.ft_rome == "1":
            return self._rome_of_version_1(code)
        found = self._request_rome(f"rome-metiers/v1/metiers/metier/{quote(code, safe='')}")
        if found is None:
            return None
        skills = [item for name in SKILL_LISTS for item in _listed(found, name)]
        return Rome(_titles(_listed(found, "appellations", needed=True)), _labels(skills))

    def _rome_of_version_1(self, code: str) -> Rome | None:
        """As `rome`, from the ROME API v1: the labels of the skills and of their `noeudCompetence`."""
        titles = self._request_rome(f"rome/v1/metier/{quote(code, safe='')}/appellation")
        if titles is None:
            return None
        skills = self._request_rome(f"rome/v1/metier/{quote(code, safe='')}/competence") or []
        nodes = [skill["noeudCompetence"] for skill in _dicts(skills) if isinstance(skill.get("noeudCompetence"), dict)]
        return Rome(_titles(_dicts(titles)), _labels([*_dicts(skills), *nodes]))

    def _request_rome(self, path: str) -> Any:
        self._rome_limiter.wait()
        return self._request("GET", path, self._settings.ft_scope_rome)

    # live data for the read API

    def offers(self, romes: Sequence[str], communes: Sequence[str], *, count_only: bool = False) -> dict[str, Any]:
        """Job offers around communes (Offres d'emploi v2): `resultats` (at most 150; none with `count_only`) and
        `totalOffres`, the sum of the numbers of offers by kind of contract.
        """
        params = {"codeROME": ",".join(romes)} if romes else {}
        params |= {"commune": ",".join(communes), "distance": str(KILOMETRES)} if communes else {}
        params |= {"range": "0-0"} if count_only else {}
        path = "offresdemploi/v2/offres/search"
        found = self._request("GET", path, self._settings.ft_scope_offers, params=params)
        kinds = [item for item in _listed(found, "filtresPossibles") if item.get("filtre") == "typeContrat"]
        total = sum(int(_number(count, "nbResultats") or 0) for kind in kinds for count in _listed(kind, "agregation"))
        return {"resultats": [] if count_only else _listed(found, "resultats"), "totalOffres": total}

    def salaries(self, rome: str) -> tuple[float, float] | None:
        """Lowest and highest monthly salary (EUR) of a ROME's family in France, last period; None if unknown."""
        path = "stats-offres-demandes-emploi/v1/indicateur/salaire-rome-fap/NAT/FR"
        periods = _listed(
            self._request("GET", path, self._settings.ft_scope_market, params={"codeRome": rome}), "valeursParPeriode"
        )
        if not periods:
            return None
        last = max(periods, key=lambda period: str(period.get("codePeriode", "")))
        amounts = [_number(item, "valeurPrincipaleMontant") for item in _listed(last, "salaireValeurMontant")]
        known = [amount for amount in amounts if amount]
        return (min(known), max(known)) if known else None

    def tension(self, rome: str, kind: str, territory: str) -> float | None:
        """Last year's tension of a ROME in a territory (kind: BASBMO or DEP): the indicator PERSPECTIVE."""
        return self._indicator(
            "stats-offres-demandes-emploi/v1/indicateur/stat-perspective-employeur",
            self._settings.ft_scope_market,
            _criteria(rome, kind, territory, "ANNEE", "TYPE_TENSION"),
            "valeurPrincipaleNombre",
            "PERSPECTIVE",
        )

    def hiring_rate(self, rome: str, basin: str) -> float | None:
        """Share of a basin's job seekers in a ROME who found work within six months, last quarter, percent."""
        return self._indicator(
            "stats-perspectives-retour-emploi/v1/indicateur/stat-acces-emploi",
            self._settings.ft_scope_hiring,
            _criteria(rome, "BASBMO", basin, "TRIMESTRE", "DUREEEMP"),
            "valeurSecondaireTaux",
        )

    def _indicator(
        self, path: str, scope: str, criteria: dict[str, Any], value: str, nomenclature: str | None = None
    ) -> float | None:
        periods = _listed(self._request("POST", path, scope, json=criteria), "listeValeursParPeriode")
        found = (p for p in periods if nomenclature is None or p.get("codeNomenclature") == nomenclature)
        return next((_number(period, value) for period in found), None)

    def companies(self, romes: Sequence[str], commune: str, *, by_distance: bool) -> dict[str, Any]:
        """Companies around a commune (La Bonne Boîte v2): `companies_count` and `companies`: at most ten, with the
        fields of v2 and, for the web tier, the names that v1 had for them.
        """
        params = {"rome": list(romes), "citycode": commune, "distance": KILOMETRES, "page": 1, "page_size": 10}
        params |= {"sort_by": "distance", "sort_direction": "asc"} if by_distance else {}
        found = self._request("GET", "labonneboite/v2/recherche", self._settings.ft_scope_companies, params=params)
        return {
            "companies_count": int(_number(found, "hits") or 0),
            "companies": [*map(_company, _listed(found, "items"))],
        }


def _company(item: dict[str, Any]) -> dict[str, Any]:
    location = item.get("location") if isinstance(item.get("location"), dict) else {}
    least, most = item.get("headcount_min"), item.get("headcount_max")
    return {
        **item,
        "name": item.get("office_name") or item.get("company_name"),
        "naf_text": item.get("naf_label"),
        "lat": location.get("lat") if location else None,
        "lon": location.get("lon") if location else None,
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
    """The objects in the list of that name in a response. Raises ServiceError if a needed list is missing."""
    if needed and not (isinstance(found, dict) and isinstance(found.get(name), list)):
        raise ServiceError(f"France Travail's response has no `{name}`: its API has changed, see MOBIVILLE_FT_ROME")
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
