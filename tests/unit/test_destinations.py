"""Where files are fetched from: the public internet over https, whatever a link looks like."""

from ipaddress import IPv4Address

import pytest
from yarl import URL

from bot.files.destinations import NotAllowed, Origin, destination, is_public, own_origin

OWN = Origin("http", "127.0.0.1", 8080)

#: Links, and why nothing is fetched from there.
HOSTILE = [
    # Not https.
    ("http://files.example.com/a.jpg", "not_https"),
    ("ftp://files.example.com/a.jpg", "other_port|not_https"),
    ("file:///etc/passwd", "not_https|other_port"),
    ("gopher://files.example.com/a", "not_https"),
    ("data:image/png;base64,AAAA", "not_https"),
    ("javascript:alert(1)", "not_https"),
    ("//files.example.com/a.jpg", "not_https"),
    ("/etc/passwd", "not_https"),
    ("", "not_https"),
    # Another port.
    ("https://files.example.com:22/a.jpg", "other_port"),
    ("https://files.example.com:80/a.jpg", "other_port"),
    ("https://files.example.com:8443/a.jpg", "other_port"),
    ("https://files.example.com:0/a.jpg", "other_port"),
    ("https://files.example.com:99999/a.jpg", "malformed_url"),
    ("https://files.example.com:https/a.jpg", "malformed_url"),
    # Who one claims to be, or another host that hides behind it.
    ("https://user:secret@files.example.com/a.jpg", "user_in_url"),
    ("https://files.example.com@127.0.0.1/a.jpg", "user_in_url"),
    ("https://@127.0.0.1/a.jpg", "user_in_url"),
    ("https://files.example.com\\@127.0.0.1/a.jpg", "malformed_url"),
    ("https://127.0.0.1\\.example.com/a.jpg", "malformed_url"),
    # Loopback, private and other addresses, the ordinary way.
    ("https://127.0.0.1/a.jpg", "not_public"),
    ("https://10.0.0.1/a.jpg", "not_public"),
    ("https://172.16.0.1/a.jpg", "not_public"),
    ("https://172.31.255.255/a.jpg", "not_public"),
    ("https://192.168.1.1/a.jpg", "not_public"),
    ("https://169.254.169.254/latest/meta-data/", "not_public"),
    ("https://100.64.0.1/a.jpg", "not_public"),
    ("https://100.100.100.200/latest/meta-data/", "not_public"),
    ("https://168.63.129.16/a.jpg", "not_public"),
    ("https://0.0.0.0/a.jpg", "not_public"),
    ("https://224.0.0.1/a.jpg", "not_public"),
    ("https://255.255.255.255/a.jpg", "not_public"),
    ("https://198.18.0.1/a.jpg", "not_public"),
    ("https://192.0.2.1/a.jpg", "not_public"),
    # The same in ways that only some programs understand.
    ("https://2130706433/a.jpg", "not_public"),
    ("https://0177.0.0.1/a.jpg", "not_public"),
    ("https://0x7f.0.0.1/a.jpg", "not_public"),
    ("https://0x7f000001/a.jpg", "not_public"),
    ("https://127.1/a.jpg", "not_public"),
    ("https://127.0.1/a.jpg", "not_public"),
    ("https://0/a.jpg", "not_public"),
    ("https://8.8.8.8.8/a.jpg", "not_public"),
    ("https://008.8.8.8/a.jpg", "not_public"),
    ("https://①②⑦.⓪.⓪.①/a.jpg", "not_public|malformed"),
    ("https://１２７.0.0.1/a.jpg", "not_public|malformed"),
    # IPv6.
    ("https://[::1]/a.jpg", "not_public"),
    ("https://[::]/a.jpg", "not_public"),
    ("https://[::ffff:127.0.0.1]/a.jpg", "not_public"),
    ("https://[::ffff:8.8.8.8]/a.jpg", "not_public"),
    ("https://[::127.0.0.1]/a.jpg", "not_public"),
    ("https://[fc00::1]/a.jpg", "not_public"),
    ("https://[fd00:ec2::254]/a.jpg", "not_public"),
    ("https://[fe80::1]/a.jpg", "not_public"),
    ("https://[fe80::1%25eth0]/a.jpg", "not_public|malformed_url"),
    ("https://[fec0::1]/a.jpg", "not_public"),
    ("https://[ff02::1]/a.jpg", "not_public"),
    ("https://[64:ff9b::7f00:1]/a.jpg", "not_public"),
    ("https://[64:ff9b::10.0.0.1]/a.jpg", "not_public"),
    ("https://[64:ff9b:1::7f00:1]/a.jpg", "not_public"),
    ("https://[2002:7f00:1::]/a.jpg", "not_public"),
    ("https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/a.jpg", "not_public"),
    ("https://[2001:db8::1]/a.jpg", "not_public"),
    ("https://[2001:10::1]/a.jpg", "not_public"),
    ("https://[5f00::1]/a.jpg", "not_public"),
    ("https://[::1/a.jpg", "malformed_url"),
    # Names that only a machine or a network of ours has.
    ("https://localhost/a.jpg", "malformed_host"),
    ("https://LOCALHOST/a.jpg", "malformed_host"),
    ("https://postgres/a.jpg", "malformed_host"),
    ("https://files.example.com./a.jpg", "malformed_host"),
    ("https://localhost./a.jpg", "malformed_host"),
    ("https://.example.com/a.jpg", "malformed_host"),
    ("https://a..example.com/a.jpg", "malformed_host|malformed_url"),
    ("https://-a.example.com/a.jpg", "malformed_host"),
    ("https:///a.jpg", "malformed"),
    ("https://%6c%6fcalhost/a.jpg", "malformed"),
    ("https://127.0.0.1%2f.example.com/a.jpg", "malformed"),
    (f"https://{'a.' * 130}com/a.jpg", "malformed"),
    # What no link has.
    ("https://files.example.com/a.jpg\r\nHost: 127.0.0.1", "malformed_url"),
    ("https://files.example.com/a b.jpg", "malformed_url"),
    (" https://files.example.com/a.jpg", "malformed_url"),
    ("https://files.example.com/\0a.jpg", "malformed_url"),
    ("https://files.example.com/" + "a" * 5000, "malformed_url"),
    # Our own Blooio's, nearly.
    ("http://127.0.0.1:8081/a.jpg", "not_https"),
    ("http://127.0.0.1/a.jpg", "not_https"),
    ("http://localhost:8080/a.jpg", "not_https"),
    ("https://127.0.0.1:8080/a.jpg", "other_port"),
    ("http://user@127.0.0.1:8080/a.jpg", "user_in_url"),
    ("http://127.0.0.1.:8080/a.jpg", "not_https"),
]


@pytest.mark.parametrize(("url", "codes"), HOSTILE, ids=[repr(url[:60]) for url, _ in HOSTILE])
def test_a_hostile_link_is_refused(url: str, codes: str) -> None:
    """Whatever it is written like, it leads nowhere."""
    with pytest.raises(NotAllowed) as refused:
        destination(url, own=OWN)
    assert any(str(refused.value).startswith(code) for code in codes.split("|"))


@pytest.mark.parametrize(
    "url",
    [
        "https://files.example.com/a.jpg",
        "https://FILES.Example.com/a.jpg",
        "https://bucket.s3.amazonaws.com/a/b?X-Amz-Signature=ab%2Bcd&X-Amz-Expires=60",
        "https://files_1.example.com/a.jpg",
        "https://xn--bcher-kva.example/a.jpg",
        "https://8.8.8.8/a.jpg",
        "https://[2606:4700::1111]/a.jpg",
        "https://[64:ff9b::8.8.8.8]/a.jpg",
        "http://127.0.0.1:8080/a.jpg",
    ],
)
def test_an_ordinary_link_is_followed_as_it_is_written(url: str) -> None:
    """What is asked for is what was checked, to the letter: a signed address must not change."""
    target = destination(url, own=OWN)
    assert str(target) == url
    assert target == URL(url, encoded=True)


def test_the_port_of_https_may_be_said() -> None:
    """It is the one that is meant anyway."""
    assert destination("https://files.example.com:443/a.jpg", own=None).port == 443


def test_a_link_with_letters_of_another_script_is_encoded() -> None:
    """Nobody has to encode the name of a photo."""
    assert str(destination("https://files.example.com/Фото.jpg", own=None)).endswith("/%D0%A4%D0%BE%D1%82%D0%BE.jpg")


@pytest.mark.parametrize(
    ("base_url", "own"),
    [
        ("http://127.0.0.1:8080/blooio/v2/api", Origin("http", "127.0.0.1", 8080)),
        ("http://localhost:9/x", Origin("http", "localhost", 9)),
        ("http://[::1]:9/x", Origin("http", "::1", 9)),
        ("https://backend.blooio.com/v2/api", None),
        ("https://127.0.0.1:8080/", None),
    ],
)
def test_only_a_blooio_on_this_machine_has_an_origin_of_its_own(base_url: str, own: Origin | None) -> None:
    """The real one gives files out like anybody else."""
    assert own_origin(base_url) == own


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "2a00:1450:4001::1", "64:ff9b::808:808"])
def test_public_addresses(address: str) -> None:
    """Those of hosts that everybody reaches."""
    assert is_public(address)


@pytest.mark.parametrize("address", ["", "localhost", "127.1", "0x7f000001", "127.0.0.1 ", "::1%lo", "fe80::1%eth0"])
def test_what_is_no_address_is_not_public(address: str) -> None:
    """A resolver that answers with something else is not believed."""
    assert not is_public(address)


def test_no_private_network_is_public() -> None:
    """The first, a middle and the last address of each, in IPv4 and behind NAT64."""
    for first, last in [
        ("0.0.0.0", "0.255.255.255"),
        ("10.0.0.0", "10.255.255.255"),
        ("100.64.0.0", "100.127.255.255"),
        ("127.0.0.0", "127.255.255.255"),
        ("169.254.0.0", "169.254.255.255"),
        ("172.16.0.0", "172.31.255.255"),
        ("192.168.0.0", "192.168.255.255"),
        ("224.0.0.0", "255.255.255.255"),
    ]:
        begin, end = int(IPv4Address(first)), int(IPv4Address(last))
        for number in (begin, (begin + end) // 2, end):
            address = IPv4Address(number)
            assert not is_public(str(address))
            assert not is_public(f"64:ff9b::{address}")
            assert not is_public(f"::ffff:{address}")
    assert is_public("100.63.255.255")
    assert is_public("100.128.0.0")
    assert is_public("172.15.255.255")
    assert is_public("172.32.0.0")
