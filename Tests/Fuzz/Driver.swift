import Glibc

/// One test of an input; what is wrong ends the process.
typealias Harness = @Sendable (UnsafePointer<UInt8>?, Int) -> Void

private let harnesses: [(name: String, test: Harness)] = [
    ("packet", fuzzPacket), ("json", fuzzJSON), ("values", fuzzValues), ("csv", fuzzCSV), ("yaml", fuzzYAML),
    ("mapping", fuzzMapping), ("http", fuzzHTTP),
]

nonisolated(unsafe) private var chosen: Harness = { _, _ in }

/// Called by libFuzzer before everything else: `fuzz TARGET [libFuzzer's options] [folders or files]`. Without a target it lists them.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> CInt {
    let name = count.pointee > 1 ? arguments.pointee[1].map { String(cString: $0) } ?? "" : ""
    guard let test = harnesses.first(where: { $0.name == name })?.test else {
        for harness in harnesses { print(harness.name) }
        exit(name.isEmpty ? 0 : 64)
    }
    chosen = test
    // The name of the program takes the place of the target's.
    arguments.pointee[1] = arguments.pointee[0]
    arguments.pointee += 1
    count.pointee -= 1
    return 0
}

/// Called by libFuzzer with every input.
@_cdecl("LLVMFuzzerTestOneInput")
public func test(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    chosen(bytes, count)
    return 0
}

/// The input as an array, which like a request's body ends where it ends: reading beyond is seen.
func array(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> [UInt8] {
    Array(UnsafeBufferPointer(start: bytes, count: count))
}

/// Ends the process with a message when something is not as it must be: for libFuzzer that is a crash.
func expect(_ holds: Bool, _ message: @autoclosure () -> String) {
    if !holds { fatalError(message()) }
}

/// The text shortened for messages.
func shown(_ bytes: some Collection<UInt8>) -> String { String(decoding: bytes.prefix(2000), as: UTF8.self) }
