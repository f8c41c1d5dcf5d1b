#!/usr/bin/env python3
"""Makes a small MaxMind database of autonomous systems for demonstrations and tests.

Only documentation addresses (RFC 5737, RFC 3849), documentation numbers (RFC 5398) and invented names. The same
call makes the same file. Needs the package mmdb-writer (pip install mmdb-writer).

    make-asn-mmdb.py asn.mmdb               the demonstration's database, IPv4 inside an IPv6 tree
    make-asn-mmdb.py --kind ipv4 ipv4.mmdb  a tree for IPv4 only
    make-asn-mmdb.py --kind city city.mmdb  a database without autonomous systems, which a reader has to refuse
"""

import argparse
import calendar
from ipaddress import ip_network

from mmdb_writer import MMDBWriter, MmdbU64
from netaddr import IPSet

BUILD_TIME = calendar.timegm((2026, 11, 20, 0, 0, 0))

NAMES = [
    "Example Carrier", "Sample Hosting", "Placeholder Broadband", "Specimen Cable", "Beispielnetz Österreich",
    "Documentation University", "Illustration Mobile", "Exempel Kommunnät", "Demonstration Cloud", "Testbed Research",
    "Esempio Fibra", "Muster Stadtwerke", "Fictional Internet Exchange", "Mockup Data Center", "Paper Airlines",
]
# The last number of each documentation range has no name, as some real ones.
SYSTEMS = {number: NAMES[i] if i < 15 else None for i, number in enumerate(range(64496, 64512))}
SYSTEMS |= {number: NAMES[i] + " International" if i < 15 else None for i, number in enumerate(range(65536, 65552))}


def announcements():
    """Pairs of network and number, larger networks before those inside them."""
    numbers = list(SYSTEMS)
    # Sixteen equal parts.
    for i, part in enumerate(ip_network("192.0.2.0/24").subnets(new_prefix=28)):
        yield part, numbers[i]
    # One large announcement with smaller ones inside.
    yield ip_network("198.51.100.0/24"), 65536
    for i, part in enumerate(ip_network("198.51.100.0/24").subnets(new_prefix=29)):
        if i % 4 == 1:
            yield part, numbers[17 + i // 2]
    # Seven eighths; 203.0.113.224/27 is announced by nobody.
    for i, part in enumerate(list(ip_network("203.0.113.0/24").subnets(new_prefix=27))[:7]):
        yield part, numbers[20 + i]
    # The upper half of 2001:db8::/32 is announced by nobody.
    for i, part in enumerate(ip_network("2001:db8::/33").subnets(new_prefix=38)):
        yield part, numbers[i]
        yield next(part.subnets(new_prefix=48)), numbers[31 - i]


class Writer(MMDBWriter):
    """A writer whose files do not depend on the clock."""

    def _build_meta(self):
        return {**super()._build_meta(), "build_epoch": MmdbU64(BUILD_TIME)}


def record(kind, number):
    if kind == "city":
        return {"country": {"iso_code": "ZZ"}, "city": {"names": {"en": "Example City"}}}
    name = SYSTEMS[number]
    return {"autonomous_system_number": number} | ({"autonomous_system_organization": name} if name else {})


def main():
    parser = argparse.ArgumentParser(description="Makes a small MaxMind database for demonstrations and tests.")
    parser.add_argument("--kind", choices=["asn", "ipv4", "city"], default="asn")
    parser.add_argument("output")
    arguments = parser.parse_args()

    both = arguments.kind != "ipv4"
    writer = Writer(
        ip_version=6 if both else 4,
        ipv4_compatible=both,
        database_type="Demo-City" if arguments.kind == "city" else "Demo-ASN",
        languages=["en"],
        description="Documentation addresses and invented names, for demonstrations and tests",
        int_type="u32",
    )
    for network, number in announcements():
        if both or network.version == 4:
            writer.insert_network(IPSet([str(network)]), record(arguments.kind, number))
    writer.to_db_file(arguments.output)


if __name__ == "__main__":
    main()
