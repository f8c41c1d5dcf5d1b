#!/usr/bin/env python3
"""Makes a Shadowserver report "Accessible RDP" (scan_rdp) for demonstrations and measurements.

Today's columns, every cell quoted, lines ended by a newline. Only documentation addresses (RFC 5737, RFC 3849),
documentation numbers (RFC 5398) and example names (RFC 2606). One row in twenty is an exact repetition of an earlier
one, as work for the deduplicator. The same arguments make the same file.

    make-report.py                           2,500 rows into 2026-11-20-scan_rdp-demo.csv
    make-report.py --rows 100000 --output -  to standard output
    make-report.py --bad 25                  25 broken rows among the good ones
"""

import argparse
import csv
import datetime
import hashlib
import ipaddress
import random
import sys

COLUMNS = """timestamp severity ip protocol port hostname tag asn geo region city naics hostname_source sector
    handshake rdp_protocol cert_length subject_common_name issuer_common_name cert_issue_date cert_expiration_date
    sha1_fingerprint cert_serial_number ssl_version signature_algorithm key_algorithm sha256_fingerprint
    sha512_fingerprint md5_fingerprint tlsv13_support tlsv13_cipher jarm""".split()

# Fifteen in sixteen addresses are of IPv4, as the scan sees them.
NETWORKS = [ipaddress.ip_network(text) for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")] * 5
NETWORKS.append(ipaddress.ip_network("2001:db8::/32"))

NUMBERS = [*range(64496, 64512), *range(65536, 65552)]

PLACES = [
    ("AT", "EXAMPLE REGION EAST", "MUSTERSTADT"), ("DE", "EXAMPLE REGION NORTH", "BEISPIELHAUSEN"),
    ("CZ", "EXAMPLE REGION SOUTH", "VZOROV"), ("PL", "EXAMPLE REGION WEST", "PRZYKLADOWO"),
    ("SE", "EXAMPLE REGION CENTRE", "EXEMPELSTAD"), ("FR", "EXAMPLE REGION COAST", "VILLE-EXEMPLE"),
]

# Industry code and sector; most networks are of providers.
SECTORS = [
    ("517311", "Communications, Service Provider, and Hosting Service"),
    ("518210", "Communications, Service Provider, and Hosting Service"),
    ("611310", "Education"), ("921190", "Government"), ("622110", "Healthcare"), ("0", ""), ("0", ""),
]


def fingerprint(algorithm, seed):
    """A digest as reports print it: upper-case pairs joined with colons."""
    return hashlib.new(algorithm, seed.encode()).digest().hex(":").upper()


def announcer(address):
    """The system that announces an address in the demonstration's asn.mmdb (see make-asn-mmdb.py), 0 for none."""
    last = int(address) & 255
    match NETWORKS.index(next(network for network in NETWORKS if address in network)):
        case 0: return NUMBERS[last // 16]
        case 1: return 65537 + last // 32 * 2 if last // 8 % 4 == 1 else 65536
        case 2: return 65540 + last // 32 if last < 224 else 0
    if int(address) >> 95 & 1:
        return 0
    block = int(address) >> 90 & 31
    return NUMBERS[31 - block if int(address) >> 80 & 1023 == 0 else block]


def certificate(dice, name, day):
    """The columns about the certificate; empty for servers that speak RDP without TLS."""
    if dice.random() < 0.45:
        return {"handshake": "", "rdp_protocol": "RDP"}
    seed = f"{name} {dice.getrandbits(32):08x}"
    issued = datetime.datetime.combine(day, datetime.time()) - datetime.timedelta(seconds=dice.randrange(150 * 86400))
    modern = dice.random() < 0.5
    return {
        "handshake": dice.choice(["TLSv1.2", "TLSv1.2", "TLSv1.0"]),
        "rdp_protocol": "RDP",
        "cert_length": dice.choice(["2048", "2048", "2048", "4096"]),
        "subject_common_name": name,
        "issuer_common_name": name,
        "cert_issue_date": f"{issued:%Y-%m-%d %H:%M:%S}",
        "cert_expiration_date": f"{issued + datetime.timedelta(days=183):%Y-%m-%d %H:%M:%S}",
        "sha1_fingerprint": fingerprint("sha1", seed),
        "cert_serial_number": hashlib.md5(seed.encode()).hexdigest().upper(),
        "ssl_version": "2",
        "signature_algorithm": "sha256WithRSAEncryption",
        "key_algorithm": "rsaEncryption",
        "sha256_fingerprint": fingerprint("sha256", seed),
        "sha512_fingerprint": fingerprint("sha512", seed),
        "md5_fingerprint": fingerprint("md5", seed),
        "tlsv13_support": "Y" if modern else "N",
        "tlsv13_cipher": "TLS_AES_256_GCM_SHA384" if modern else "",
        "jarm": hashlib.sha256(f"jarm {modern}".encode()).hexdigest()[:62] if modern else "",
    }


def good_row(dice, day, second):
    """One row as a list of cells."""
    network = dice.choice(NETWORKS)
    if network.version == 4:
        address = network[dice.randrange(network.num_addresses)]
        block = (int(address) >> 4) & 31
    else:
        block = dice.randrange(32)
        address = network[(block << 90) | (dice.randrange(16) << 80) | dice.randrange(1, 4096)]
    label = str(address).replace(".", "-").replace(":", "-").strip("-")
    place = PLACES[block % len(PLACES)]
    naics, sector = SECTORS[block % len(SECTORS)]
    hostname = f"host-{label}.{dice.choice(['dyn', 'static', 'srv'])}.example.{dice.choice(['net', 'org', 'com'])}"
    named = dice.random() < 0.75
    vulnerable = dice.random() < 0.03
    cells = {
        "timestamp": f"{day} {datetime.timedelta(seconds=second)!s:0>8}",
        "severity": "critical" if vulnerable else "high",
        "ip": str(address),
        "protocol": "tcp",
        "port": "3389" if dice.random() < 0.9 else str(dice.choice([3388, 3390, 13389, 33890])),
        "hostname": hostname if named else "",
        "tag": "rdp;cve-2019-0708" if vulnerable else "rdp",
        # What nobody told the reporter is for the lookup to add.
        "asn": str(announcer(address)) if dice.random() < 0.9 else "0",
        "geo": place[0],
        "region": place[1],
        "city": place[2],
        "naics": naics,
        "hostname_source": "ptr" if named else "",
        "sector": sector,
    }
    cells |= certificate(dice, f"WIN-{dice.getrandbits(40):010X}.corp.example.com", day)
    return [cells.get(column, "") for column in COLUMNS]


def broken_row(kind, row):
    """The row with one of seven faults."""
    row = list(row)
    cell = {name: index for index, name in enumerate(COLUMNS)}
    match kind % 7:
        case 0: row[cell["ip"]] = "300.1.2.3"
        case 1: row[cell["ip"]] = ""
        case 2: row[cell["timestamp"]] = "yesterday"
        case 3: row[cell["port"]] = "70000"
        case 4: row = row[:5]
        case 5: row = row + ["one", "too many"]
        case 6: row[cell["timestamp"]] = ""
    return row


def rows(count, bad, seed, day):
    dice = random.Random(seed)
    repeated = count // 20
    seconds = sorted(dice.randrange(86400) for _ in range(count - repeated))
    made = []
    seen = set()
    for second in seconds:
        row = good_row(dice, day, second)
        while tuple(row) in seen:
            row = good_row(dice, day, second)
        seen.add(tuple(row))
        made.append(row)
    for _ in range(repeated):
        position = dice.randrange(len(made))
        made.insert(dice.randrange(position, len(made)) + 1, made[position])
    # Dice of their own, so that the good rows are the same with and without broken ones.
    faults = random.Random(f"{seed} bad")
    for kind in range(bad):
        row = broken_row(kind, good_row(faults, day, faults.randrange(86400)))
        made.insert(faults.randrange(len(made) + 1), row)
    return made


def main():
    parser = argparse.ArgumentParser(description="Makes a Shadowserver report scan_rdp from documentation addresses.")
    parser.add_argument("--rows", type=int, default=2500, help="rows, repetitions included (default: 2500)")
    parser.add_argument("--bad", type=int, default=0, help="broken rows to insert on top (default: 0)")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes another report (default: 1)")
    parser.add_argument("--date", type=datetime.date.fromisoformat, default=datetime.date(2026, 11, 20), help="day of the report")
    parser.add_argument("--output", help="file, or - for standard output (default: DATE-scan_rdp-demo.csv)")
    arguments = parser.parse_args()
    if arguments.rows < 0 or arguments.bad < 0:
        parser.error("--rows and --bad want a number from 0 on")

    def write(stream):
        writer = csv.writer(stream, dialect="unix")
        writer.writerow(COLUMNS)
        writer.writerows(rows(arguments.rows, arguments.bad, arguments.seed, arguments.date))

    if arguments.output == "-":
        write(sys.stdout)
        return
    with open(arguments.output or f"{arguments.date}-scan_rdp-demo.csv", "w", newline="", encoding="utf-8") as stream:
        write(stream)


if __name__ == "__main__":
    main()
