"""TokenRequest (authentication.k8s.io/v1, KEP-1205): a token of a ServiceAccount is asked for."""

from typing import Annotated

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import ATOMIC, Confidential, Int64, Time, Wire, null


class BoundObjectReference(Wire):
    """The object with which a token ends.

    Attributes:
        kind: Pod, Node or Secret.
        api_version: Always v1.
        name: Name of the object. A Pod or Secret is in the namespace of the ServiceAccount.
        uid: If it is given, the object has to have it.
    """

    kind: str = ""
    api_version: str = ""
    name: str = ""
    uid: str = ""


class TokenRequestSpec(Wire):
    """What the token should be good for.

    Attributes:
        audiences: Those who accept the token. By default the API itself. Whoever gets a token refuses it if none of
            these is its own name.
        expiration_seconds: For how long the token is valid: at least 600 seconds; 3600 by default. A server may be set
            up to give less, so look at the status.
        bound_object_ref: If it is given, the token ends when this object is deleted.
    """

    required = ("audiences",)

    audiences: Annotated[list[str], ATOMIC] | None = field(default_factory=null)
    expiration_seconds: Int64 | None = None
    bound_object_ref: BoundObjectReference | None = None


class TokenRequestStatus(Wire):
    """The token.

    Attributes:
        token: The token, a JWT (RFC 7519).
        expiration_timestamp: When it ends.
    """

    required = ("token", "expiration_timestamp")

    token: Confidential = field(default_factory=str)
    expiration_timestamp: Time | None = field(default_factory=null)


class TokenRequest(KubeObject):
    """Asks for a token of a ServiceAccount (authentication.k8s.io/v1, KEP-1205)."""

    required = ("spec",)

    spec: TokenRequestSpec = field(default_factory=TokenRequestSpec)
    status: TokenRequestStatus = field(default_factory=TokenRequestStatus)
