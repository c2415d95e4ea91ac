"""Which IP addresses are public; connections to others are refused.

`ipaddress.is_global` is not enough: it is True for multicast, NAT64, 6to4 and site-local addresses.
So IPv6 addresses must be in the allocated range (2000::/3), without its special parts.
"""

from __future__ import annotations

import ipaddress
from typing import Final

_GIVEN_OUT: Final = ipaddress.IPv6Network("2000::/3")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")  # an IPv4 address is inside
_SPECIAL_V6: Final = tuple(
    map(
        ipaddress.IPv6Network,
        (
            "2001::/23",  # protocol assignments: Teredo, ORCHID...
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4: an IPv4 address is inside
            "3fff::/20",  # documentation
        ),
    )
)
_SPECIAL_V4: Final = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "168.63.129.16/32",  # Azure's metadata: public by its number, local by its meaning
            "192.0.0.0/24",  # protocol assignments; Oracle's metadata
            "192.88.99.0/24",  # 6to4 relays
        ),
    )
)


def is_public(address: str) -> bool:
    """Whether a literal address, as sockets have it, is one of the public internet."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv4Address):
        return _public_v4(parsed)
    if parsed.scope_id is not None:
        return False
    if parsed.ipv4_mapped is not None:
        return _public_v4(parsed.ipv4_mapped)
    if parsed in _NAT64:
        return _public_v4(ipaddress.IPv4Address(parsed.packed[-4:]))
    return (
        parsed in _GIVEN_OUT
        and parsed.is_global
        and not any(parsed in network for network in _SPECIAL_V6)
    )


def _public_v4(address: ipaddress.IPv4Address) -> bool:
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in network for network in _SPECIAL_V4)
    )
