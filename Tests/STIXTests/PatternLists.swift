/// Patterns of our own after the grammar of STIX 2.1, part 9. They cover what the lists of the `stix2-patterns` package
/// (OASIS, BSD-3-Clause) cover, and more; `STIXPattern` agrees with those lists as well.
enum PatternLists {
    private static let md5 = "0123456789abcdef0123456789ABCDEF"
    private static let sha1 = "0123456789abcdef0123456789abcdef01234567"
    private static let sha256 = md5 + md5
    private static let from = "t'2026-01-01T00:00:00Z'"
    private static let until = "t'2026-11-20T23:59:59.999Z'"

    static let valid: [String] = [
        // Objects of all kinds.
        "[ipv4-addr:value = '192.0.2.1']", "[ipv4-addr:value = '192.0.2.1/32']", "[ipv6-addr:value = '2001:db8::1']",
        "[domain-name:value = 'c2.example.net']", "[url:value = 'https://a.example/x?y=1#z']",
        "[email-addr:value = 'a@b.example']",
        "[mac-addr:value = '00:53:00:00:00:01']", "[autonomous-system:number = 64496]", "[mutex:name = 'Global\\\\x']",
        "[file:hashes.MD5 = '\(md5)']", "[file:hashes.'SHA-1' = '\(sha1)']", "[file:hashes.'SHA-256' = '\(sha256)']",
        "[file:hashes.'SHA-512' = '\(sha256)\(sha256)']", "[file:hashes.SSDEEP = '3:AXGBicFlgVNhBGcL6wCrFQEv:AXGHsNhxLsr2C']",
        "[file:hashes.'x-own' = 'anything']", "[file:hashes[*] = '\(md5)']", "[file:size > 0]", "[file:size IN (1, 22, 333)]",
        "[file:name = 'a.exe' AND file:parent_directory_ref.path = 'C:\\\\Temp']",
        "[file:extensions.'windows-pebinary-ext'.sections[*].entropy > 7.5]", "[file:contains_refs[0].name LIKE '%.js']",
        "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '203.0.113.9/32']",
        "[network-traffic:dst_port IN(80,443) AND network-traffic:protocols[*] = 'tcp']",
        "[x-own-thing:part.serial_number = '1']",
        "[process:command_line MATCHES '^cmd\\\\.exe .+$']",
        "[user-account:account_login = 'root' AND user-account:user_id = '0']",
        "[windows-registry-key:values[1].data = 'x']",
        "[x509-certificate:issuer = 'CN=A' AND x509-certificate:serial_number = '4c:0b']",
        "[email-message:from_ref.value MATCHES '.+@b\\\\.example$']", "[artifact:payload_bin = b'QUJD']",
        "[artifact:payload_bin = b'QUI=']", "[artifact:payload_bin = b'QQ==']", "[file:magic_number_hex = h'4d5a']",
        "[file:magic_number_hex = h'']", "[software:vendor = 'ü']",
        // Comparators.
        "[a:b == 1]", "[a:b != 1]", "[a:b <> 1]", "[a:b < 1]", "[a:b <= 1]", "[a:b > 1.5]", "[a:b >= -1.5]", "[a:b = +1]",
        "[a:b = -.5]", "[a:b = 0]", "[a:b = -0]", "[a:b = true]", "[a:b != false]", "[a:b NOT = 1]", "[a:b NOT != 1]",
        "[a:b NOT IN (1, 'x', true, 1.5, h'00', b'QQ==', \(from))]", "[a:b IN ()]", "[a:b NOT LIKE 'x_']", "[a:b NOT MATCHES '']",
        "[a:b ISSUBSET '192.0.2.0/24']", "[a:b NOT ISSUBSET '2001:db8::/32']", "[a:b ISSUPERSET '192.0.2.1']", "[EXISTS a:b]",
        "[NOT EXISTS a:b.c[*]]", "[a:b = \(from)]", "[a:b = t'2026-02-31T00:00:00Z']", "[a:b = t'2016-12-31T23:59:60.123456Z']",
        "[a:b = '']", "[a:b = 'it\\'s']", "[a:b = '\\\\']", "[a:b = 'two\nlines']", "[a:b = '] OR [']",
        "[a:b = 99999999999999999999999999]",
        // Joined.
        "[a:b = 1 AND a:c = 2 OR a:d = 3]", "[(a:b = 1 OR a:c = 2) AND a:d = 3]", "[((a:b = 1))]",
        "[a:b = 1] AND [a:c = 2] OR [a:d = 3] FOLLOWEDBY [a:e = 4]", "([a:b = 1])", "(([a:b = 1] OR [a:c = 2]))",
        "[a:b = 1 AND c:d = 2]", "[a:b = 1AND a:c = 2]",
        // Qualified.
        "[a:b = 1] REPEATS 5 TIMES", "[a:b = 1] WITHIN 10 SECONDS", "[a:b = 1] WITHIN 0.5 SECONDS",
        "[a:b = 1] START \(from) STOP \(until)",
        "[a:b = 1] REPEATS 5 TIMES WITHIN 1800 SECONDS START \(from) STOP \(until)",
        "([a:b = 1] WITHIN 5 SECONDS) WITHIN 6 SECONDS",
        "([a:b = 1] REPEATS 2 TIMES) REPEATS 2 TIMES", "([a:b = 1] FOLLOWEDBY [a:c = 2]) WITHIN 300 SECONDS",
        "[a:b = 1] START \(from) STOP \(until) OR [a:b = 2] START \(until) STOP \(from)",
        // White space and comments.
        "[a:b=1]", "  [ a : b . c [ 0 ] = 1 ]\t\r\n", "[a:b\u{A0}=\u{2003}1\u{3000}]", "[a:b = 1] // the end",
        "[a:b /* here */ = 1]",
        "/* first */ [a:b = 1]", "[a:b = 1 // x\n]",
        // Names.
        "[_a:_b = 1]", "[a:in = 1]", "[a:And = 1]", "[a:'START' = 1]", "[a:'' = 1]", "[a:ANDY = 1]", "[AND-a:b = 1]",
        "[t:h = b'QQ==']",
    ]

    static let invalid: [String] = [
        "", " ", "// nothing", "file:size = 1", "[]", "()", "[", "]", "(", "[a:b = 1", "a:b = 1]", "[a:b = 1]]", "([a:b = 1]",
        "[a:b = 1])",
        "[(a:b = 1]", "[a:b = 1)]", "[a:b]", "[a:b =]", "[a = 1]", "[a: = 1]", "[:b = 1]", "[a.b = 1]", "[a:b. = 1]",
        "[a:b..c = 1]",
        "[a:b c = 1]", "['a':b = 1]", "[a:b-c = 1]", "[a:b.c-d = 1]", "[a:START = 1]", "[a:b.true = 1]", "[AND:b = 1]",
        "[ü:b = 1]",
        "[a:b[] = 1]", "[a:b[-1] = 1]", "[a:b[x] = 1]", "[a:b[1.5] = 1]", "[a:b[0 = 1]", "[a:b[99999999999999999999] = 1]",
        // Values.
        "[a:b = x]", "[a:b = \"x\"]", "[a:b = 'x]", "[a:b = '\\n']", "[a:b = '\\']", "[a:b = True]", "[a:b = null]", "[a:b = 01]",
        "[a:b = 1.]", "[a:b = -]", "[a:b = 1e5]", "[a:b = 0x1]", "[a:b = 1 2]", "[a:b = h'0']", "[a:b = h'0g']", "[a:b = b'']",
        "[a:b = b'QQ']", "[a:b = b'====']", "[a:b = b'Q===']", "[a:b = b'Q_==']", "[a:b = t'']",
        "[a:b = t '2026-01-01T00:00:00Z']",
        "[a:b = t'2026-01-01']", "[a:b = t'2026-01-01T00:00:00']", "[a:b = t'2026-01-01T00:00:00+00:00']",
        "[a:b = t'2026-13-01T00:00:00Z']",
        "[a:b = t'2026-00-01T00:00:00Z']", "[a:b = t'2026-01-32T00:00:00Z']", "[a:b = t'2026-01-00T00:00:00Z']",
        "[a:b = t'2026-01-01T24:00:00Z']",
        "[a:b = t'2026-01-01T00:60:00Z']", "[a:b = t'2026-01-01T00:00:61Z']", "[a:b = t'2026-01-01T00:00:00.Z']",
        "[a:b = t'2026/01/01T00:00:00Z']",
        "[a:b = t'2026-01-01 00:00:00Z']", "[a:b = t'not a time at all, Z']", "[a:b = t'２026-01-01T00:00:00Z']",
        "[file:hashes.MD5 = 'x']", "[file:hashes.md5 != '\(md5)0']", "[file:hashes.'SHA-256' = '\(md5)']",
        "[file:hashes.'SHA-1' IN ('\(sha1)', 'f')]",
        "[file:hashes.MD5 = 1]", "[file:hashes.MD5 = '0123456789abcdef0123456789abcdeg']",
        // Comparators.
        "[a:b =? 1]", "[a:b === 1]", "[a:b ! = 1]", "[a:b => 1]", "[a:b in (1)]", "[a:b IN 1]", "[a:b IN (1]", "[a:b IN (1,)]",
        "[a:b IN (,1)]",
        "[a:b IN (1 2)]", "[a:b IN ((1))]", "[a:b LIKE 1]", "[a:b LIKE]", "[a:b MATCHES /x/]", "[a:b MATCHES h'00']",
        "[a:b ISSUBSET 1]",
        "[a:b ISSUBSET]", "[a:b ISSUPERSET (1)]", "[a:b < true]", "[a:b >= false]", "[a:b CONTAINS 'x']", "[NOT a:b = 1]",
        "[a:b NOT NOT = 1]",
        "[a:b NOT]", "[a:b EXISTS]", "[EXISTS]", "[EXISTS a]", "[a:b NOT EXISTS]", "[EXISTS a:b = 1]", "[a:b = LAST]",
        // Joined.
        "[a:b = 1][a:c = 2]", "[a:b = 1] [a:c = 2]", "[a:b = 1] AND", "AND [a:b = 1]", "[a:b = 1] and [a:c = 2]",
        "[a:b = 1] XOR [a:c = 2]",
        "[a:b = 1 AND]", "[a:b = 1 AND 2]", "[AND a:b = 1]", "[a:b = 1 OR OR a:c = 2]", "[a:b = 1 FOLLOWEDBY a:c = 2]",
        "[[a:b = 1]]",
        "[a:b = 1 AND [a:c = 2]]", "([a:b = 1] OR)", "[([a:b = 1])]",
        // Qualified.
        "[a:b = 1] WITHIN", "[a:b = 1] WITHIN 5", "[a:b = 1] WITHIN SECONDS", "[a:b = 1] WITHIN 5 HOURS",
        "[a:b = 1] WITHIN -5 SECONDS",
        "[a:b = 1] WITHIN 'x' SECONDS", "[a:b = 1] within 5 SECONDS", "[a:b = 1] REPEATS TIMES", "[a:b = 1] REPEATS 5",
        "[a:b = 1] REPEATS 1.5 TIMES",
        "[a:b = 1] REPEATS -1 TIMES", "[a:b = 1] START \(from)", "[a:b = 1] STOP \(from)", "[a:b = 1] START \(from) STOP",
        "[a:b = 1] START 1 STOP 2",
        "[a:b = 1] START '2026-01-01T00:00:00Z' STOP '2026-01-02T00:00:00Z'", "[a:b = 1] WITHIN 5 SECONDS WITHIN 6 SECONDS",
        "([a:b = 1] REPEATS 2 TIMES REPEATS 3 TIMES)", "[a:b = 1] WITHIN 1 SECONDS REPEATS 2 TIMES WITHIN 3 SECONDS",
        "[a:b = 1] START \(from) STOP \(until) START \(from) STOP \(until)", "[a:b = 1 WITHIN 5 SECONDS]", "WITHIN 5 SECONDS",
        "[a:b = 1] REPEATS 99999999999999999999 TIMES",
        // Comments and marks.
        "[a:b = 1] /* open", "[a:b = 1] /", "[a:b = 1];", "[a:b = 1] # x", "\u{FEFF}[a:b = 1]", "[a:b = 1]\0", "[a:b = 1 // ]",
        "{a:b = 1}",
    ]
}
