import Foundation
import IDF

/// Parsers of one feed each: no parameter says anything that the mapping file does not.
extension Counterpart {
    static let feeds: [Counterpart] = [
        feed("abusech.parser_feodotracker", "feodotracker"),
        feed("alienvault.parser", "alienvault-reputation"),
        feed("alienvault.parser_otx", "otx"),
        feed("cleanmx.parser", "cleanmx-virus") { $0.url.contains("phishing") ? "cleanmx-phishing" : nil },
        feed("github_feed.parser", "strangereal-intel"),
        feed("hibp.parser_callback", "hibp-callback"),
        feed("bambenek.parser", "bambenek-c2") { $0.url.contains("dga") ? "bambenek-dga" : nil },
        feed("blocklistde.parser", "blocklistde"),
        feed("blueliv.parser_crimeserver", "blueliv-crimeserver"),
        feed("calidog.parser_certstream", "certstream"),
        feed("cert_eu.parser_csv", "cert-eu"),
        feed("ci_army.parser", "cins-army"),
        feed("cymru.parser_cap_program", "cymru-cap"),
        feed("surbl.parser", "surbl"),
        feed("cymru.parser_full_bogons", "cymru-full-bogons"),
        feed("cznic.parser_haas", "cznic-haas"),
        feed("danger_rulez.parser", "danger-rulez"),
        feed("dataplane.parser", "dataplane") { $0.url.contains("proto41") ? "dataplane-proto41" : nil },
        feed("dshield.parser_asn", "dshield-asn"),
        feed("dshield.parser_block", "dshield-block"),
        feed("dyn.parser", "dyn"),
        feed("eset.parser", "eset"),
        feed("fireeye.parser", "fireeye"),
        feed("fraunhofer.parser_dga", "fraunhofer-dga"),
        feed("malwarepatrol.parser_dansguardian", "malwarepatrol-dansguardian"),
        feed("malwareurl.parser", "malwareurl"),
        feed("microsoft.parser_bingmurls", "bingmurls"),
        feed("n6.parser_n6stomp", "n6"),
        feed("openphish.parser", "openphish"),
        feed("openphish.parser_commercial", "openphish-premium"),
        feed("phishtank.parser", "phishtank"),
        feed("spamhaus.parser_cert", "spamhaus-cert"),
        feed("spamhaus.parser_drop", "spamhaus-drop"),
        feed("threatminer.parser", "threatminer"),
        feed("turris.parser", "turris"),
        feed("vxvault.parser", "vxvault"),
        feed("zoneh.parser", "zoneh"),
    ]

    /// Parsers that parameters tell what to do.
    static let generic: [Counterpart] = [
        Counterpart(
            bot: "parsers.anubisnetworks.parser", worker: "anubisnetworks-parser",
            settings: { vector in
                guard vector["use_malware_familiy_as_classification_identifier"]?.bool == false else { return .given([]) }
                return .given([.init("leave-out", .array([.string("intelmq.classification.identifier")]))])
            }),
        Counterpart(bot: "parsers.ioc_extractor.parser", worker: "ioc-extractor-parser", settings: extractor),
        Counterpart(bot: "parsers.twitter.parser", worker: "ioc-extractor-parser", settings: extractor),
        Counterpart(
            bot: "parsers.mcafee.parser_atd", worker: "mcafee-atd-parser", settings: { given($0, ["verdict_severity"]) }),
        Counterpart(
            bot: "parsers.microsoft.parser_ctip", worker: "microsoft-ctip-parser",
            settings: { .given($0["overwrite"].map { [.init("feed-name-from-data", $0)] } ?? []) }),
        Counterpart(bot: "parsers.shodan.parser", worker: "shodan-parser", settings: { given($0, ["minimal_mode"]) }),
        Counterpart(bot: "parsers.json.parser", worker: "json-parser", settings: { given($0, ["splitlines"]) }),
        Counterpart(
            bot: "parsers.key_value.parser", worker: "key-value-parser",
            settings: { given($0, ["keys", "kv_separator", "pair_separator", "strip_quotes"]) }),
        Counterpart(
            bot: "parsers.html_table.parser", worker: "html-table-parser",
            settings: {
                given(
                    $0,
                    [
                        "columns", "table_index", "attribute_name", "attribute_value", "ignore_values", "skip_table_head",
                        "split_column", "split_separator", "split_index", "time_format", "default_url_protocol", "type",
                    ])
            }),
        Counterpart(
            bot: "parsers.cznic.parser_proki", worker: "json-parser",
            settings: { _ in
                .given([
                    .init("items", .string("data")),
                    .init(
                        "rename",
                        .object([
                            "feed.name": .string("custom.original_feed_name"),
                            "time.observation": .string("custom.original_time_observation"),
                        ])),
                ])
            }),
    ]

    @Sendable private static func extractor(_ vector: VectorCase) -> Settings {
        var settings: [JSONValue.Member] = []
        if let parts = vector["substitutions"]?.string?.components(separatedBy: ";"), parts.count > 1 {
            let pairs = stride(from: 0, to: parts.count - 1, by: 2).map { JSONValue.Member(parts[$0], .string(parts[$0 + 1])) }
            settings.append(.init("substitutions", .object(pairs)))
        }
        if let domains = vector["domain_whitelist"]?.string {
            let list = domains.split(separator: ";").map { JSONValue.string(String($0)) }
            settings.append(.init("domain-whitelist", .array(list)))
        }
        if let type = vector["classification_type"] { settings.append(.init("type", type)) }
        if let scheme = vector["default_scheme"] { settings.append(.init("default-scheme", scheme)) }
        return .given(settings)
    }

    /// Settings called like the parameters, save for their hyphens.
    private static func given(_ vector: VectorCase, _ names: [String]) -> Settings {
        .given(
            vector.parameters.filter { names.contains($0.name) && $0.value != .null }.map { member in
                var value = member.value
                // Lists are texts with commas in old configurations.
                if member.name == "ignore_values", let text = value.string {
                    value = .array(text.split(separator: ",", omittingEmptySubsequences: false).map { .string(String($0)) })
                }
                return .init(member.name.replacingOccurrences(of: "_", with: "-"), value)
            })
    }

    private static func feed(
        _ bot: String, _ worker: String, choose: @escaping @Sendable (VectorCase) -> String? = { _ in nil }
    ) -> Counterpart {
        Counterpart(bot: "parsers." + bot, worker: worker + "-parser", settings: { _ in .given([]) }) { vector in
            choose(vector).map { $0 + "-parser" }
        }
    }
}

extension VectorCase {
    /// Where the first report was fetched.
    var url: String { input.first?["feed.url"]?.string ?? "" }
}
