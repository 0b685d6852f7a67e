"""IPAddress (networking.k8s.io/v1): one ClusterIP in use, or one that a client keeps for itself (KEP-1880).

The IPAddresses of Services are computed from the Services. An IPAddress that a client creates is stored, and no Service
gets its address.
"""

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import Wire


class ParentReference(Wire):
    """The object that holds an address.

    Attributes:
        group: API group of the parent; empty for the core group.
        resource: The resource of the parent, in the plural, such as services.
        namespace: The namespace of the parent, if it has one.
        name: The name of the parent.
    """

    required = ("resource", "name")

    group: str = ""
    resource: str = field(default_factory=str)
    namespace: str = ""
    name: str = field(default_factory=str)


class IPAddressSpec(Wire):
    """The object that holds the address.

    Attributes:
        parent_ref: The object that holds the address. It cannot be changed.
    """

    required = ("parent_ref",)

    parent_ref: ParentReference | None = None


class IPAddress(KubeObject):
    """An IP address that is in use. The name of the object is the address in canonical form."""

    spec: IPAddressSpec = field(default_factory=IPAddressSpec)
