"""What is said of a refused sign-in, and what to do, by the sign-in service's code (AADSTS...)."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SENTENCES: Mapping[str, str | Promise] = {
    "AADSTS7000215": _("The application's secret is not valid."),
    "AADSTS7000218": _("The app registration does not allow public client flows."),
    "AADSTS7000222": _("The application's secret has expired."),
    "AADSTS700016": _("The application is not known in this tenant."),
    "AADSTS50126": _("The user name or the password is wrong."),
    "AADSTS50034": _("The user is not known in this tenant."),
    "AADSTS50057": _("The user's account is disabled."),
    "AADSTS50076": _("The user must sign in with a second factor; use an application instead."),
    "AADSTS65001": _("Nobody has consented to the application's access to Dynamics 365."),
    "AADSTS90002": _("The tenant is not known."),
    "AADSTS50011": _("The redirect address is not registered with the application."),
    "AADSTS50053": _("The user's account is locked."),
    "AADSTS50055": _("The user's password has expired."),
    "AADSTS50105": _("The user is not assigned to the application."),
    "AADSTS53003": _("A policy of the tenant does not allow this sign-in."),
    "AADSTS54005": _("The sign-in was used already."),
    "AADSTS65004": _("The sign-in was cancelled."),
    "AADSTS70008": _("The sign-in has expired."),
    "AADSTS700024": _("The clock of this machine is wrong."),
    "AADSTS700027": _("The certificate is not registered with the application."),
    "AADSTS1000502": _("The application's certificate has expired."),
    "access_denied": _("The sign-in was cancelled."),
}

_NEW_SECRET = _(
    "In Microsoft Entra, open the application under App registrations and make a new client "
    "secret under Certificates & secrets. Give its value here, not its id."
)
_REGISTER_IT = _(
    "In Microsoft Entra, upload the certificate to the application under Certificates & secrets, "
    "or give the one that is registered there."
)
_RESET_IT = _("Have the password reset in Microsoft Entra, sign in once in a browser, try again.")
# What administrators meet at the sign-in page, where nothing was typed that could be wrong here.
SIGN_IN_AGAIN = _("Sign in again as administrator.")

REMEDIES: Mapping[str, str | Promise] = {
    "AADSTS7000215": _NEW_SECRET,
    "AADSTS7000222": _NEW_SECRET,
    "AADSTS700027": _REGISTER_IT,
    "AADSTS1000502": _REGISTER_IT,
    "AADSTS700024": _("Set the clock of this machine right, then try again."),
    "AADSTS7000218": _(
        "In Microsoft Entra, open the app registration, and switch on Allow public client flows "
        "under Authentication."
    ),
    "AADSTS50011": _(
        "In Microsoft Entra, add the redirect address to the app registration under "
        "Authentication, as Mobile and desktop applications."
    ),
    "AADSTS700016": _(
        "Copy the Application (client) ID from the app registration of the tenant that this "
        "environment belongs to."
    ),
    "AADSTS65001": _(
        "Have an administrator of Microsoft Entra grant consent for the permission Dynamics CRM "
        "user_impersonation of the app registration."
    ),
    "AADSTS90002": _(
        "Check that the address is that of your own environment: it names the tenant that people "
        "sign in to."
    ),
    "AADSTS50034": _("Name a user of the tenant that this environment belongs to."),
    "AADSTS50126": _("Type both again. After a change of the password, give the new one."),
    "AADSTS50053": _("Wait until the account is unlocked, or have it unlocked in Microsoft Entra."),
    "AADSTS50055": _RESET_IT,
    "AADSTS50057": _("Enable the account in Microsoft Entra, or name another user."),
    "AADSTS50076": _(
        "Administrators sign in with Microsoft instead; for synchronization, use an application."
    ),
    "AADSTS50105": _("Assign the user to the enterprise application in Microsoft Entra."),
    "AADSTS53003": _(
        "Ask whoever administers Conditional Access in Microsoft Entra to allow this sign-in."
    ),
    "AADSTS54005": SIGN_IN_AGAIN,
    "AADSTS65004": SIGN_IN_AGAIN,
    "AADSTS70008": SIGN_IN_AGAIN,
    "access_denied": SIGN_IN_AGAIN,
}
