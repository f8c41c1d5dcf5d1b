import IDF
import ServiceKernel
import YAML

/// A worker that has a setting of every kind.
struct FuzzExpert: Expert {
    static let spec = Spec(
        "fuzz", "Marks events.", reads: [Key<IPAddress>.sourceIP], writes: [Key<String>("message"), Key<String>.sourceASName],
        lookup: Key<IPAddress>.sourceIP)

    enum Choice: String, SettingChoice, SettingValue { case first, second }

    @Setting("A text.", example: "text") var text: String
    @Setting("A number.") var number = 1
    @Setting("A fraction.") var fraction = 0.5
    @Setting("A truth.") var isTrue = false
    @Setting("A length of time.") var pause = Interval(seconds: 5)
    @Setting("How much.") var amount = ByteCount.mebibytes(1)
    @Setting("Some fields.") var fields: [FieldID] = []
    @Setting("A table.") var table: [String: [Int]] = [:]
    @Setting("A secret.") var token: Secret? = nil
    @Setting("A word.") var choice = Choice.first

    func process(_ event: inout Event) throws(Rejection) -> Verdict {
        event.enrich(from: .sourceIP) { event, address, place in
            event.fill(.sourceASName, address.description, at: place)
        }
        event.fill(Key<String>("message"), "seen")
        return .forward
    }
}

private let roster = Roster([RosterEntry(FuzzExpert.self)])

/// Any text is a document or an error with its place; any document a configuration or a list of what is wrong.
func fuzzYAML(_ bytes: UnsafePointer<UInt8>?, _ count: Int) {
    let document: YAMLDocument
    do throws(YAMLError) {
        document = try YAMLDocument.parse(array(bytes, count), file: "fuzz-expert.yaml")
    } catch {
        expect(!error.description.isEmpty && (error.mark?.line ?? 1) >= 1, "an error without a place")
        return
    }
    var left = 200
    visit(document.root, document, &left)
    for expected in [nil, roster.workers[0]] {
        do throws(ConfigurationError) {
            let configuration = try ConfigurationReader.read(document, roster: roster, expected: expected)
            _ = "\(configuration.limits) \(configuration.edges) \(configuration.limits.idle.duration)"
        } catch {
            expect(!error.messages.isEmpty, "refused without a reason")
        }
    }
}

private func visit(_ node: YAMLNode, _ document: YAMLDocument, _ left: inout Int) {
    guard left > 0 else { return }
    left -= 1
    if left > 180 { _ = document.diagnostic("here", at: node, help: "there").description }
    _ = (node.string, node.bool, node.int, node.double, node.isNull, node["worker"])
    for item in node.array ?? [] { visit(item, document, &left) }
    for pair in node.pairs ?? [] {
        visit(pair.key, document, &left)
        visit(pair.value, document, &left)
    }
}
