"""Fail if a built page would fetch anything from a network: python scripts/offline.py FOLDER."""

import sys
from html.parser import HTMLParser
from pathlib import Path

# Attributes that make a browser fetch; the href of an <a> is only followed by a reader who asks for it.
FETCHES = {
    "script": "src",
    "link": "href",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "embed": "src",
    "object": "data",
}
# A <link> of these kinds states a fact and fetches nothing.
FACTS = {"canonical", "author", "license", "search", "index", "next", "prev"}


class Fetches(HTMLParser):
    """Collect the addresses that a page fetches from elsewhere."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        """Note the address of a tag that fetches."""
        given = dict(attributes)
        address = given.get(FETCHES.get(tag, "")) or ""
        if tag == "link" and FACTS & set((given.get("rel") or "").split()):
            return
        if address.lower().startswith(("http:", "https:", "//")):
            self.found.append(f"<{tag}> {address} (line {self.getpos()[0]})")


def main(folder):
    pages = sorted(Path(folder).rglob("*.html"))
    if not pages:
        sys.exit(f"There is no page under {folder}: build the docs first.")
    found = []
    for page in pages:
        reader = Fetches()
        reader.feed(page.read_text(encoding="utf-8"))
        found += [f"{page}: {address}" for address in reader.found]
    if found:
        sys.exit("\n".join(["These pages would fetch from a network; ship the file instead.", *found]))
    print(f"{len(pages)} pages, none of which fetches anything from a network.")


if __name__ == "__main__":
    main(*sys.argv[1:])
