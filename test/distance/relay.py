"""A network device that gives TCP a distance: `relay.py <device> <round trip in ms>`.

Every packet that is sent to the device comes back after half a round trip with source and destination swapped, which
leaves its checksums valid: a connection to any address behind the device ends at this machine's own server. Addresses
whose last number is below 16 are dead: their packets are dropped.
"""

import collections
import fcntl
import os
import select
import struct
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000

device, delay = sys.argv[1], float(sys.argv[2]) / 2000
tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", device.encode(), IFF_TUN | IFF_NO_PI))
print("ready", flush=True)


def swapped(packet):
    """The packet on its way back; None when it is for a dead address, or no IP."""
    first, size = {4: (12, 4), 6: (8, 16)}.get(packet[0] >> 4, (0, 0))
    if size == 0:
        return None
    source, target = packet[first : first + size], packet[first + size : first + 2 * size]
    if 1 < target[-1] < 16:
        return None
    return packet[:first] + target + source + packet[first + 2 * size :]


under_way = collections.deque()
while True:
    wait = max(0, under_way[0][0] - time.monotonic()) if under_way else None
    if select.select([tun], [], [], wait)[0]:
        packet = swapped(os.read(tun, 65536))
        if packet is not None:
            under_way.append((time.monotonic() + delay, packet))
    while under_way and under_way[0][0] <= time.monotonic():
        os.write(tun, under_way.popleft()[1])
