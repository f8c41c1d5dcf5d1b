/// Why a page of measures cannot be read.
public struct MetricsPageError: Error, Sendable, CustomStringConvertible {
    /// Which page, line and what is wrong there.
    public let description: String
}

extension MetricsPage {
    /// Puts the pages of several processes of one worker together.
    ///
    /// Values with the same labels become one, as the table of measures says (`docs/metrics.md`): a sum, the greatest or the
    /// smallest. Histograms are added bucket by bucket; of different buckets those stay that all of them have. What the table does not know is added
    /// if it is a counter or a histogram, and else the greatest counts. Times of samples are left away.
    /// - Parameter pages: in Prometheus' text format 0.0.4.
    /// - Returns: one page in the same format; empty for no pages.
    /// - Throws: `MetricsPageError`, which names page and line, when one cannot be read.
    public static func merged(_ pages: [String]) throws(MetricsPageError) -> String {
        try merged(pages, and: MetricsPage()).text
    }

    /// The same with a page that is read already.
    static func merged(_ pages: [String], and other: MetricsPage) throws(MetricsPageError) -> MetricsPage {
        var whole = MetricsPage()
        for (index, page) in pages.enumerated() { whole.add(try MetricsPage(reading: page, number: index + 1)) }
        whole.add(other)
        for index in whole.sections.indices { whole.sections[index].series.sort { $0.labels < $1.labels } }
        return whole
    }

    /// Puts the values of another page to those of this one.
    mutating func add(_ other: MetricsPage) {
        var places = Dictionary(uniqueKeysWithValues: sections.enumerated().map { ($1.name, $0) })
        for section in other.sections {
            if let place = places[section.name] {
                sections[place].add(section)
            } else {
                places[section.name] = sections.count
                sections.append(section)
            }
        }
    }
}

extension MetricsPage.Section {
    fileprivate mutating func add(_ other: MetricsPage.Section) {
        let merge = MetricsFamily.named(name)?.merge ?? (type == .counter || type == .histogram ? .sum : .max)
        var places = Dictionary(uniqueKeysWithValues: series.enumerated().map { ($1.labels, $0) })
        for one in other.series {
            guard let place = places[one.labels] else {
                places[one.labels] = series.count
                series.append(one)
                continue
            }
            switch (series[place].points, one.points) {
            case (.value(let a), .value(let b)):
                switch merge {
                case .sum: series[place].points = .value(a + b)
                case .max: series[place].points = .value(max(a, b))
                case .min: series[place].points = .value(min(a, b))
                }
            case (.histogram(let a), .histogram(let b)): series[place].points = .histogram(a.adding(b))
            // Programs of different versions do not agree on what it is: the first one counts.
            default: break
            }
        }
    }
}

extension MetricsPage.Buckets {
    /// Counts are those of all shorter times too, so a bucket that one side lacks can go without harm to the others.
    fileprivate func adding(_ other: MetricsPage.Buckets) -> MetricsPage.Buckets {
        var result = MetricsPage.Buckets(sum: sum + other.sum)
        let counts = Dictionary(other.counts.map { ($0.bound, $0.count) }) { first, _ in first }
        for (bound, count) in self.counts {
            if let more = counts[bound] { result.counts.append((bound, count + more)) }
        }
        return result
    }
}
