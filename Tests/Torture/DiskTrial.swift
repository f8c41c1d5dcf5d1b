import Glibc
import Synchronization

/// The disk of a durable service becomes full, by its own spool and by something else, and is freed again.
struct DiskTrial {
    static let name = "disk full and freed"
    private let ground: Ground
    private let pair: Pair
    private let disk: String

    static func run(_ ground: Ground) async throws(TortureError) -> Verdict {
        let disk = "\(ground.root)/small-disk"
        if let reason = Machine.mountDisk(disk, megabytes: 40) {
            return Verdict(name, .skipped, "no small disk can be mounted here (\(reason)); it takes root")
        }
        defer { Machine.unmountDisk(disk) }
        let pair = try Pair("disk", ground) { hop in
            hop.state = "\(disk)/state"
            // More than the disk holds.
            hop.spoolLimit = "64 MiB"
        }
        return try await DiskTrial(ground: ground, pair: pair, disk: disk).run()
    }

    private func run() async throws(TortureError) -> Verdict {
        try await pair.start()
        let rounds = ground.isLong ? 6 : 1
        let some = ground.isLong ? 20 : 2
        try await pair.feeding(rate: 200_000) { () async throws(TortureError) in
            for _ in 0..<rounds {
                // The next hop is away until nothing more fits; killed, the service must come up on the full disk.
                pair.holdSecond()
                try await refused(some)
                try await pair.killFirst()
                try await refused(some)
                pair.supervisor.hold(2, false)
                try await accepted()
                // Somebody else takes the last byte. While packets left, there would be room for others in the file itself.
                pair.holdSecond()
                let filler = fill()
                try await refused(some)
                try await pair.killFirst()
                try await refused(some)
                ftruncate(filler, 0)
                close(filler)
                pair.supervisor.hold(2, false)
                try await accepted()
            }
        }
        let counts = pair.ledger.counts
        let words = "\(2 * rounds) times full and freed, \(2 * rounds) kills on a full disk, \(counts.refusals) posts refused"
        return try await pair.verdict(Self.name, words)
    }

    /// Waits until so many more posts are refused.
    private func refused(_ number: Int) async throws(TortureError) {
        let before = pair.ledger.counts.refusals
        try await pair.wait(60, for: "a full disk") { pair.ledger.counts.refusals >= before + number }
    }

    /// Waits until packets are acknowledged again.
    private func accepted() async throws(TortureError) {
        let before = pair.ledger.counts.packets
        try await pair.wait(60, for: "an acknowledgement after the disk was freed") {
            pair.ledger.counts.packets > before
        }
    }

    private func fill() -> Int32 {
        let filler = open("\(disk)/filler", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        while posix_fallocate(filler, lseek(filler, 0, SEEK_END), 4_096) == 0 {}
        return filler
    }
}
