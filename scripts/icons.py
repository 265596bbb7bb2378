"""Draw the icons of the installed page from web/public/logo.svg: `python -m scripts.icons`.

They are kept in the tree, for a browser is needed to draw them and the build has none.
"""

import re
from pathlib import Path

from playwright.sync_api import sync_playwright

PUBLIC = Path(__file__).parent.parent / "web" / "public"
CHROMIUM = "/usr/bin/chromium"
BACKGROUND = "#0f5c7a"  # the accent of the light theme
# Side in pixels and the share of it that the mark takes; of a maskable icon any launcher may cut
# away all that is outside the middle circle of 80 %.
ICONS = {
    "icon-180.png": (180, 0.66),
    "icon-192.png": (192, 0.66),
    "icon-512.png": (512, 0.66),
    "icon-maskable-512.png": (512, 0.52),
}


def main() -> None:
    mark = re.sub(r'fill="currentColor"', 'fill="#fff"', (PUBLIC / "logo.svg").read_text("utf-8"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, (side, share) in ICONS.items():
            page = browser.new_page(viewport={"width": side, "height": side})
            page.set_content(
                f"<style>body{{margin:0;background:{BACKGROUND};display:grid;height:100vh;"
                f"place-items:center}}svg{{width:{share * 100}vw}}</style>{mark}"
            )
            page.screenshot(path=PUBLIC / name)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
