import IDF
import ServiceKernel
import Synchronization

/// One thing measured.
struct Figure {
    /// Its name in the JSON output, which stays the same from version to version.
    let name: String
    /// What it is, for people.
    let what: String
    let value: Double
    let unit: String
    /// To what it is compared with in the same run.
    var ratio: Double?
    /// What the project wants, in words.
    var target: String?
}

/// Prints figures as they come: a table for people, or one JSON object a line.
final class Figures {
    private let json: Bool
    private let start = ContinuousClock.now
    private let load = readFile("/proc/loadavg").map { String(decoding: $0.prefix { $0 != 0x20 }, as: UTF8.self) } ?? "unknown"

    init(json: Bool) { self.json = json }

    func begin() {
        guard !json else { return }
        put("what".padded(to: 56) + "value".leading(12) + "  " + "unit".padded(to: 20) + "ratio".leading(6) + "  target")
    }

    func add(_ figure: Figure) {
        if json {
            var members: [JSONValue.Member] = [
                .init("name", .string(figure.name)), .init("value", .number(Self.number(figure.value))),
                .init("unit", .string(figure.unit)),
            ]
            if let ratio = figure.ratio { members.append(.init("ratio", .number(Self.number(ratio)))) }
            return put(String(decoding: JSONValue.object(members).bytes, as: UTF8.self))
        }
        let ratio = figure.ratio.map { Self.number($0) } ?? ""
        var line = figure.what.padded(to: 56) + Self.number(figure.value).leading(12) + "  " + figure.unit.padded(to: 20)
        line += ratio.leading(6) + "  " + (figure.target ?? "")
        while line.last == " " { line.removeLast() }
        put(line)
    }

    func end() {
        guard !json else { return }
        put(
            "measured in \(Self.number((ContinuousClock.now - start).inSeconds)) s on \(Machine.cores) cores; figures are medians"
        )
        // Whatever else runs takes time from both sides of a measurement.
        put("load average before: \(load); above 0.5 the figures are those of a busy machine")
    }

    /// Whole numbers from 100 on, two places below 10.
    static func number(_ value: Double) -> String {
        guard value.isFinite else { return "0" }
        if value >= 100 { return String(Int(value.rounded())) }
        let scale = value >= 10 ? 10.0 : 100.0
        return "\((value * scale).rounded() / scale)"
    }
}

/// The middle one; of an even number the mean of the two in the middle.
func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return .nan }
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

extension Duration {
    var inSeconds: Double { self / .seconds(1) }
}

extension String {
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
    func leading(_ width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}
