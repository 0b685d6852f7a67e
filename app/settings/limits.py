"""The settings of limits: what clients may use of one API process."""

from pydantic import Field
from pydantic_settings import BaseSettings


class LimitSettings(BaseSettings):
    """What all clients, and each user, may use of one API process. The first two have the names of kube-apiserver."""

    max_requests_inflight: int = Field(
        400,
        ge=50,
        le=10_000,
        description="Requests that do not write, and those of system clients, that one API process answers at once; "
        "the others wait for their turn. A watch counts until it has begun",
    )
    max_mutating_requests_inflight: int = Field(
        200, ge=10, le=10_000, description="Requests that write and that one API process answers at once"
    )
    requests_waiting_per_user: int = Field(
        1000,
        ge=10,
        le=10_000,
        description="Requests of one user that may wait at one API process for their turn, in each class of requests, "
        "a quarter of it for lists; beyond them the answer is 429",
    )
    watches_per_user: int = Field(
        5000,
        ge=1,
        le=10_000,
        description="Watches that one user may have open at one API process; beyond them the answer is 429. "
        "Members of system:masters may have all there are",
    )
    connections_per_user: int = Field(
        6000,
        ge=10,
        le=100_000,
        description="Connections that one user may have open to one API process; beyond them the answer is 429. "
        "Members of system:masters may have all there are",
    )
    connections_per_source: int = Field(
        3000,
        ge=10,
        le=100_000,
        description="Connections that one address, or one /64 of IPv6, may have open to one API process of which "
        "nobody has said yet who they are; beyond them the answer is 429",
    )
    body_memory_mib: int = Field(
        128, ge=32, description="MiB for the bodies of all requests of one API process; beyond it the answer is 429"
    )
