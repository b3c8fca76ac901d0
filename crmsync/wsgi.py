import os
import sys
from pathlib import Path

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.template.loader import get_template
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crmsync.settings")

# Each look at the active language takes a lock (asgiref's Local), thousands of times a page. A
# thread that is switched out while it holds the lock makes all others wait for its next turn:
# shorter turns make that wait short. The default is 5 ms.
sys.setswitchinterval(0.0005)

application = get_wsgi_application()


def _load_pages() -> None:
    """Before the first visitor comes, who would wait a second for it, as would the next ones."""
    _ = get_resolver().url_patterns
    templates: Path = settings.BASE_DIR / "templates"
    for path in templates.rglob("*.html"):
        get_template(path.relative_to(templates).as_posix())


_load_pages()
