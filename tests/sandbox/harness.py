"""A running sandbox and the ways in which tests talk to it."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import requests
from requests.adapters import HTTPAdapter

from crmsync.sandbox.environment import open_environment
from crmsync.sandbox.server import Server

API = "/api/data/v9.2/"


class Redirect(HTTPAdapter):
    """Carries requests for an invented https name to the sandbox's port; the Host stays."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self._base_url = base_url

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        parts = urlsplit(str(request.url))
        request.headers["Host"] = parts.netloc
        request.url = self._base_url + str(request.url).removeprefix(f"https://{parts.netloc}")
        return super().send(request, **kwargs)


@dataclass
class Sandbox:
    """A sandbox at work; `api` is signed in as the application user, `admin` as administrator."""

    base_url: str
    ready: dict[str, Any]
    sessions: list[requests.Session] = field(default_factory=list)

    @property
    def api_url(self) -> str:
        return self.base_url + API

    def token(self, **form: str) -> requests.Response:
        url = f"{self.base_url}/{self.ready['tenant']}/oauth2/v2.0/token"
        return requests.post(url, data={"scope": f"{self.base_url}/.default", **form}, timeout=10)

    def app_token(self, application: Mapping[str, str] | None = None) -> requests.Response:
        chosen = application or self.ready["application"]
        return self.token(
            grant_type="client_credentials",
            client_id=chosen["client_id"],
            client_secret=chosen["client_secret"],
        )

    def user_token(self, user: Mapping[str, str]) -> requests.Response:
        return self.token(
            grant_type="password",
            client_id=self.ready["application"]["client_id"],
            username=user["username"],
            password=user["password"],
        )

    def signed_in(self, token: requests.Response) -> "Client":
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {token.json()['access_token']}"
        self.sessions.append(session)
        return Client(self, session)

    def application(self) -> "Client":
        return self.signed_in(self.app_token())

    def administrator(self) -> "Client":
        return self.signed_in(self.user_token(self.ready["administrator"]))

    def dump(self, entity_set: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.door("GET", f"dump/{entity_set}").json()["value"]
        return rows

    def journal(self, since: int = 0) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.door("GET", f"journal?since={since}").json()["value"]
        return entries

    def fault(self, match: Mapping[str, object], act: Mapping[str, object], **rule: object) -> int:
        answer = self.door("POST", "faults", {"match": match, "act": act, **rule})
        assert answer.status_code == 201, answer.text
        number: int = answer.json()["id"]
        return number

    def edit(self, *edits: Mapping[str, object]) -> requests.Response:
        return self.door("POST", "edit", list(edits))

    def plant(self, *wishes: object) -> list[str]:
        """Plant what others have; return the ids of the rows made."""
        answer = self.door("POST", "plant", list(wishes))
        assert answer.status_code == 200, answer.text
        ids: list[str] = answer.json()["planted"]
        return ids

    def door(self, method: str, path: str, body: object = None) -> requests.Response:
        return requests.request(method, f"{self.base_url}/_sandbox/{path}", json=body, timeout=10)


@dataclass
class Client:
    """A signed-in caller of the Web API; paths are relative to its root."""

    sandbox: Sandbox
    session: requests.Session

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        prefer: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        url = path if path.startswith("http") else self.sandbox.api_url + path
        given = {**({"Prefer": prefer} if prefer else {}), **(headers or {})}
        return self.session.request(method, url, json=body, headers=given, timeout=20)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.request("GET", path, **options)

    def rows(self, path: str, *, prefer: str | None = None) -> list[dict[str, Any]]:
        """Follow nextLink to the end and return all rows."""
        rows: list[dict[str, Any]] = []
        for page in self.pages(path, prefer=prefer):
            rows += page["value"]
        return rows

    def pages(self, path: str, *, prefer: str | None = None) -> Iterator[dict[str, Any]]:
        link: str | None = path
        while link:
            answer = self.get(link, prefer=prefer)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            yield page
            link = page.get("@odata.nextLink")

    def created(self, entity_set: str, **values: object) -> str:
        """Create a row and return its id."""
        answer = self.request("POST", entity_set, values)
        assert answer.status_code == 204, answer.text
        return answer.headers["OData-EntityId"].rpartition("(")[2].rstrip(")")


def code_of(answer: requests.Response) -> str:
    code: str = answer.json()["error"]["code"]
    return code


def refused(answer: requests.Response) -> tuple[int, str]:
    """Return the status and error code of an answer that must be a refusal."""
    return answer.status_code, code_of(answer)


def new_id() -> str:
    return str(uuid4())


@contextmanager
def running(data_file: Path, *, seed: str = "empty", customers: int = 40) -> Iterator[Sandbox]:
    """Run a sandbox in this process, on a free port."""
    environment = open_environment(data_file, seed=seed, customers=customers)
    with Server(environment, 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        ready: dict[str, Any] = server.ready_line()
        sandbox = Sandbox(str(ready["base_url"]), ready)
        try:
            yield sandbox
        finally:
            for session in sandbox.sessions:
                session.close()
            server.shutdown()
            thread.join()
    environment.store.close()
