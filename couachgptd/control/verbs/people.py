"""The rows of accounts."""

from couachgptd.control import shapes
from couachgptd.control.verb import Verb
from couachgptd.services.operator import people

VERBS = (
    Verb("control.user.list", "List the accounts.", people.listed, shapes.UserList),
    Verb(
        "control.user.add",
        "Make an account that may be used at once.",
        people.add,
        shapes.UserAnswer,
        shapes.NewUser,
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
        shapes.NewState,
    ),
    Verb(
        "control.user.role",
        "Give an account another role; its open pages load anew.",
        people.set_role,
        shapes.UserAnswer,
        shapes.NewRole,
    ),
    Verb(
        "control.user.passwd",
        "Give an account another password and end its sessions.",
        people.set_password,
        shapes.UserAnswer,
        shapes.NewPassword,
    ),
    Verb(
        "control.setup-link",
        "Make the one-time link for the first administrator; older links end.",
        people.setup_link,
        shapes.SetupLink,
    ),
)
