"""Which addresses are public, in all their spellings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscan.web_client.addresses import is_public

PRIVATE = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255",
    "192.168.1.1", "169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200",
    "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255", "168.63.129.16", "192.88.99.1",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:10.0.0.1",
    "::ffff:169.254.169.254", "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::8.8.8.8", "2002:7f00:1::", "2002:808:808::1", "2001::1", "2001:db8::1", "3fff::1",
    "100::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "2606:4700::1%eth0",
    "fec0::1", "feff::1", "ff02::1", "ff0e::1", "4000::1", "5f00::1",
    "", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "8.8.8.8 ", "[::1]",
]  # fmt: skip
PUBLIC = [
    "8.8.8.8", "1.1.1.1", "93.184.216.34", "172.32.0.1", "2606:4700:4700::1111",
    "2a00:1450:4001::200e", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public(address):
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_an_address_inside_another_is_judged_as_itself(address):
    outer = int(address)
    assert is_public(f"::ffff:{address}") == is_public(str(address))
    assert is_public(f"64:ff9b::{outer >> 16:x}:{outer & 0xFFFF:x}") == is_public(str(address))
    assert not is_public(f"2002:{outer >> 16:x}:{outer & 0xFFFF:x}::1")
    assert not is_public(f"::{outer >> 16:x}:{outer & 0xFFFF:x}")


@given(st.ip_addresses(v=6))
def test_no_address_outside_of_what_is_given_out_is_public(address):
    if is_public(str(address)) and address.ipv4_mapped is None:
        assert str(address).startswith("64:ff9b::") or address.packed[0] >> 5 == 1
        assert address.is_global
        assert not address.is_multicast
        assert not address.is_site_local
