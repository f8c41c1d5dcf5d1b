import IDF

/// Why a request is refused, where there may be several reasons.
struct Problems: Error {
    let problems: [Problem]
    init(_ problems: [Problem]) { self.problems = problems }
}
