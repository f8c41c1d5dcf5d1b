import IDF
import ServiceKernel

extension BotConversion {
    /// Parsers of one feed each: no parameter says anything that the mapping file does not.
    static let feeds: [BotConversion] = [
        feed("abusech.parser_feodotracker", "feodotracker"),
        feed("alienvault.parser", "alienvault-reputation"),
        feed("alienvault.parser_otx", "otx"),
        feed("cleanmx.parser", "cleanmx-virus") { $0.contains("phishing") ? "cleanmx-phishing" : nil },
        feed("github_feed.parser", "strangereal-intel"),
        feed("hibp.parser_callback", "hibp-callback"),
        feed("bambenek.parser", "bambenek-c2") { $0.contains("dga") ? "bambenek-dga" : nil },
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
        feed("dataplane.parser", "dataplane") { $0.contains("proto41") ? "dataplane-proto41" : nil },
        feed("dshield.parser_asn", "dshield-asn"),
        feed("dshield.parser_block", "dshield-block"),
        feed("dyn.parser", "dyn"),
        feed("eset.parser", "eset"),
        feed("fireeye.parser", "fireeye"),
        feed("fraunhofer.parser_dga", "fraunhofer-dga"),
        feed("malwarepatrol.parser_dansguardian", "malwarepatrol-dansguardian"),
        feed("malwareurl.parser", "malwareurl"),
        feed("microsoft.parser_bingmurls", "bingmurls"),
        feed("misp.parser", "misp"),
        feed("n6.parser_n6stomp", "n6-stomp"),
        feed("openphish.parser", "openphish"),
        feed("openphish.parser_commercial", "openphish-premium"),
        feed("phishtank.parser", "phishtank"),
        feed("spamhaus.parser_cert", "spamhaus-cert"),
        feed("spamhaus.parser_drop", "spamhaus-drop") { $0.hasSuffix(".json") ? "spamhaus-drop-json" : nil },
        feed("threatminer.parser", "threatminer"),
        feed("turris.parser", "turris"),
        feed("vxvault.parser", "vxvault"),
        feed("zoneh.parser", "zoneh"),
    ]

    private static func feed(
        _ bot: String, _ worker: String, choose: @escaping @Sendable (String) -> String? = { _ in nil }
    ) -> BotConversion {
        BotConversion(module: "parsers." + bot, worker: worker + "-parser", convert: { _ in }) {
            choose($0).map { $0 + "-parser" }
        }
    }

    /// Parsers that parameters tell what to do.
    static let generic: [BotConversion] = [
        BotConversion(module: "parsers.anubisnetworks.parser", worker: "anubisnetworks-parser") { parameters in
            guard parameters.take("use_malware_familiy_as_classification_identifier")?.bool == false else { return }
            parameters.set("leave-out", .array([.string("intelmq.classification.identifier")]))
        },
        BotConversion(module: "parsers.ioc_extractor.parser", worker: "ioc-extractor-parser", convert: extractor),
        BotConversion(module: "parsers.twitter.parser", worker: "ioc-extractor-parser", convert: extractor),
        BotConversion(module: "parsers.mcafee.parser_atd", worker: "mcafee-atd-parser") { $0.carry("verdict_severity") },
        BotConversion(module: "parsers.microsoft.parser_ctip", worker: "microsoft-ctip-parser") {
            $0.carry("overwrite", as: "feed-name-from-data")
        },
        BotConversion(module: "parsers.shodan.parser", worker: "shodan-parser") { $0.carry("minimal_mode") },
        BotConversion(module: "parsers.json.parser", worker: "json-parser") { $0.carry("splitlines") },
        BotConversion(module: "parsers.key_value.parser", worker: "key-value-parser") { parameters in
            for name in ["keys", "kv_separator", "pair_separator", "strip_quotes"] { parameters.carry(name) }
        },
        BotConversion(module: "parsers.html_table.parser", worker: "html-table-parser") { parameters in
            for name in [
                "columns", "table_index", "attribute_name", "attribute_value", "skip_table_head", "split_column",
                "split_separator", "split_index", "time_format", "default_url_protocol", "type",
            ] { parameters.carry(name) }
            // Lists are texts with commas in old configurations.
            parameters.carry("ignore_values") { value in
                guard let text = value.string else { return value }
                return .array(text.split(separator: ",", omittingEmptySubsequences: false).map { .string(String($0)) })
            }
        },
        BotConversion(module: "parsers.cznic.parser_proki", worker: "json-parser") { parameters in
            parameters.set("items", .string("data"))
            parameters.set(
                "rename",
                .object([
                    "feed.name": .string("custom.original_feed_name"),
                    "time.observation": .string("custom.original_time_observation"),
                ]))
        },
    ]

    /// Old configurations write pairs and lists as one text with semicolons.
    @Sendable static func extractor(_ parameters: inout BotParameters) throws(NoCounterpart) {
        let parts = (parameters.take("substitutions")?.string ?? "").split(separator: ";", omittingEmptySubsequences: false)
        if parts.count > 1 {
            let pairs = stride(from: 0, to: parts.count - 1, by: 2).map { at in
                JSONValue.Member(String(parts[at]), .string(String(parts[at + 1])))
            }
            parameters.set("substitutions", .object(pairs))
        }
        parameters.carry("domain_whitelist") { value in
            guard let text = value.string else { return value }
            return .array(text.split(separator: ";").map { .string(String($0)) })
        }
        parameters.carry("classification_type", as: "type")
        parameters.carry("default_scheme")
    }

    /// The kinds of reports come from a schema, which IntelMQ keeps in a folder of its own.
    @Sendable static func shadowserver(_ parameters: inout BotParameters) throws(NoCounterpart) {
        parameters.set("schema", .string("/var/lib/intelmq/shadowserver-schema.json"))
        parameters.carry("feedname", as: "feed")
        parameters.drop(["auto_update"], "intelmq shadowserver-parser update-db fetches the schema; run it once, then by a timer")
    }

    @Sendable static func csv(_ parameters: inout BotParameters) throws(NoCounterpart) {
        for name in [
            "columns", "columns_required", "column_regex_search", "compose_fields", "data_type", "default_url_protocol",
            "delimiter",
            "skip_header", "time_format", "type", "type_translation", "filter_text", "filter_type",
        ] { parameters.carry(name, decoded) }
        parameters.carry("default_fields", as: "constants", decoded)
    }

    /// Parameters that are objects come as objects or as texts of JSON.
    static func decoded(_ value: JSONValue) -> JSONValue {
        guard let text = value.string, text.hasPrefix("{"), let object = try? JSONValue(parsing: Array(text.utf8)) else {
            return value
        }
        return object
    }
}
