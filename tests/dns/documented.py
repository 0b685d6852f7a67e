"""Name servers and resolvers of others, set up by the examples of the documents as these stand there.

Only addresses, ports and secrets are put in. What a test has to add, such as directories, stands around an example.
"""

import re
from pathlib import Path

from tests.dns.secondaries import Bind, Knot, Nsd, PowerDNS

DOCS = Path(__file__).parents[2] / "docs"
ZONE = "cluster.local"
KEY = "transfer.example.org"
UPDATE_KEY = "update.example.org"


def example(page, heading, **replacements):
    """The first example behind a heading or a line of a page.

    Args:
        page: The name of the file.
        heading: With which a line begins.
        replacements: Texts by what stands there instead of them.
    """
    text = (DOCS / page).read_text()
    found = re.search(rf"^{re.escape(heading)}.*?^```\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert found, f"{page} has no example behind {heading}"
    block = found[1]
    for old, new in replacements.items():
        assert old in block, f"the example behind {heading} has no {old}"
        block = block.replace(old, new)
    return block


class AsDocumented:
    """A secondary of the one zone that the page has."""

    heading = ""

    def zones_to_have(self):
        assert (self.zones, self.key[0]) == ([ZONE], KEY)
        return example("dns-zones.md", self.heading, **self.places())

    def places(self):
        return {"192.0.2.10": "127.0.0.1", "5353": str(self.primary), "SECRET": self.key[1]}


class DocumentedBind(AsDocumented, Bind):
    heading = "### BIND"


class DocumentedKnot(AsDocumented, Knot):
    heading = "### Knot"


class DocumentedNsd(AsDocumented, Nsd):
    heading = "### NSD"


class DocumentedPowerDNS(AsDocumented, PowerDNS):
    heading = "### PowerDNS"

    def fill(self, database):
        database.executescript(self.zones_to_have())


EVERY_DOCUMENTED = (DocumentedBind, DocumentedKnot, DocumentedNsd, DocumentedPowerDNS)
