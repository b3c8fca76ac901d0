"""Error reports on pages that take secrets."""

from collections.abc import ItemsView
from typing import Any

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter


class ShowsNoValues(SafeExceptionReporterFilter):
    """Error reports on these pages: where it went wrong, but no value of any variable.

    Not even where CRMSYNC_DEBUG is on, and whichever library the password had come to.
    """

    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def get_traceback_frame_variables(
        self, request: HttpRequest | None, tb_frame: Any
    ) -> ItemsView[str, Any]:
        nothing: dict[str, Any] = {}
        return nothing.items()
