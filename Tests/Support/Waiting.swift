/// Waits until something has become true, for a minute if need be: that is for hangs, not for slow machines. Answers whether it has.
public func eventually(seconds: Int = 60, _ condition: () async throws -> Bool) async rethrows -> Bool {
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
        if try await condition() { return true }
        try? await Task.sleep(for: .milliseconds(10))
    }
    return try await condition()
}

/// The same of something that has a name, and cannot be asked at all times; says so when it has not become true.
public func eventually(_ what: String, seconds: Int = 120, _ condition: () async throws -> Bool) async throws {
    let isSo = await eventually(seconds: seconds) { (try? await condition()) == true }
    if !isSo { throw NeverSo(description: "after \(seconds) s still not: \(what)") }
}

/// What a test has waited for in vain.
public struct NeverSo: Error, CustomStringConvertible {
    /// What, and how long.
    public let description: String
}
