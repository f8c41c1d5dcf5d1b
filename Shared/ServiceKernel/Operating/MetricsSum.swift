/// The pages of a worker's processes as one, over processes that come and go: a counter of the whole never falls, as one that falls
/// is taken for one that has begun anew, and all that the other processes had counted would be counted once more.
public struct MetricsSum: Sendable {
    /// The last page of each process by its place.
    private var pages: [Int: String] = [:]
    /// What processes have counted that have ended.
    private var past = MetricsPage()

    /// Of nothing yet.
    public init() {}

    /// Takes the page of a process.
    /// - Parameters:
    ///   - page: in Prometheus' text format 0.0.4.
    ///   - place: which of the processes it is.
    public mutating func take(_ page: String, of place: Int) {
        if let old = pages[place], Self.start(old) != Self.start(page), let read = try? MetricsPage(reading: old, number: 1) {
            past.add(read.counted)
        }
        pages[place] = page
    }

    /// One page in the same format; empty when one cannot be read.
    public var text: String { (try? MetricsPage.merged(pages.sorted { $0.key < $1.key }.map(\.value), and: past))?.text ?? "" }

    /// The line that says since when the process runs.
    private static func start(_ page: String) -> Substring? {
        page.firstRange(of: "\nprocess_start_time_seconds ").map { page[$0.upperBound...].prefix { $0 != "\n" } }
    }
}

extension MetricsPage {
    /// What the process itself has counted: neither measures of a moment nor the accounts of its spool, which it finds again.
    fileprivate var counted: MetricsPage {
        var page = self
        page.sections.removeAll { $0.type == .gauge || $0.type == nil || MetricsFamily.named($0.name)?.isKept == true }
        return page
    }
}
