"""ServiceAccount (core/v1): who a program is to the API."""

from typing import Annotated

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import ATOMIC, Wire, patch_key
from app.domain.kinds.meta import ObjectReference


class LocalObjectReference(Wire):
    """A pointer to an object in the same namespace.

    Attributes:
        name: Of the object.
    """

    atomic = True

    name: str = ""


class ServiceAccount(KubeObject):
    """A name under which programs use the API.

    Attributes:
        secrets: Secrets that its programs may use; of each only the name is kept.
        image_pull_secrets: Secrets with which images for its programs are pulled.
        automount_service_account_token: Whether its programs are handed a token without asking.
    """

    secrets: Annotated[list[ObjectReference], patch_key("name")] | None = None
    image_pull_secrets: Annotated[list[LocalObjectReference], ATOMIC] | None = None
    automount_service_account_token: bool | None = None
