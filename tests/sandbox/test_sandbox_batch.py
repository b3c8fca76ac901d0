"""`$batch`: order, change sets, references, errors, and strict line ends."""

import json
import re

import pytest
import requests

from tests.sandbox.harness import API, Client, Sandbox, code_of, new_id

Operation = tuple[str, str, object]


def part(method: str, url: str, body: object, *, number: int | None = None) -> str:
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    if number:
        lines.append(f"Content-ID: {number}")
    lines += ["", f"{method} {url} HTTP/1.1"]
    if body is None:
        return "\r\n".join([*lines, "", ""])
    lines += ["Content-Type: application/json; type=entry", "", json.dumps(body)]
    return "\r\n".join(lines)


def change_set(*operations: Operation) -> str:
    parts = [part(*operation, number=n) for n, operation in enumerate(operations, start=1)]
    body = "".join(f"--changeset_1\r\n{text}\r\n" for text in parts) + "--changeset_1--\r\n"
    return f"Content-Type: multipart/mixed; boundary=changeset_1\r\n\r\n{body}"


def send(api: Client, *parts: str, goes_on: bool = False, ends: str = "\r\n") -> requests.Response:
    body = "".join(f"--batch_1\r\n{text}\r\n" for text in parts) + f"--batch_1--{ends}"
    headers = {"Content-Type": 'multipart/mixed; boundary="batch_1"'}
    if goes_on:
        headers["Prefer"] = "odata.continue-on-error"
    url = f"{api.sandbox.api_url}$batch"
    return api.session.post(url, data=body.encode(), headers=headers, timeout=20)


def statuses(answer: requests.Response) -> list[int]:
    return [int(status) for status in re.findall(r"^HTTP/1\.1 (\d+)", answer.text, re.MULTILINE)]


def test_operations_are_carried_out_in_order(api: Client, sandbox: Sandbox) -> None:
    row_id = new_id()
    answer = send(
        api,
        part("POST", "accounts", {"accountid": row_id, "name": "a"}),
        part("PATCH", f"{sandbox.api_url}accounts({row_id})", {"name": "b"}),
        part("GET", f"{API}accounts({row_id})?$select=name", None),
    )
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("multipart/mixed; boundary=batchresponse_")
    assert statuses(answer) == [204, 204, 200]
    assert '"name":"b"' in answer.text


def test_a_batch_stops_at_the_first_failure_and_answers_its_status(
    api: Client, sandbox: Sandbox
) -> None:
    answer = send(
        api,
        part("POST", "accounts", {"name": "first"}),
        part("POST", "accounts", {"name": "x" * 200}),
        part("POST", "accounts", {"name": "third"}),
    )
    assert (answer.status_code, statuses(answer)) == (400, [204, 400])
    assert [row["name"] for row in sandbox.dump("accounts")] == ["first"]


def test_a_batch_goes_on_after_errors_when_asked_to(api: Client, sandbox: Sandbox) -> None:
    answer = send(
        api,
        part("POST", "accounts", {"name": "x" * 200}),
        part("GET", f"accounts({new_id()})", None),
        part("POST", "accounts", {"name": "third"}),
        goes_on=True,
    )
    assert (answer.status_code, statuses(answer)) == (200, [400, 404, 204])
    assert "0x80044331" in answer.text
    assert [row["name"] for row in sandbox.dump("accounts")] == ["third"]


def test_a_change_set_happens_at_once_or_not_at_all(api: Client, sandbox: Sandbox) -> None:
    answer = send(
        api,
        change_set(("POST", "accounts", {"name": "a"}), ("POST", "accounts", {"name": "x" * 200})),
        change_set(("POST", "accounts", {"name": "b"}), ("POST", "accounts", {"name": "c"})),
        goes_on=True,
    )
    assert statuses(answer) == [400, 204, 204]
    assert "changesetresponse_" in answer.text
    assert re.findall(r"Content-ID: (\d)", answer.text) == ["1", "2"]
    assert sorted(row["name"] for row in sandbox.dump("accounts")) == ["b", "c"]


def test_later_operations_of_a_change_set_name_earlier_ones(api: Client, sandbox: Sandbox) -> None:
    answer = send(
        api,
        change_set(
            ("POST", "contacts", {"lastname": "Beck"}),
            ("POST", "accounts", {"name": "a", "primarycontactid@odata.bind": "$1"}),
            ("PATCH", "$2", {"telephone1": "5"}),
        ),
    )
    assert statuses(answer) == [204, 204, 204]
    [account], [contact] = sandbox.dump("accounts"), sandbox.dump("contacts")
    assert account["_primarycontactid_value"] == contact["contactid"]
    assert account["telephone1"] == "5"


def test_an_unknown_reference_is_refused(api: Client) -> None:
    bind = {"name": "a", "primarycontactid@odata.bind": "$7"}
    answer = send(api, change_set(("POST", "accounts", bind)))
    assert "Content-ID Reference: '$7' does not exist in the batch context." in answer.text


def test_a_stale_etag_fails_its_part_alone(api: Client, sandbox: Sandbox) -> None:
    row_id = api.created("accounts", name="a")
    stale = part("PATCH", f"accounts({row_id})", {"name": "b"}).replace(
        "Content-Type: application/json", 'If-Match: W/"1"\r\nContent-Type: application/json'
    )
    answer = send(api, stale, part("POST", "accounts", {"name": "c"}), goes_on=True)
    assert statuses(answer) == [412, 204]
    assert sorted(row["name"] for row in sandbox.dump("accounts")) == ["a", "c"]


@pytest.mark.parametrize("ends", ["", "\n"])
def test_line_ends_must_be_strict(api: Client, ends: str) -> None:
    answer = send(api, part("GET", "accounts", None), ends=ends)
    assert (answer.status_code, code_of(answer)) == (400, "0x80048d19")
    assert "Stream was not readable" in answer.text


def test_a_batch_holds_a_thousand_operations_at_most(api: Client) -> None:
    many = [part("GET", "WhoAmI", None)] * 1001
    assert send(api, *many[:1000]).status_code == 200
    assert send(api, *many).status_code == 400


def test_a_get_is_refused_inside_a_change_set(api: Client) -> None:
    assert send(api, change_set(("GET", "accounts", None))).status_code == 400


def test_a_body_that_is_no_batch_is_refused(api: Client) -> None:
    url = f"{api.sandbox.api_url}$batch"
    for content_type in ("application/json", 'multipart/mixed; boundary="other"'):
        headers = {"Content-Type": content_type}
        answer = api.session.post(url, data=b"{}\r\n", headers=headers, timeout=10)
        assert (answer.status_code, code_of(answer)) == (400, "0x80048d19")
