"""What can be wrong with a running daemon: what it is, and what to do about it."""

from couachgptd.ctl.texts import mark

# The words of core/health.py, of which a newer daemon may know more.
PROBLEMS = {
    "engine_failed": (
        mark("The engine has failed, and is given up."),
        mark("See `couachgptctl engine incidents`, then `couachgptctl engine reset`."),
    ),
    "engine_stopped": (
        mark("The engine was stopped by a person."),
        mark("`couachgptctl engine start` starts it."),
    ),
    "engine_unreachable": (
        mark("The engine does not answer, and cannot be restarted from here."),
        mark("Start it where it runs."),
    ),
    "no_model": (
        mark("There is no model."),
        mark("`couachgptctl model fetch --list`, or `couachgptctl model pull NAME`."),
    ),
    "disk_full": (
        mark("The disk is full."),
        mark("Free some space: old backups, models, the journal."),
    ),
    "engine_maintenance": (
        mark("The engine is under maintenance."),
        mark("`couachgptctl engine maintenance off` ends it."),
    ),
    "engine_in_trouble": (
        mark("The engine is in trouble, and being mended."),
        mark("Wait a minute; `couachgptctl engine incidents` tells more."),
    ),
    "engine_down": (
        mark("The engine does not answer."),
        mark("Wait a minute; `couachgptctl engine show` tells more."),
    ),
    "queue_held": (
        mark("The queue is held by a person."),
        mark("`couachgptctl queue resume` lets it go on."),
    ),
    "disk_low": (
        mark("The disk is nearly full."),
        mark("Free some space: old backups, models, the journal."),
    ),
    "memory_low": (
        mark("The memory is nearly used up."),
        mark("Choose a smaller model, or unload one that nobody uses."),
    ),
    "backup_failed": (
        mark("The last backup failed."),
        mark("See the journal of couachgptd."),
    ),
    "backup_overdue": (
        mark("No nightly backup is younger than 48 hours."),
        mark("See the journal of couachgptd, and whether the clock is right: `timedatectl`"),
    ),
    "stopping": (mark("The daemon is about to end."), ""),
}
