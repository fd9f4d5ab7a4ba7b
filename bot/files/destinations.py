"""
Where a file may be fetched from: addresses of the public internet over https, and nothing else. Pure.

Whoever texts us chooses what is fetched, from inside our network. So a URL has to name a public host in the ordinary
way, and every address of that host has to be public.
"""

import ipaddress
import re
from dataclasses import dataclass

from yarl import URL

_LONGEST = 4096  # characters: a signed address of a storage service has some 2,000
_HTTPS = 443

#: Characters that no URL has, and that programs disagree about.
_ODD = re.compile(r"[\x00-\x20\x7f\\]")
_PLAIN = re.compile(r"[!-~]+")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_LONGEST_NAME = 253

#: IPv4 that is not the public internet. Source: IANA, "IPv4 Special-Purpose Address Registry".
_NOT_PUBLIC_4 = [
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by customers of a provider
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # public by its number; in Azure it is the platform's own
        "169.254.0.0/16",  # link-local, and with it the clouds' metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # once relays of 6to4
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
]

#: All of IPv6 that is given to hosts, but for these. Source: IANA, "IPv6 Special-Purpose Address Registry".
_PUBLIC_6 = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_6 = [
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, with any IPv4 address inside
        "3fff::/20",  # documentation
    )
]

#: How a network without IPv4 reaches it: the last 32 bits are the IPv4 address.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class NotAllowed(Exception):
    """Nothing is fetched from there. The message is a code for the log."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A scheme, a host and a port."""

    scheme: str
    host: str
    port: int


def own_origin(base_url: str) -> Origin | None:
    """Return Blooio's own origin if it is on this machine, which only a sandbox is: files may come from there."""
    url = URL(base_url)
    if url.scheme != "http" or url.host not in {"127.0.0.1", "localhost", "::1"} or url.port is None:
        return None
    return Origin(url.scheme, url.host, url.port)


def destination(written: str, *, own: Origin | None) -> URL:
    """
    Read the URL of a file. Raises NotAllowed.

    What is returned is what has to be asked for: nobody reads it a second time, and perhaps otherwise.
    """
    if len(written) > _LONGEST or _ODD.search(written):
        raise NotAllowed("malformed_url")
    try:
        url = URL(written, encoded=_PLAIN.fullmatch(written) is not None)
        host, port = (url.raw_host or "").lower(), url.port
    except ValueError as error:
        raise NotAllowed("malformed_url") from error
    if url.user is not None or url.password is not None or "@" in url.raw_authority:
        raise NotAllowed("user_in_url")
    if own is not None and (url.scheme, host, port) == (own.scheme, own.host, own.port):
        return url
    if url.scheme != "https":
        raise NotAllowed("not_https")
    if port != _HTTPS:
        raise NotAllowed("other_port")
    _check_host(host)
    return url


def is_public(address: str) -> bool:
    """Say whether an IP address is one of the public internet's. What is no address is not."""
    try:
        read = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(read, ipaddress.IPv4Address):
        return not any(read in network for network in _NOT_PUBLIC_4)
    if read.scope_id is not None:
        return False
    if read in _NAT64:
        return is_public(str(ipaddress.IPv4Address(int(read) & 0xFFFF_FFFF)))
    return read in _PUBLIC_6 and not any(read in network for network in _NOT_PUBLIC_6)


def _check_host(host: str) -> None:
    """Raise NotAllowed unless a host is a public IP address or a full domain name."""
    if ":" in host:
        if not is_public(host):
            raise NotAllowed("not_public")
        return
    labels = host.split(".")
    if _is_number(labels[-1]):  # then the system reads it as an IPv4 address, in octal, in hex or as one number
        if not is_public(host):  # which reads four decimal numbers only
            raise NotAllowed("not_public")
        return
    if len(host) > _LONGEST_NAME or len(labels) == 1 or not all(map(_LABEL.fullmatch, labels)):
        raise NotAllowed("malformed_host")


def _is_number(label: str) -> bool:
    return label.isdigit() or re.fullmatch(r"0x[0-9a-f]*", label) is not None
