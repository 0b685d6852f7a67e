"""ServiceAccount (core/v1): an account of the API for programs."""

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
    """An account under which programs use the API.

    Attributes:
        secrets: Secrets that programs of the account may use. Only the name of each is kept.
        image_pull_secrets: Secrets for pulling the images of these programs.
        automount_service_account_token: Whether pods of the account get a token without asking for it.
    """

    secrets: Annotated[list[ObjectReference], patch_key("name")] | None = None
    image_pull_secrets: Annotated[list[LocalObjectReference], ATOMIC] | None = None
    automount_service_account_token: bool | None = None
