"""One DNS question over UDP, to see that cluster DNS really answers."""

import secrets
import socket
import struct


def resolve(server: str, name: str, seconds: float = 1.0) -> str | None:
    """The IPv4 address of a name, asked of `server`:53; None without a useful answer."""
    number = secrets.randbelow(1 << 16)
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    question = labels + b"\0" + struct.pack("!HH", 1, 1)
    packet = struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + question
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.settimeout(seconds)
        try:
            channel.connect((server, 53))
            channel.send(packet)
            answer = channel.recv(512)
        except OSError:
            return None
    return _address(answer, number)


def _address(answer: bytes, number: int) -> str | None:
    """The address in the last record, which ends the packet: its name need not be understood."""
    if len(answer) < 28 or struct.unpack("!H", answer[:2])[0] != number:
        return None
    answers = struct.unpack("!H", answer[6:8])[0]
    kind, _, _, size = struct.unpack("!HHIH", answer[-14:-4])
    return socket.inet_ntoa(answer[-4:]) if answers and (kind, size) == (1, 4) else None
