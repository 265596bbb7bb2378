"""The rows of what is changed while the daemon runs: settings, the banner."""

from couachgptd.control import bodies, shapes
from couachgptd.control.verb import Verb
from couachgptd.services.operator import site

VERBS = (
    Verb(
        "control.setting.list",
        "List the settings that may be changed while the daemon runs, and whence each value is.",
        site.settings,
        shapes.SettingList,
    ),
    Verb(
        "control.setting.change",
        "Change a setting at once and for good; null gives the configuration its say again.",
        site.change,
        shapes.SettingAnswer,
        bodies.NewSetting,
    ),
    Verb("control.banner.show", "Tell what everybody is shown.", site.banner, shapes.BannerAnswer),
    Verb(
        "control.banner.set",
        "Show a banner on every open page; one without a text takes it away.",
        site.set_banner,
        shapes.BannerAnswer,
        bodies.NewBanner,
    ),
)
