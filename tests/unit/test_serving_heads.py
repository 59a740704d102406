"""What a head must say about its host, and what it says when it no longer asks for an upgrade."""

from __future__ import annotations

import pytest

from pennant_serving.http.connections.heads import without_upgrade, wrong_host

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("hosts", "target", "version", "right"),
    [
        ([b"pod"], b"/v2", "1.1", True),
        ([b"pod:8080"], b"/v2", "1.1", True),
        ([b"my_model.ns.svc.cluster.local"], b"/v2", "1.1", True),
        ([b"10.0.0.1:8080"], b"/v2", "1.1", True),
        ([b"[fd00::1]:8080"], b"/v2", "1.1", True),
        ([b"[fe80::1%25eth0]"], b"/v2", "1.1", True),
        ([b"m\xc3\xbcller"], b"/v2", "1.1", False),
        ([b"xn--mller-kva.example"], b"/v2", "1.1", True),
        ([b""], b"/v2", "1.1", True),  # of a client that knows none
        ([b"pod"], b"*", "1.1", True),
        ([], b"/v2", "1.1", False),
        ([], b"/v2", "1.0", True),
        ([b"pod", b"pod"], b"/v2", "1.1", False),
        ([b"pod", b"pod"], b"/v2", "1.0", False),
        ([b"pod, other"], b"/v2", "1.1", False),
        ([b"pod,other"], b"/v2", "1.1", False),
        ([b"pod other"], b"/v2", "1.1", False),
        ([b"user@pod"], b"/v2", "1.1", False),
        ([b"http://pod"], b"/v2", "1.1", False),
        ([b"pod/v2"], b"/v2", "1.1", False),
        ([b"pod:http"], b"/v2", "1.1", False),
        ([b"pod:8080:8080"], b"/v2", "1.1", False),
        ([b"[fd00::1"], b"/v2", "1.1", False),
        ([b"p" * 600], b"/v2", "1.1", False),
        ([b"pod"], b"http://pod/v2", "1.1", True),
        ([b"POD"], b"http://pod:80/v2", "1.1", True),
        ([b"pod"], b"http://pod", "1.1", True),
        ([b"other"], b"http://pod/v2", "1.1", False),
        ([b"pod"], b"http://user@pod/v2", "1.1", False),
        ([b"pod"], b"http://pod:8080/v2", "1.1", False),
    ],
)
def test_one_host_is_named_and_the_same_everywhere(hosts, target, version, right):
    assert (wrong_host(hosts, target, version) is None) is right


def test_only_the_upgrade_is_left_out():
    headers = [(b"host", b"pod"), (b"upgrade", b"h2c"), (b"content-length", b"3")]
    head = without_upgrade(b"POST", b"/v2?a=1", "1.1", headers)
    assert head == b"POST /v2?a=1 HTTP/1.1\r\nhost: pod\r\ncontent-length: 3\r\n\r\n"
