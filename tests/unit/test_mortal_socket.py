"""The sockets on which Slack is asked."""

import socket
import sys

import pytest

from bot.slack.client import mortal_socket

_ADDRESS = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", 0))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such limit")
def test_what_slack_does_not_acknowledge_is_not_sent_for_long() -> None:
    """A request of a process that is cut off does not arrive once another leads, fifteen seconds later at the least."""
    with mortal_socket(_ADDRESS) as made:
        assert 0 < made.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) < 15_000
        assert made.family is socket.AF_INET
        assert made.type & socket.SOCK_STREAM
