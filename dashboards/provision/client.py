"""The library's client (`grafana-api`) on a transport that does what Grafana's API needs.

The library reads every answer as JSON, so that an empty 204 is an error; takes a word in an error's text for
a field; follows redirects, repeats nothing and has no way to say which organisation is meant. Its resources
(`organizations`, `folder`, ...) all go through `api.GET`, `api.POST` and so on, so it is enough to put real
ones in their place.
"""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests
from grafana_api.grafana_api import GrafanaAPI
from grafana_api.grafana_face import GrafanaFace

from dashboards.provision.errors import (
    GrafanaConflict,
    GrafanaError,
    GrafanaMissing,
    GrafanaRefuses,
    GrafanaUnavailable,
)

Auth = tuple[str, str] | str
"""A user's name and password, or a token."""

Sleep = Callable[[float], None]

TIMEOUT_S = 30.0
ATTEMPTS = 4
PAUSE_S = 0.5
"""Before the second attempt; twice as long before each further one, or as long as Grafana says."""
LONGEST_PAUSE_S = 30.0

BUSY = 429
DOWN = 500
"""And above: 500 too, as a Grafana on SQLite answers it while its database is locked."""
REPEATABLE = {"GET", "PUT", "DELETE"}
"""What may be sent again when nobody knows whether it was done."""

_ERRORS = {
    401: GrafanaRefuses,
    403: GrafanaRefuses,
    404: GrafanaMissing,
    409: GrafanaConflict,
    412: GrafanaConflict,
}

_TAKEN = "name-match"
"""Status in the body of a 400: a dashboard is named as a folder is."""


class Transport(GrafanaAPI):  # type: ignore[misc]
    """Requests to one Grafana as one user; real methods win over the library's `__getattr__`."""

    def __init__(self, url: str, auth: Auth, organization: int | None, sleep: Sleep) -> None:
        parts = urlsplit(url)
        prefix = parts.path.strip("/")
        super().__init__(
            auth if isinstance(auth, str) else tuple(word.encode() for word in auth),
            host=f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname,
            port=parts.port,
            url_path_prefix=f"{prefix}/" if prefix else "",
            protocol=parts.scheme,
            timeout=TIMEOUT_S,
        )
        if organization is not None:
            self.s.headers["X-Grafana-Org-Id"] = str(organization)
        self._sleep = sleep

    def __getattr__(self, name: str) -> Any:
        """The library takes any name for a verb, and says so only when it is sent."""
        raise AttributeError(name)

    def __repr__(self) -> str:
        return f"Transport({self.url})"

    def GET(self, path: str, params: dict[str, Any] | None = None) -> Any:  # noqa: N802 - the library's
        """Read."""
        return self._send("GET", path, params=params)

    def POST(self, path: str, json: Any = None) -> Any:  # noqa: N802
        """Make."""
        return self._send("POST", path, json=json)

    def PUT(self, path: str, json: Any = None) -> Any:  # noqa: N802
        """Replace."""
        return self._send("PUT", path, json=json)

    def PATCH(self, path: str, json: Any = None) -> Any:  # noqa: N802
        """Change in part."""
        return self._send("PATCH", path, json=json)

    def DELETE(self, path: str) -> Any:  # noqa: N802
        """Take away."""
        return self._send("DELETE", path)

    def _send(self, verb: str, path: str, **what: Any) -> Any:
        for attempt in range(ATTEMPTS):
            last = attempt == ATTEMPTS - 1
            try:
                answer = self._once(verb, path, **what)
            except requests.exceptions.SSLError:
                raise GrafanaUnavailable(
                    f"{self.url} shows no certificate that is trusted: is it https, and is its authority in "
                    "the file that REQUESTS_CA_BUNDLE names?"
                ) from None
            except requests.RequestException as error:
                if last or verb not in REPEATABLE:
                    raise GrafanaUnavailable(
                        f"{self.url} does not answer ({type(error).__name__}): is Grafana running, and is "
                        "FAULTLINE_GRAFANA_URL right?"
                    ) from None
                self._sleep(PAUSE_S * 2**attempt)
                continue
            again = answer.status_code == BUSY or (answer.status_code >= DOWN and verb in REPEATABLE)
            if last or not again:
                break
            self._sleep(_pause_s(answer, attempt))
        return _read(answer, f"{verb} {path}")

    def _once(self, verb: str, path: str, **what: Any) -> requests.Response:
        return self.s.request(
            verb, f"{self.url}{path}", auth=self.auth, timeout=self.timeout, allow_redirects=False, **what
        )


class Client(GrafanaFace):  # type: ignore[misc]
    """The library's resources over our transport. `organization`: where a server's administrator acts."""

    def __init__(
        self, url: str, auth: Auth, organization: int | None = None, sleep: Sleep = time.sleep
    ) -> None:
        super().__init__(auth)
        self.api = Transport(url, auth, organization, sleep)
        for resource in vars(self).values():
            if hasattr(resource, "api"):
                resource.api = self.api


def _pause_s(answer: requests.Response, attempt: int) -> float:
    said = answer.headers.get("Retry-After", "")
    return min(float(said), LONGEST_PAUSE_S) if said.isdigit() else PAUSE_S * 2**attempt


def _read(answer: requests.Response, asked: str) -> Any:
    try:
        body = answer.json() if answer.content else None
    except ValueError:
        body = answer.text
    status = answer.status_code
    if status < 300:
        return body
    said = body.get("message") if isinstance(body, dict) else None
    told = f"Grafana answered {status} to {asked}: {said or answer.reason or 'no reason given'}"
    if status < 400:
        told = f"Grafana sends {asked} elsewhere ({status}): set FAULTLINE_GRAFANA_URL to where it is"
    if status >= DOWN or status == BUSY:
        raise GrafanaUnavailable(told)
    if isinstance(body, dict) and body.get("status") == _TAKEN:
        raise GrafanaConflict(told)
    raise _ERRORS.get(status, GrafanaError)(told)
