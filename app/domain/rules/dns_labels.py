"""Labels of public DNS names: each belongs to one object."""

from app.domain.rules.claim import Claim

_PUBLIC = "public"


def label_claim(label: str, field: str) -> Claim:
    """The claim on the label of a public name: `<label>.<location>.<zone>`, unique in the location."""
    return Claim("dns_labels", f"{_PUBLIC}/{label}", field)
