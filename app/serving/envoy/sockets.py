"""Addresses in the terms of Envoy."""

from ipaddress import ip_network

from envoy.config.core.v3.address_pb2 import Address, CidrRange, SocketAddress
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import UInt32Value


def socket_address(address: str, port: int, protocol: str) -> Address:
    """Where something listens, or is reached."""
    return Address(
        socket_address=SocketAddress(
            address=address, port_value=port, protocol=SocketAddress.UDP if protocol == "UDP" else SocketAddress.TCP
        )
    )


def cidr_range(cidr: str) -> CidrRange:
    """A range of addresses."""
    network = ip_network(cidr)
    return CidrRange(address_prefix=str(network.network_address), prefix_len=UInt32Value(value=network.prefixlen))


def packed(message: Message) -> AnyMessage:
    """A message in the envelope of extensions."""
    found = AnyMessage()
    found.Pack(message, deterministic=True)
    return found
