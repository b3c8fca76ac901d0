"""One request, one answer: whatever the wire does, the caller gets an answer or a named error."""

import gzip
import uuid

import orjson
import pytest
import requests

from crmsync.dataverse.client import Client
from crmsync.dataverse.errors import (
    ConnectionLost,
    ServiceUnavailable,
    SignInFailed,
    Throttled,
    TransientError,
    UnreadableAnswer,
)
from crmsync.dataverse.governor import Gate
from crmsync.dataverse.session import MOST_DECODED_BYTES, Channel, open_session
from tests.dataverse.wires import (
    ACCOUNT,
    API,
    Clock,
    FixedTokens,
    application_tokens,
    listening,
    open_channel,
)
from tests.sandboxes import Sandbox


def names_there(sandbox: Sandbox) -> set[str]:
    return {row["name"] for row in sandbox.dump("accounts")}


def asked(sandbox: Sandbox, since: int) -> list[str]:
    """URLs of the Web API that were asked for, the token service left out."""
    return [entry["url"] for entry in sandbox.journal(since) if API in entry["url"]]


@pytest.mark.parametrize(("drop", "applied"), [("before", False), ("after", True)])
def test_a_connection_that_is_dropped_is_lost_whether_or_not_the_request_took_effect(
    sandbox: Sandbox, channel: Channel, drop: str, applied: bool
) -> None:
    sandbox.fault({"method": "POST", "path": "accounts"}, {"drop": drop})
    body = orjson.dumps({"accountid": str(uuid.uuid4()), "name": "Adatum"})

    with pytest.raises(ConnectionLost):
        channel.send("POST", "accounts", body=body)

    assert ("Adatum" in names_there(sandbox)) == applied


def test_a_write_whose_answer_was_lost_is_sent_once(sandbox: Sandbox, channel: Channel) -> None:
    sandbox.fault({"method": "POST", "path": "accounts"}, {"drop": "before"})
    mark = sandbox.mark()

    with pytest.raises(ConnectionLost):
        channel.send("POST", "accounts", body=b'{"name": "Adatum"}')

    assert len(sandbox.writes(mark)) == 1


def test_half_an_answer_is_a_lost_one(sandbox: Sandbox, client: Client) -> None:
    sandbox.fault({"path": "/accounts"}, {"half_body": True})

    with pytest.raises((ConnectionLost, UnreadableAnswer)):
        client.first_page(ACCOUNT, columns=["name"])


def test_half_an_answer_to_a_batch_is_a_lost_one(sandbox: Sandbox, client: Client) -> None:
    sandbox.fault({"path": "batch"}, {"half_body": True})

    with pytest.raises((ConnectionLost, UnreadableAnswer)):
        client.create_each(ACCOUNT, [{"name": "Adatum"}, {"name": "Fabrikam"}])


@pytest.mark.parametrize(
    "act",
    [
        {"wrong_json": True},
        {"body": "<html>Sign in to the hotel's network</html>"},
        {"body": "[]", "headers": {"Content-Type": "application/json"}},
        {"body": "null", "headers": {"Content-Type": "application/json"}},
        {"body": '{"value": {}}', "headers": {"Content-Type": "application/json"}},
        {"body": ""},
    ],
)
def test_an_answer_that_is_not_a_page_is_unreadable_though_its_status_is_200(
    sandbox: Sandbox, client: Client, act: dict[str, object]
) -> None:
    sandbox.fault({"path": "/accounts"}, act)

    with pytest.raises(UnreadableAnswer):
        client.first_page(ACCOUNT, columns=["name"])


def test_an_answer_to_a_batch_that_is_html_is_unreadable(sandbox: Sandbox, client: Client) -> None:
    sandbox.fault({"path": "batch"}, {"body": "<html></html>"})

    with pytest.raises(UnreadableAnswer):
        client.create_each(ACCOUNT, [{"name": "Adatum"}])


def test_an_answer_that_drips_past_the_deadline_is_lost(sandbox: Sandbox) -> None:
    channel = open_channel(sandbox.port, application_tokens(sandbox), deadline_seconds=0.3)
    sandbox.fault({"path": "/accounts"}, {"drip": 0.01})

    with pytest.raises(ConnectionLost):
        channel.send("GET", "accounts?$select=name")


def test_an_answer_whose_head_drips_past_the_deadline_is_lost(sandbox: Sandbox) -> None:
    channel = open_channel(sandbox.port, application_tokens(sandbox), deadline_seconds=0.3)
    row = sandbox.dump("accounts")[0]["accountid"]
    sandbox.fault({"method": "PATCH", "path": "/accounts"}, {"drip": 0.005})

    with pytest.raises(ConnectionLost):
        channel.send("PATCH", f"accounts({row})", headers={"If-Match": "*"}, body=b'{"fax": "1"}')


def test_a_server_that_says_nothing_is_given_up_at_the_deadline(sandbox: Sandbox) -> None:
    channel = open_channel(sandbox.port, application_tokens(sandbox), deadline_seconds=0.2)
    sandbox.fault({"path": "/accounts"}, {"latency": 1.0})

    with pytest.raises(ConnectionLost):
        channel.send("GET", "accounts?$select=name")


def test_a_closed_port_is_a_lost_connection() -> None:
    with listening() as gone:
        port = gone.port
    channel = open_channel(port, FixedTokens())

    with pytest.raises(ConnectionLost):
        channel.send("GET", "WhoAmI")


def test_429_closes_the_gate_and_nothing_is_sent_while_it_is_closed(sandbox: Sandbox) -> None:
    clock = Clock()
    channel = open_channel(sandbox.port, application_tokens(sandbox), gate=Gate(clock))
    act = {"status": 429, "code": "0x80072322", "headers": {"Retry-After": "7"}}
    sandbox.fault({"path": API}, act, times=1)
    mark = sandbox.mark()

    with pytest.raises(Throttled) as first:
        channel.send("GET", "WhoAmI")
    clock.now += 5.0
    with pytest.raises(Throttled) as second:
        channel.send("GET", "WhoAmI")

    assert (first.value.retry_after, second.value.retry_after) == (7.0, 2.0)
    assert len(asked(sandbox, mark)) == 1
    clock.now += 2.0
    assert channel.send("GET", "WhoAmI").status == 200


def test_a_refused_token_is_renewed_once_and_the_request_sent_again(
    sandbox: Sandbox, channel: Channel
) -> None:
    channel.send("GET", "WhoAmI")
    sandbox.fault({"path": API}, {"status": 401}, times=1)
    mark = sandbox.mark()

    assert channel.send("GET", "WhoAmI").status == 200

    assert len(asked(sandbox, mark)) == 2
    tokens = [entry for entry in sandbox.journal(mark) if entry["url"].endswith("/token")]
    assert len(tokens) == 1


def test_a_token_that_is_refused_again_is_a_failed_sign_in(
    sandbox: Sandbox, channel: Channel
) -> None:
    sandbox.fault({"path": API}, {"status": 401})
    mark = sandbox.mark()

    with pytest.raises(SignInFailed):
        channel.send("GET", "WhoAmI")

    assert len(asked(sandbox, mark)) == 2


def test_a_service_in_trouble_is_transient_and_asked_once(
    sandbox: Sandbox, channel: Channel
) -> None:
    sandbox.fault({"path": API}, {"status": 503})
    mark = sandbox.mark()

    with pytest.raises(ServiceUnavailable) as caught:
        channel.send("GET", "WhoAmI")

    assert isinstance(caught.value, TransientError)
    # Another test's request, given up by then, may be noted as late as this.
    assert [url for url in asked(sandbox, mark) if url.endswith("WhoAmI")] == [f"{API}v9.2/WhoAmI"]


def test_an_answer_that_unpacks_to_more_than_we_accept_is_refused() -> None:
    packed = gzip.compress(bytes(MOST_DECODED_BYTES + 1))
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
        f"Content-Length: {len(packed)}\r\n\r\n"
    )
    with listening(head.encode() + packed) as bomb:
        channel = open_channel(bomb.port, FixedTokens())

        with pytest.raises(UnreadableAnswer, match="larger"):
            channel.send("GET", "accounts")


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ("x-ms-dop-hint: 12", 12),
        ("x-ms-dop-hint: 0", 1),
        ("x-ms-dop-hint: 900", 52),
        ("x-ms-dop-hint: many", 4),
        ("x-ms-dop-hint: \u00b2", 4),
        ("x-other: 1", 4),
    ],
)
def test_the_hint_for_parallel_requests_is_taken_within_the_limits(answer: str, hint: int) -> None:
    head = f"HTTP/1.1 200 OK\r\n{answer}\r\nContent-Length: 2\r\n\r\n{{}}"
    with listening(head.encode("latin-1")) as server:
        channel = open_channel(server.port, FixedTokens())
        channel.send("GET", "WhoAmI")

    assert channel.dop_hint == hint


def test_what_comes_back_is_never_kept_as_a_cookie() -> None:
    head = "HTTP/1.1 200 OK\r\nSet-Cookie: ARRAffinity=one; Path=/\r\nContent-Length: 2\r\n\r\n{}"
    with listening(head.encode()) as server:
        channel = open_channel(server.port, FixedTokens())
        channel.send("GET", "WhoAmI")
        channel.send("GET", "WhoAmI")

        assert b"ARRAffinity" not in server.received


def test_plain_http_is_never_spoken() -> None:
    with listening() as server:
        session = open_session(sandbox_port=server.port)

        with pytest.raises(requests.exceptions.InvalidSchema):
            session.get(f"http://127.0.0.1:{server.port}/", timeout=5)

        assert server.connections == 0
