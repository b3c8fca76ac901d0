import os
import sys

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crmsync.settings")

# Each look at the active language takes a lock (asgiref's Local), thousands of times a page. A
# thread that is switched out while it holds the lock makes all others wait for its next turn:
# shorter turns make that wait short. The default is 5 ms.
sys.setswitchinterval(0.0005)

application = get_wsgi_application()
