from setup_wizard.views.pages import cancel, done, start
from setup_wizard.views.wizard import step

__all__ = ["cancel", "done", "start", "step"]
