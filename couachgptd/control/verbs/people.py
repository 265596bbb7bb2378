"""The rows of accounts."""

from couachgptd.control import bodies, shapes
from couachgptd.control.verb import Verb
from couachgptd.services.operator import leaving, people

VERBS = (
    Verb("control.user.list", "List the accounts.", people.listed, shapes.UserList),
    Verb(
        "control.user.add",
        "Make an account that may be used at once.",
        people.add,
        shapes.UserAnswer,
        bodies.NewUser,
        status=201,
    ),
    Verb(
        "control.user.approve",
        "Let in somebody who registered and waits.",
        people.approve,
        shapes.UserAnswer,
    ),
    Verb(
        "control.user.state",
        "Suspend an account, which ends what it has open, or let it in again.",
        people.set_state,
        shapes.UserAnswer,
        bodies.NewState,
    ),
    Verb(
        "control.user.role",
        "Give an account another role; its open pages load anew.",
        people.set_role,
        shapes.UserAnswer,
        bodies.NewRole,
    ),
    Verb(
        "control.user.passwd",
        "Give an account another password and end its sessions.",
        people.set_password,
        shapes.UserAnswer,
        bodies.NewPassword,
    ),
    Verb(
        "control.user.rm",
        "Delete an account; what it owns goes with it, or to an heir.",
        leaving.remove,
        shapes.Belongings,
        bodies.Removal,
    ),
    Verb(
        "control.user.reset-link",
        "Make the one-time link with which a person sets a new password; an older one ends.",
        leaving.reset_link,
        shapes.OneTimeLink,
    ),
    Verb(
        "control.session.list",
        "List who is logged in, the one seen last first.",
        leaving.sessions,
        shapes.SessionList,
    ),
    Verb(
        "control.session.kick",
        "End one session, or all of a person; their pages close at once.",
        leaving.kick,
        shapes.Ended,
        bodies.Kick,
    ),
    Verb(
        "control.invitation.list",
        "List the invitations that still work.",
        leaving.invitations,
        shapes.InvitationList,
    ),
    Verb(
        "control.invitation.add",
        "Make a link with which people make an account that may be used at once.",
        leaving.invite,
        shapes.InvitationAnswer,
        bodies.NewInvitation,
        status=201,
    ),
    Verb(
        "control.invitation.rm",
        "End an invitation.",
        leaving.revoke,
        shapes.Nothing,
    ),
    Verb(
        "control.setup-link",
        "Make the one-time link for the first administrator; older links end.",
        people.setup_link,
        shapes.SetupLink,
    ),
)
