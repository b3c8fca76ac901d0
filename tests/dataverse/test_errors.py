"""A refusal is told apart by its code before its status."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmsync.dataverse import errors
from crmsync.dataverse.errors import (
    AccessToRowDenied,
    ConnectionLost,
    DataverseError,
    DeltaExpired,
    DuplicateRow,
    NotAMember,
    NotTracked,
    PrivilegeMissing,
    RecordError,
    Rejected,
    RowMissing,
    ServiceUnavailable,
    SignInFailed,
    TableError,
    Throttled,
    Trace,
    TransientError,
    VersionConflict,
    error_class,
)
from crmsync.dataverse.session import refusal

CODED = [
    (412, "0x80060882", VersionConflict),
    (412, "0x80040237", DuplicateRow),
    (412, "0x80060892", DuplicateRow),
    (500, "0x80040333", DuplicateRow),
    (400, "0x80040237", DuplicateRow),
    (404, "0x80040217", RowMissing),
    (400, "0x80040217", RowMissing),
    (404, "0x80060891", RowMissing),
    (403, "0x80040220", PrivilegeMissing),
    (403, "0x80048306", AccessToRowDenied),
    (403, "0x80072560", NotAMember),
    (401, "0x80042f09", NotAMember),
    (403, "0x80042F09", NotAMember),
    (400, "0x80072491", NotTracked),
    (400, "0x80044352", DeltaExpired),
    (429, "0x80072322", Throttled),
    (503, "0x80072321", Throttled),
    (400, "0x80072326", Throttled),
]
UNCODED = [
    (400, Rejected),
    (401, SignInFailed),
    (403, NotAMember),
    (404, RowMissing),
    (405, Rejected),
    (408, ConnectionLost),
    (412, VersionConflict),
    (413, Rejected),
    (429, Throttled),
    (500, ServiceUnavailable),
    (502, ServiceUnavailable),
    (503, ServiceUnavailable),
    (504, ServiceUnavailable),
]


@pytest.mark.parametrize(("status", "code", "expected"), CODED)
def test_the_code_of_the_service_decides_whatever_the_status(
    status: int, code: str, expected: type[DataverseError]
) -> None:
    assert error_class(status=status, service_code=code) is expected


@pytest.mark.parametrize(("status", "expected"), UNCODED)
@pytest.mark.parametrize("code", ["", "0x8000dead"])
def test_without_a_code_that_is_known_the_status_decides(
    status: int, expected: type[DataverseError], code: str
) -> None:
    assert error_class(status=status, service_code=code) is expected


def test_only_a_network_or_a_service_in_trouble_is_tried_again_by_itself() -> None:
    transient = {408, 429, 500, 502, 503, 504}
    for status, found in UNCODED:
        assert issubclass(found, TransientError) == (status in transient)


def test_a_refusal_keeps_the_sentence_and_the_code_of_the_service() -> None:
    body = b'{"error": {"code": "0x80040220", "message": "Principal lacks prvWriteAccount."}}'

    error = refusal(403, {}, body, trace=Trace("PATCH", "/api/data/v9.2/accounts", 403))

    assert isinstance(error, PrivilegeMissing)
    assert str(error) == "Principal lacks prvWriteAccount. (0x80040220)"
    assert error.trace.service_code == "0x80040220"
    assert error.trace.path == "/api/data/v9.2/accounts"


@settings(deadline=None)
@given(
    st.integers(300, 599),
    st.one_of(
        st.binary(max_size=60),
        st.sampled_from(
            (
                *(b"null", b"[]", b'{"error": null}', b'{"error": "no"}'),
                *(b'{"error": {"code": 5}}', b'{"error": {"code": {}, "message": []}}'),
                b"<html>Bad Gateway</html>",
            )
        ),
    ),
)
def test_a_refusal_with_any_body_has_a_sentence(status: int, body: bytes) -> None:
    error = refusal(status, {}, body, trace=Trace())

    assert str(error)
    assert error.trace.status == status


def test_a_throttled_request_says_how_long_to_wait() -> None:
    error = refusal(429, {"Retry-After": "33"}, b"", trace=Trace())

    assert isinstance(error, Throttled)
    assert error.retry_after == 33.0


def test_a_code_that_means_throttled_waits_whatever_the_status() -> None:
    body = b'{"error": {"code": "0x80072322", "message": "Number of requests exceeded."}}'

    error = refusal(503, {"Retry-After": "12"}, body, trace=Trace())

    assert isinstance(error, Throttled)
    assert error.retry_after == 12.0


def test_the_drawn_tree_is_the_tree() -> None:
    drawn: dict[str, str] = {}
    ancestors: list[tuple[int, str]] = []
    for line in str(errors.__doc__).splitlines():
        found = re.match(r"^(    [ │├└─]*)([A-Z]\w+)", line)
        if found is None or not hasattr(errors, found.group(2)):
            continue
        depth, name = len(found.group(1)), found.group(2)
        while ancestors and ancestors[-1][0] >= depth:
            ancestors.pop()
        if ancestors:
            drawn[name] = ancestors[-1][1]
        ancestors.append((depth, name))
    real = {
        name: found.__bases__[0].__name__
        for name, found in vars(errors).items()
        if isinstance(found, type) and issubclass(found, DataverseError) and name in drawn
    }
    every = {
        name
        for name, found in vars(errors).items()
        if isinstance(found, type) and issubclass(found, DataverseError)
    }
    assert drawn == real
    assert every == {*drawn, "DataverseError"}


def test_every_error_says_what_to_do() -> None:
    for kind in (TransientError, RecordError, TableError, errors.EnvironmentRefused):
        for found in (kind, *kind.__subclasses__()):
            assert found.remedy
            assert found.code
