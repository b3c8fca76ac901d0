"""The pages that hold us against the original, and against the controls, name tests that exist."""

import pytest

from tests.house.named_tests import missing_of, named_in


@pytest.mark.parametrize("document", ["parity.md", "security.md"])
def test_every_test_that_a_document_names_exists(document: str) -> None:
    assert named_in(document)
    assert missing_of(document) == set()
