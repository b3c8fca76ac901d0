"""The messages that wait for the next page, in a cookie that no neighbouring host can set."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class MessageCookie(CookieStorage):
    cookie_name = "__Host-messages" if settings.CRMSYNC_HTTPS else "messages"


class MessageStorage(FallbackStorage):
    """Long ones go into the session, as in Django's own."""

    storage_classes = (MessageCookie, SessionStorage)
