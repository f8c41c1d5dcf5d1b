// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [.swiftLanguageMode(.v6)]

/// A library of ours in Shared/.
func shared(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: "Shared/\(name)", swiftSettings: settings)
}

/// A C library of the system; `package` is its Debian package.
func system(_ name: String, package: String) -> Target {
    .systemLibrary(name: name, path: "Shared/\(name)", providers: [.apt([package])])
}

/// A family of workers: every worker is a folder with its Swift file, README and cases; mappings are YAML files.
func family(_ name: String, _ dependencies: [Target.Dependency], workers: [String], mappings: [String] = []) -> Target {
    .target(
        name: name, dependencies: ["IDF", "ServiceKernel", "YAML"] + dependencies, path: "Services/\(name)",
        exclude: workers.flatMap { ["\($0)/README.md", "\($0)/cases"] } + (mappings.isEmpty ? [] : ["mappings/README.md"]),
        resources: mappings.map { .embedInCode("mappings/\($0).yaml") }, swiftSettings: settings)
}

/// A part of the program that is no worker.
func service(_ name: String, _ dependencies: [Target.Dependency], data: [String] = []) -> Target {
    .target(
        name: name, dependencies: ["IDF", "YAML"] + dependencies, path: "Services/\(name)",
        resources: data.map { .embedInCode($0) }, swiftSettings: settings)
}

let fleet: [Target.Dependency] = ["Collectors", "Parsers", "Experts", "Outputs", "Control", "ServiceKernel"]

/// A program for developers.
func tool(_ name: String, path: String) -> Target {
    .executableTarget(name: name, dependencies: fleet + ["IDF", "YAML", "HTTP", "SQLite"], path: path, swiftSettings: settings)
}

/// The tests of a part: `Tests/<Name>Tests`.
func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: dependencies + ["TestSupport"], path: "Tests/\(name)Tests", exclude: exclude,
        swiftSettings: settings)
}

let package = Package(
    name: "intelmq-fleet",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        system("CArchive", package: "libarchive-dev"),
        system("CCrypto", package: "libssl-dev"),
        system("CCurl", package: "libcurl4-openssl-dev"),
        system("CIDN2", package: "libidn2-dev"),
        system("CMalloc", package: "libc6-dev"),
        system("CMaxMindDB", package: "libmaxminddb-dev"),
        system("CMicroHTTPD", package: "libmicrohttpd-dev"),
        system("CPCRE2", package: "libpcre2-dev"),
        system("CPSL", package: "libpsl-dev"),
        system("CSQLite", package: "libsqlite3-dev"),
        system("CYAML", package: "libyaml-dev"),
        system("CZlib", package: "zlib1g-dev"),
        .target(
            name: "CSimdJSON", path: "Shared/CSimdJSON", linkerSettings: [.linkedLibrary("simdjson"), .linkedLibrary("stdc++")]),
        shared("Bulk"),
        shared("Threads"),
        shared("IDF", ["Bulk", "CSimdJSON", "CIDN2", "CCrypto"]),
        shared("YAML", ["CYAML"]),
        shared("CSV"),
        shared("Archive", ["Bulk", "CArchive", "CZlib"]),
        shared("HTTP", ["Bulk", "Threads", "CMicroHTTPD", "CCurl"]),
        shared("SQLite", ["CSQLite"]),
        shared("Spool", ["SQLite", "Threads"]),
        shared("RecentSet"),
        shared("Conditions", ["IDF", "CPCRE2"]),
        shared("ASNDatabase", ["IDF", "CMaxMindDB", "CZlib"]),
        shared(
            "ServiceKernel",
            [
                "Bulk", "IDF", "YAML", "HTTP", "Spool", "Archive", "Conditions", "Threads", "CMalloc",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        shared("Mapping", ["IDF", "YAML", "CSV"]),
        shared("PublicSuffix", ["CIDN2", "CPSL"]),
        shared("STIX"),
        shared("Formats", ["IDF", "CCrypto"]),
        family("Collectors", ["Bulk", "HTTP", "Archive"], workers: ["file", "http"]),
        family(
            "Parsers", ["Bulk", "Mapping", "CSV", "HTTP", "PublicSuffix", "STIX", "Formats"],
            workers: [
                "csv", "cymru-cap", "dho", "dyn", "fireeye", "html-table", "idea", "ioc-extractor", "json", "key-value",
                "malwareurl", "mapping", "mcafee-atd", "microsoft-ctip", "misp", "n6", "n6-program", "shadowserver", "shodan",
                "stix", "surbl", "threatminer",
            ],
            mappings: [
                "alienvault-reputation", "anubisnetworks", "bambenek-c2", "bambenek-dga", "benkow", "bingmurls",
                "blocklistde", "blueliv-crimeserver", "cert-eu", "certstream", "cins-army", "cleanmx-phishing",
                "cleanmx-virus", "cymru-full-bogons", "cznic-haas", "danger-rulez", "dataplane", "dataplane-proto41",
                "dshield-asn", "dshield-block", "eset", "feodotracker", "fraunhofer-dga", "hibp-callback", "malwarebazaar",
                "malwarepatrol-dansguardian", "n6-stomp", "openphish", "openphish-premium", "otx", "phishtank", "spamhaus-cert",
                "spamhaus-drop", "spamhaus-drop-json", "strangereal-intel", "threatfox", "threatfox-json", "turris", "urlhaus",
                "urlhaus-json", "viriback", "vxvault", "zoneh",
            ]),
        family(
            "Experts", ["Bulk", "ASNDatabase", "RecentSet", "Formats"],
            workers: ["asn-lookup", "deduplicator", "dho", "idea", "n6", "taxonomy", "transcoder"]),
        family("Outputs", ["SQLite", "CSV"], workers: ["file", "sql"]),
        service(
            "StatusDaemon",
            [
                "ServiceKernel", "HTTP", .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        service("Workflow", ["ServiceKernel", "ServiceKernelTesting", "StatusDaemon", "HTTP", "Conditions"]),
        service(
            "Gateway",
            [
                "Bulk", "ServiceKernel", "StatusDaemon", "Workflow", "HTTP", "Spool",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        service(
            "Control",
            [
                "ServiceKernel", "StatusDaemon", "Workflow", "Gateway", "HTTP",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], data: ["Feeds/feeds.yaml"]),
        .executableTarget(
            name: "intelmq", dependencies: ["Collectors", "Parsers", "Experts", "Outputs", "Control"], path: "Services/Fleet",
            swiftSettings: settings),
        shared(
            "ServiceKernelTesting", ["ServiceKernel", "IDF", "YAML", "HTTP", .product(name: "Logging", package: "swift-log")]),
        tool("vectors", path: "Tests/Vectors"),
        tool("bench", path: "Tests/Bench"),
        tool("torture", path: "Tests/Torture"),
        .target(name: "TestSupport", path: "Tests/Support", swiftSettings: settings),
        tests("Bulk", ["Bulk"]),
        tests("IDF", ["IDF"]),
        tests("YAML", ["YAML"]),
        tests("CSV", ["CSV"]),
        tests("Archive", ["Archive", "Bulk", "CArchive"]),
        tests("HTTP", ["Bulk", "HTTP"]),
        tests("SQLite", ["SQLite", "CSQLite"]),
        tests("Spool", ["Spool", "SQLite"], exclude: ["fixtures"]),
        tests("RecentSet", ["RecentSet"]),
        tests("Conditions", ["Conditions", "IDF"]),
        tests("ASNDatabase", ["ASNDatabase", "IDF", "CZlib"], exclude: ["fixtures"]),
        tests("Mapping", ["Mapping", "IDF", "YAML"]),
        tests("PublicSuffix", ["PublicSuffix"]),
        tests("STIX", ["STIX"]),
        tests("Formats", ["Formats", "IDF"]),
        tests(
            "ServiceKernel",
            ["Bulk", "ServiceKernel", "ServiceKernelTesting", "Conditions", "IDF", "YAML", "HTTP", "Spool", "Archive"]),
        tests("Worker", fleet + ["IDF", "YAML", "HTTP", "SQLite", "Archive"]),
        tests("Fleet", fleet + ["ServiceKernelTesting", "Workflow", "IDF", "YAML", "HTTP"]),
        tests(
            "Gateway", ["Gateway", "StatusDaemon", "Workflow", "ServiceKernel", "ServiceKernelTesting", "IDF", "YAML", "HTTP"]),
        tests("EndToEnd", ["intelmq", "torture", "IDF", "HTTP"]),
    ],
    cxxLanguageStandard: .cxx17
)

// The fuzz targets link only with the sanitizers that Tests/Fuzz/fuzz.sh asks for.
if Context.environment["INTELMQ_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "fuzz", dependencies: ["IDF", "CSV", "YAML", "Mapping", "HTTP", "ServiceKernel"], path: "Tests/Fuzz",
            exclude: ["fuzz.sh", "seeds"], swiftSettings: settings))
}
