"""Many requests in one message: every operation has its own answer, or none is believed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmsync.dataverse import batch
from crmsync.dataverse.batch import Operation, PartAnswer
from crmsync.dataverse.errors import UnreadableAnswer

TYPE = 'multipart/mixed; boundary="batchresponse_1"'
END = b"--batchresponse_1--\r\n"

ANSWERS = st.lists(
    st.builds(
        PartAnswer,
        status=st.integers(100, 599),
        headers=st.dictionaries(
            st.sampled_from(["retry-after", "odata-entityid", "content-type"]),
            st.text("abc/:() 123", max_size=12).map(str.strip),
        ),
        body=st.binary(max_size=40).filter(lambda body: b"--batchresponse" not in body),
    ),
    max_size=6,
)


def message(answers: list[PartAnswer]) -> bytes:
    pieces = []
    for answer in answers:
        head = [f"HTTP/1.1 {answer.status} Whatever"]
        head += [f"{name.upper()}: {value}" for name, value in answer.headers.items()]
        pieces.append(
            b"--batchresponse_1\r\nContent-Type: application/http\r\n"
            b"Content-Transfer-Encoding: binary\r\n\r\n"
            + "\r\n".join([*head, "", ""]).encode()
            + answer.body
            + b"\r\n"
        )
    return b"".join(pieces) + END


@settings(deadline=None)
@given(ANSWERS)
def test_every_operation_gets_its_own_answer_in_order(answers: list[PartAnswer]) -> None:
    assert batch.decode(TYPE, message(answers), expected=len(answers)) == answers


@settings(deadline=None)
@given(ANSWERS, st.data())
def test_an_answer_that_was_cut_anywhere_is_not_believed(
    answers: list[PartAnswer], data: st.DataObject
) -> None:
    whole = message(answers)
    cut = data.draw(st.integers(0, len(whole) - len(b"--\r\n")))

    with pytest.raises(UnreadableAnswer):
        batch.decode(TYPE, whole[:cut], expected=len(answers))


@settings(deadline=None)
@given(ANSWERS, st.integers(0, 8))
def test_more_or_fewer_answers_than_operations_are_not_believed(
    answers: list[PartAnswer], expected: int
) -> None:
    if expected == len(answers):
        return
    with pytest.raises(UnreadableAnswer):
        batch.decode(TYPE, message(answers), expected=expected)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/html", b"<html></html>"),
        ("", b""),
        (TYPE, b""),
        (TYPE, b"<html></html>"),
        (TYPE, b"--batchresponse_1\r\n\r\nHTTP/1.1\r\n\r\n\r\n" + END),
        (TYPE, b"--batchresponse_1\r\n\r\nHTTP/1.1 ok OK\r\n\r\n\r\n" + END),
        (TYPE, "--batchresponse_1\r\n\r\nHTTP/1.1 \u00b2\u00b2 OK\r\n\r\n\r\n".encode() + END),
    ],
)
def test_an_answer_in_another_shape_is_not_believed(content_type: str, body: bytes) -> None:
    with pytest.raises(UnreadableAnswer):
        batch.decode(content_type, body, expected=1)


def test_a_batch_is_written_with_carriage_returns_to_its_last_line() -> None:
    content_type, body = batch.encode(
        [
            Operation("POST", "/api/data/v9.2/accounts", b'{"name": "Adatum"}'),
            Operation("PATCH", "/api/data/v9.2/accounts(1)", b"{}", {"If-Match": 'W/"1"'}),
        ]
    )

    boundary = content_type.partition("boundary=")[2]
    assert body.count(b"\n") == body.count(b"\r\n")
    assert body.endswith(f"--{boundary}--\r\n".encode())
    assert body.count(f"--{boundary}\r\n".encode()) == 2
    assert b'If-Match: W/"1"\r\n' in body


def test_two_batches_never_share_a_boundary() -> None:
    assert batch.encode([])[0] != batch.encode([])[0]
