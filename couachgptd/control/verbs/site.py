"""The rows of what is changed while the daemon runs: settings, banner, logo."""

from couachgptd.control import bodies, kept
from couachgptd.control.verb import Verb
from couachgptd.services.operator import site

VERBS = (
    Verb(
        "control.setting.list",
        "List the settings that may be changed while the daemon runs, and whence each value is.",
        site.settings,
        kept.SettingList,
    ),
    Verb(
        "control.setting.change",
        "Change a setting at once and for good; null gives the configuration its say again.",
        site.change,
        kept.SettingAnswer,
        bodies.NewSetting,
    ),
    Verb("control.banner.show", "Tell what everybody is shown.", site.banner, kept.BannerAnswer),
    Verb(
        "control.banner.set",
        "Show a banner on every open page; one without a text takes it away.",
        site.set_banner,
        kept.BannerAnswer,
        bodies.NewBanner,
    ),
    Verb(
        "control.logo.show",
        "Tell which logo was sent; null where the configuration's counts.",
        site.logo,
        kept.LogoAnswer,
    ),
    Verb(
        "control.logo.set",
        "Examine a picture in the sandbox and show it as the logo, at once and for good.",
        site.set_logo,
        kept.LogoAnswer,
        bodies.NewLogo,
    ),
    Verb(
        "control.logo.rm",
        "Give the configuration's logo its say again.",
        site.remove_logo,
        kept.LogoAnswer,
    ),
)
