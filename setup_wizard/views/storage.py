"""Where the wizard keeps its data: not in the session, which would hold everything posted.

formtools stores whole requests. Here nothing is stored by the wizard itself: the service of a
step keeps the declared fields (see ``answering``), and this class only reads them back. The step
at hand is that of the address, so that two tabs do not disturb each other.
"""

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.datastructures import MultiValueDict
from formtools.wizard.storage.base import BaseStorage

from setup_wizard.guide import progress
from setup_wizard.views import browser_key


class ProgressStorage(BaseStorage):  # type: ignore[misc]  # formtools ships no types
    def __init__(self, prefix: str, request: HttpRequest, file_storage: object = None) -> None:
        super().__init__(prefix, request, file_storage)
        self.init_data()
        # The frame lets nobody in who has not signed in.
        user_id = int(str(request.user.pk))
        self.draft = progress.look(user_id=user_id, key=browser_key.read(request))
        # A new hour begins with a new key.
        known = browser_key.read(request) if self.draft.is_sealed else None
        self.key = known or browser_key.new()
        self._is_new = known is None
        self._is_spent = False

    def get_step_data(self, step: str) -> MultiValueDict[str, Any] | None:
        """As a form takes it: each value in a list."""
        answers = self.data[self.step_data_key].get(step, self.draft.answers.get(step))
        if answers is None:
            return None
        return MultiValueDict(
            {name: value if isinstance(value, list) else [value] for name, value in answers.items()}
        )

    def set_step_data(self, step: str, cleaned_data: Any) -> None:
        """Remember for this request what the service has stored."""
        self.data[self.step_data_key][step] = cleaned_data
        self.look_again()

    def look_again(self) -> None:
        """After a service changed the progress: with what this request's key opens."""
        self.draft = progress.look(user_id=self.draft.user_id, key=self.key)

    def spend_key(self) -> None:
        """After the finish nothing is sealed any more."""
        self._is_spent = True

    def update_response(self, response: HttpResponseBase) -> None:
        super().update_response(response)
        if self._is_spent:
            browser_key.take(response)
        elif self._is_new and self.request.method == "POST" and self.draft.is_sealed:
            browser_key.give(response, self.key, request=self.request)
