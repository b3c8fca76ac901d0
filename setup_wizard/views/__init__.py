from setup_wizard.views.finish import done, finish
from setup_wizard.views.pages import cancel, start
from setup_wizard.views.sign_in import signed_in
from setup_wizard.views.wizard import step

__all__ = ["cancel", "done", "finish", "signed_in", "start", "step"]
