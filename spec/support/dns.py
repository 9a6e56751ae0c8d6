"""A name server for specs: every name is 127.0.0.1, those below "invalid" do not exist.

Prints its port, and serves until it is killed.
"""
import socket
import struct

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 0))
print("port", server.getsockname()[1], flush=True)
while True:
    query, address = server.recvfrom(512)
    question = query[12:]
    kind = struct.unpack(">H", question[-4:-2])[0]
    if b"\x07invalid\x00" in question:
        flags, answers, record = b"\x81\x83", 0, b""
    elif kind == 1:
        flags, answers = b"\x81\x80", 1
        record = b"\xc0\x0c\x00\x01\x00\x01" + struct.pack(">IH", 5, 4) + bytes([127, 0, 0, 1])
    else:
        flags, answers, record = b"\x81\x80", 0, b""
    head = query[:2] + flags + struct.pack(">HHHH", 1, answers, 0, 0)
    server.sendto(head + question + record, address)
