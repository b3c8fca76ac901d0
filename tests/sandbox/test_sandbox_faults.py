"""Faults on request: each spoils the answer as it says, and tells whether the request counted."""

import time

import pytest
import requests

from tests.sandbox.harness import Client, Sandbox, code_of

POSTS = {"method": "POST", "path": "/accounts"}


def create(api: Client, name: str = "a") -> requests.Response:
    return api.request("POST", "accounts", {"name": name})


def names(sandbox: Sandbox) -> list[str]:
    return [row["name"] for row in sandbox.dump("accounts")]


def test_a_status_is_answered_and_nothing_applied(api: Client, sandbox: Sandbox) -> None:
    act = {
        "status": 429,
        "code": "0x80072322",
        "message": "Too many requests.",
        "headers": {"Retry-After": "7"},
    }
    number = sandbox.fault(POSTS, act, times=1)
    answer = create(api)
    assert (answer.status_code, code_of(answer)) == (429, "0x80072322")
    assert answer.headers["Retry-After"] == "7"
    assert names(sandbox) == []
    assert create(api, "after").status_code == 204
    faults = [entry["fault"] for entry in sandbox.journal() if entry["method"] == "POST"]
    assert faults[-2:] == [number, None]


def test_a_status_applies_first_when_told_to(api: Client, sandbox: Sandbox) -> None:
    sandbox.fault(POSTS, {"status": 500, "apply": True})
    assert create(api).status_code == 500
    assert names(sandbox) == ["a"]


@pytest.mark.parametrize(("moment", "applied"), [("before", []), ("after", ["a"])])
def test_a_connection_is_reset_before_or_after_the_write(
    api: Client, sandbox: Sandbox, moment: str, applied: list[str]
) -> None:
    sandbox.fault(POSTS, {"drop": moment})
    with pytest.raises(requests.ConnectionError):
        create(api)
    assert names(sandbox) == applied
    [entry] = [entry for entry in sandbox.journal() if entry["method"] == "POST"][-1:]
    assert (entry["status"], entry["applied"]) == (None, bool(applied))


def test_half_a_body_is_promised_whole(api: Client, sandbox: Sandbox) -> None:
    sandbox.fault({"path": "WhoAmI"}, {"half_body": True}, times=1)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        api.get("WhoAmI")
    assert api.get("WhoAmI").status_code == 200


def test_an_answer_without_body_is_cut_in_its_head(api: Client, sandbox: Sandbox) -> None:
    sandbox.fault(POSTS, {"half_body": True})
    with pytest.raises(requests.ConnectionError):
        create(api)
    assert names(sandbox) == ["a"]


def test_a_body_drips(api: Client, sandbox: Sandbox) -> None:
    sandbox.fault({"path": "RetrieveVersion"}, {"drip": 0.001})
    size = len(api.get("RetrieveVersion()").content)
    begun = time.monotonic()
    assert api.get("RetrieveVersion()").json()["Version"]
    assert time.monotonic() - begun >= size * 0.001


def test_latencies_add_up_and_compose_with_another_fault(api: Client, sandbox: Sandbox) -> None:
    sandbox.fault({"path": "accounts"}, {"latency": 0.1})
    sandbox.fault({"path": "accounts"}, {"status": 503})
    sandbox.fault({"path": "accounts"}, {"latency": 0.1})
    sandbox.fault({"path": "accounts"}, {"status": 500})
    begun = time.monotonic()
    assert create(api).status_code == 503
    assert time.monotonic() - begun >= 0.2


def test_a_redirect_names_another_place(api: Client, sandbox: Sandbox) -> None:
    sandbox.fault({"path": "WhoAmI"}, {"redirect": "https://elsewhere.example/"})
    answer = api.session.get(f"{sandbox.api_url}WhoAmI", allow_redirects=False, timeout=10)
    assert (answer.status_code, answer.headers["Location"]) == (302, "https://elsewhere.example/")


def test_a_page_of_text_or_broken_json_comes_with_200(api: Client, sandbox: Sandbox) -> None:
    sandbox.fault({"path": "WhoAmI"}, {"body": "<html>Sign in</html>"})
    sandbox.fault({"path": "accounts"}, {"wrong_json": True})
    page = api.get("WhoAmI")
    assert (page.status_code, page.text) == (200, "<html>Sign in</html>")
    broken = api.get("accounts")
    assert broken.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        broken.json()


def test_the_nth_request_alone_is_hit(api: Client, sandbox: Sandbox) -> None:
    sandbox.fault({"path": "WhoAmI", "nth": 2}, {"status": 503})
    assert [api.get("WhoAmI").status_code for _ in range(4)] == [200, 503, 200, 200]


def test_chance_repeats_itself_for_the_same_seed(api: Client, sandbox: Sandbox) -> None:
    def run() -> list[int]:
        sandbox.door("DELETE", "faults")
        match = {"path": "WhoAmI", "probability": 0.5, "seed": 42}
        sandbox.fault(match, {"status": 503})
        return [api.get("WhoAmI").status_code for _ in range(20)]

    first = run()
    assert set(first) == {200, 503}
    assert run() == first


def test_rules_are_listed_and_removed(api: Client, sandbox: Sandbox) -> None:
    answer = sandbox.door(
        "POST",
        "faults",
        [
            {"match": {"path": "WhoAmI"}, "act": {"status": 503}, "times": 1},
            {"match": {"path": "never"}, "act": {"latency": 1}},
        ],
    )
    assert answer.status_code == 201
    api.get("WhoAmI")
    listed = sandbox.door("GET", "faults").json()["value"]
    assert [(rule["path"], rule["hits"]) for rule in listed] == [("WhoAmI", 1), ("never", 0)]
    assert sandbox.door("DELETE", "faults").status_code == 204
    assert sandbox.door("GET", "faults").json()["value"] == []


@pytest.mark.parametrize(
    ("rule", "named"),
    [
        ({"match": {"route": "x"}, "act": {}}, "probability"),
        ({"match": {}, "act": {"explode": True}}, "half_body"),
        ({"when": {}, "act": {}}, "times"),
        ({"match": {}, "act": {"drop": "sometimes"}}, "before"),
        ({"match": {"path": "("}, "act": {}}, "cannot be read"),
    ],
)
def test_a_rule_that_is_not_understood_is_refused_with_what_would_be(
    sandbox: Sandbox, rule: dict[str, object], named: str
) -> None:
    answer = sandbox.door("POST", "faults", rule)
    assert answer.status_code == 400
    assert named in answer.json()["error"]


def test_the_sandboxs_own_doors_are_never_hit(sandbox: Sandbox) -> None:
    sandbox.fault({}, {"status": 503})
    assert sandbox.door("GET", "faults").status_code == 200
    assert sandbox.app_token().status_code == 503
